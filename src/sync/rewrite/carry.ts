// Carries upstream's two versions of a file into the fork's words, so that they can be merged with the fork's copy.
import { diffSequences, type Edit, type Sequence } from '../merge/diff-sequences.ts';
import { mergeTokens } from '../merge/merge-tokens.ts';
import { type Alignment, pairAlike } from './align.ts';
import type { FoldKind, LineStore } from './line-store.ts';
import type { Choice, Translator } from './translate.ts';

export interface Carried {
  readonly base: Sequence;
  readonly theirs: Sequence;
  /** What was chosen on lines that upstream added or changed. */
  readonly choices: readonly Choice[];
  /** A changed line was laid over a fork line that is only alike. */
  readonly overlaid: boolean;
  /** Upstream's own edits. */
  readonly edits: readonly Edit[];
}

/** How far around upstream's changes unaligned lines are translated; farther away they cannot meet anything. */
const reach = 40;

/** Where the fork has a line, its own spelling stands on both sides; only what upstream changed is translated. */
export function carryFile(
  store: LineStore,
  upstream: { readonly base: Sequence; readonly theirs: Sequence },
  fork: Sequence,
  alignment: Alignment,
  translator: Translator,
  kind: FoldKind,
): Carried {
  const { base, theirs } = upstream;
  const edits = diffSequences(base, theirs);
  const choices: Choice[] = [];
  const translated = (id: number): number => store.id(translator.translate(store.line(id)).text);
  const near = nearEdits(edits, base.length);
  const carriedBase = Int32Array.from(base, (id, index) => {
    const forkLine = alignment.exact[index] ?? -1;
    if (forkLine >= 0) return fork[forkLine] ?? 0;
    return near(index) ? translated(id) : id;
  });
  const carriedTheirs = new Int32Array(theirs.length).fill(-1);
  let overlaid = false;
  let i = 0;
  let j = 0;
  for (const edit of [...edits, endOf(base, theirs)]) {
    for (; i < edit.aStart; i += 1, j += 1) carriedTheirs[j] = carriedBase[i] ?? 0;
    for (const [left, right] of pairChanged(store, base, theirs, edit, kind)) {
      const forkLine = forkLineOf(alignment, left);
      if (forkLine === undefined) continue;
      const forkText = store.line(fork[forkLine] ?? 0);
      const merged = mergeTokens(
        translator.translateWords(store.line(base[left] ?? 0)).text,
        forkText,
        translator.translateWords(store.line(theirs[right] ?? 0)).text,
      );
      if (merged === undefined) continue;
      carriedTheirs[right] = store.id(merged);
      if ((alignment.exact[left] ?? -1) < 0) {
        carriedBase[left] = fork[forkLine] ?? 0;
        overlaid = true;
      }
      choices.push(...translator.translateWords(store.line(theirs[right] ?? 0)).choices);
    }
    for (let line = edit.bStart; line < edit.bEnd; line += 1) {
      if (carriedTheirs[line] !== -1) continue;
      const made = translator.translate(store.line(theirs[line] ?? 0));
      carriedTheirs[line] = store.id(made.text);
      choices.push(...made.choices);
    }
    i = edit.aEnd;
    j = edit.bEnd;
  }
  return { base: carriedBase, theirs: carriedTheirs, choices, overlaid, edits };
}

function endOf(base: Sequence, theirs: Sequence): Edit {
  return { aStart: base.length, aEnd: base.length, bStart: theirs.length, bEnd: theirs.length };
}

function forkLineOf(alignment: Alignment, line: number): number | undefined {
  const exact = alignment.exact[line] ?? -1;
  return exact >= 0 ? exact : alignment.alike.get(line);
}

function pairChanged(
  store: LineStore,
  base: Sequence,
  theirs: Sequence,
  edit: Edit,
  kind: FoldKind,
): readonly (readonly [number, number])[] {
  const before = base.subarray(edit.aStart, edit.aEnd);
  const after = theirs.subarray(edit.bStart, edit.bEnd);
  if (before.length === 0 || after.length === 0 || before.length > 300 || after.length > 300) return [];
  const pairs = pairAlike(store, Array.from(store.fold(before, kind)), Array.from(store.fold(after, kind)));
  return pairs.map(([left, right]) => [edit.aStart + left, edit.bStart + right] as const);
}

function nearEdits(edits: readonly Edit[], length: number): (index: number) => boolean {
  const near = new Uint8Array(length);
  for (const edit of edits)
    near.fill(1, Math.max(0, edit.aStart - reach), Math.min(length, edit.aEnd + reach));
  return (index) => near[index] === 1;
}
