// Which signs the merge of a text gives, by what it went by.
import type { Carried } from '../rewrite/carry.ts';
import type { FileKind } from '../rewrite/file-kind.ts';
import { tokenize } from '../rewrite/tokens.ts';
import type { Choice } from '../rewrite/translate.ts';
import type { FileStudy, PickView } from './pick-view.ts';
import type { Sign, SignName } from './sign.ts';

export function sign(path: string, name: Sign['name'], detail: string): Sign {
  return { path, name, detail };
}

/**
 * A new file in which nothing names upstream is taken as it is, but for its imports: there is nothing to judge. What a Go
 * file embeds is another matter, since no compiler of names looks at that.
 */
export function newFileSign(
  view: PickView,
  kind: FileKind,
  text: string,
  choices: readonly Choice[],
): SignName {
  const { inText } = view.shop.brand;
  if (kind === 'doc') return inText(text) ? 'new-doc' : 'new-file';
  if (kind !== 'go') return 'new-file';
  const isPlain = !choices.some(({ upstream }) => inText(upstream)) && !text.includes('//go:embed ');
  return isPlain ? 'new-file' : 'new-code';
}

/** Signs about words that name the project: nothing else is renamed on anybody's judgement. */
export function choiceSigns(
  view: PickView,
  path: string,
  kind: FileKind,
  choices: readonly Choice[],
  page?: FileStudy,
  isGenerated = false,
): readonly Sign[] {
  const { inText } = view.shop.brand;
  return choices.flatMap((choice): readonly Sign[] => {
    if (!inText(choice.upstream)) return [];
    const detail = `${choice.upstream} -> ${choice.fork}`;
    const name = wordSign(kind, choice);
    const spelt = kind === 'doc' ? docSign(page, choice, inText(choice.fork)) : undefined;
    return [
      ...(name === undefined ? [] : [sign(path, name, detail)]),
      ...(kind !== 'doc' && choice.overlooked === true ? [sign(path, 'word-left', detail)] : []),
      ...(spelt === undefined ? [] : [sign(path, spelt, detail)]),
      ...(isGenerated && choice.level > 0 ? [sign(path, 'generated-word', detail)] : []),
    ];
  });
}

function wordSign(kind: FileKind, choice: Choice): SignName | undefined {
  const { origin, agreed, level, upstream, fork } = choice;
  if (origin === 'rule' || origin === 'symbol') return 'word-by-rule';
  if (origin === 'kept') return 'word-kept';
  // What the fork did elsewhere and a rule says too is no guess; but in comments of code people went one way and the other.
  if ((kind === 'shell' || kind === 'doc') && agreed === true) return undefined;
  // Nor is a name that stayed in these very surroundings before; one of a package hangs on the imports of its file.
  if (origin === 'memory' && level <= narrow && fork === upstream && !fork.includes('.')) return undefined;
  if (origin === 'memory' || origin === 'memory-word' || origin === 'file-word') return 'word-guessed';
  return undefined;
}

/** The fork's page says it at this very place: one token or two on both sides, or the whole sentence. */
const narrow = 1;
/** A page that names upstream so often, and never otherwise, was not renamed; one that does it twice may be mistaken. */
const manyLines = 10;

/** What a page says of a word that stays, or of one that it has in two spellings. */
function docSign(page: FileStudy | undefined, choice: Choice, stays: boolean): SignName | undefined {
  if (choice.level <= narrow) return stays && page === undefined ? 'word-left-in-doc' : undefined;
  const { left, renamed } = page === undefined ? { left: 0, renamed: 0 } : timesSpelt(page, choice.upstream);
  if (stays)
    return choice.origin === 'file' && renamed === 0 && left >= manyLines ? undefined : 'word-left-in-doc';
  return left * 10 >= left + renamed && left > 0 ? 'word-in-two-spellings' : undefined;
}

/** How many lines of the fork's page have a word of upstream's as it is, and in how many it is another one. */
function timesSpelt({ lines }: FileStudy, word: string): { readonly left: number; readonly renamed: number } {
  let left = 0;
  let renamed = 0;
  const times = (line: string): number => tokenize(line).filter((token) => token === word).length;
  for (const [line, spelt] of lines) {
    if (spelt === undefined || !line.includes(word)) continue;
    const before = times(line);
    if (before === 0) continue;
    if (times(spelt) < before) renamed += 1;
    else left += 1;
  }
  return { left, renamed };
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
