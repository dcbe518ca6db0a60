// Which signs the merge of a text gives, by what it went by.
import type { Carried } from '../rewrite/carry.ts';
import type { FileKind } from '../rewrite/file-kind.ts';
import type { Choice } from '../rewrite/translate.ts';
import type { FileStudy, PickView } from './pick-view.ts';
import type { Sign, SignName } from './sign.ts';

export function sign(path: string, name: Sign['name'], detail: string): Sign {
  return { path, name, detail };
}

export function newFileSign(kind: FileKind): SignName {
  if (kind === 'go') return 'new-code';
  return kind === 'doc' ? 'new-doc' : 'new-file';
}

/** Signs about words that name the project: nothing else is renamed on anybody's judgement. */
export function choiceSigns(
  view: PickView,
  path: string,
  kind: FileKind,
  choices: readonly Choice[],
): readonly Sign[] {
  return choices.flatMap((choice): readonly Sign[] => {
    if (!view.shop.brand.inText(choice.upstream)) return [];
    const detail = `${choice.upstream} -> ${choice.fork}`;
    const name = wordSign(choice.origin);
    return [
      ...(name === undefined ? [] : [sign(path, name, detail)]),
      ...(kind !== 'doc' && choice.overlooked === true ? [sign(path, 'word-left', detail)] : []),
      ...(kind === 'doc' && view.shop.brand.inText(choice.fork)
        ? [sign(path, 'word-left-in-doc', detail)]
        : []),
    ];
  });
}

function wordSign(origin: Choice['origin']): SignName | undefined {
  if (origin === 'rule' || origin === 'symbol') return 'word-by-rule';
  if (origin === 'kept') return 'word-kept';
  if (origin === 'memory' || origin === 'memory-word' || origin === 'file-word') return 'word-guessed';
  return undefined;
}

export function differenceSigns(path: string, carried: Carried, study: FileStudy): readonly Sign[] {
  const { exact } = study.alignment;
  const differs = (from: number, to: number): boolean => {
    for (let line = Math.max(0, from); line < Math.min(exact.length, to); line += 1)
      if ((exact[line] ?? -1) < 0) return true;
    return false;
  };
  const signs: Sign[] = [];
  if (carried.edits.some((edit) => differs(edit.aStart, edit.aEnd)))
    signs.push(sign(path, 'line-differs', ''));
  if (carried.edits.some((edit) => differs(edit.aStart - 3, edit.aEnd + 3)))
    signs.push(sign(path, 'context-differs', ''));
  return signs;
}

export function importSigns(
  path: string,
  fixed: {
    readonly changed: boolean;
    readonly unresolved: readonly string[];
    readonly guessed: readonly string[];
  },
): readonly Sign[] {
  return [
    ...(fixed.changed ? [sign(path, 'imports-changed', '')] : []),
    ...fixed.guessed.map((name) => sign(path, 'import-guessed', name)),
    ...fixed.unresolved.map((name) => sign(path, 'import-missing', name)),
  ];
}
