// Carries upstream's two versions of a file into the fork's words, so that they can be merged with the fork's copy.
import { diffSequences, type Edit, type Sequence } from '../merge/diff-sequences.ts';
import { mergeTokens } from '../merge/merge-tokens.ts';
import { type Alignment, pairAlike } from './align.ts';
import { restoreCalls } from './go/restore-call.ts';
import type { FoldKind, LineStore } from './line-store.ts';
import { replacements, similarity } from './similarity.ts';
import { tokenize, tokenizeQuoted } from './tokens.ts';
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

export interface CarryContext {
  readonly kind: FoldKind;
  /** Whether a package that the file imports by this name is of the standard library of Go. */
  readonly isStandard?: (qualifier: string) => boolean;
}

/** How far around upstream's changes unaligned lines are translated; farther away they cannot meet anything. */
const reach = 40;

/** Longer edits are other text, not the same lines written anew. */
const mostUnpaired = 30;

/** Where the fork has a line, its own spelling stands on both sides; only what upstream changed is translated. */
export function carryFile(
  store: LineStore,
  upstream: { readonly base: Sequence; readonly theirs: Sequence },
  fork: Sequence,
  alignment: Alignment,
  translator: Translator,
  { kind, isStandard = () => false }: CarryContext,
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
  /** A line of the fork that says otherwise what upstream changed as well is no base: the two changes have to meet. */
  const meetInLine = (left: number, right: number): void => {
    if ((alignment.exact[left] ?? -1) >= 0) return;
    const [before, after] = [base[left] ?? 0, theirs[right] ?? 0].map(
      (id) => translator.translateWords(store.line(id)).text,
    );
    if (before === undefined || after === undefined) return;
    const here = store.line(carriedBase[left] ?? 0);
    if (here !== before && !isWithin(before, here, after)) carriedBase[left] = store.id(before);
  };
  for (const edit of [...edits, endOf(base, theirs)]) {
    for (; i < edit.aStart; i += 1, j += 1) carriedTheirs[j] = carriedBase[i] ?? 0;
    const pairs = pairChanged(store, base, theirs, edit, kind);
    for (const [left, right] of alikeWithin(store, base, theirs, edit, pairs)) meetInLine(left, right);
    for (const [left, right] of pairs) {
      const forkLine = forkLineOf(alignment, left);
      if (forkLine === undefined) continue;
      const before = translator.translateWords(store.line(base[left] ?? 0)).text;
      const after = translator.translateWords(store.line(theirs[right] ?? 0)).text;
      const here = store.line(fork[forkLine] ?? 0);
      const merged = mergeTokens(
        before,
        restoreCalls({ base: before, ours: here, theirs: after }, isStandard),
        after,
      );
      if (merged === undefined) {
        meetInLine(left, right);
        continue;
      }
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
      carriedTheirs[line] = store.id(indentedAsHere(store, base, fork, alignment, edit, made.text));
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

/**
 * A new line with as many blanks before it as the fork has where upstream has its: a script of which the fork changed
 * the indentation, or code that it put into another block. The nearest line of the same indentation says so.
 */
function indentedAsHere(
  store: LineStore,
  base: Sequence,
  fork: Sequence,
  alignment: Alignment,
  edit: Edit,
  line: string,
): string {
  const text = line.trimStart();
  if (text === '') return line;
  const indent = line.slice(0, line.length - text.length);
  let less: { readonly upstream: string; readonly fork: string } | undefined;
  for (let step = 1; step <= reach; step += 1)
    for (const near of [edit.aStart - step, edit.aEnd - 1 + step]) {
      const forkLine = alignment.exact[near] ?? -1;
      const theirs = store.line(base[near] ?? 0);
      if (forkLine < 0 || theirs.trim() === '') continue;
      const upstream = indentOf(theirs);
      const here = indentOf(store.line(fork[forkLine] ?? 0));
      if (upstream === indent) return here + text;
      const isDeeper = upstream !== '' && indent.startsWith(upstream);
      if (isDeeper && upstream.length > (less?.upstream.length ?? 0)) less = { upstream, fork: here };
    }
  if (less === undefined) return line;
  // No line stands as deep: what is deeper than the deepest is as much deeper as the fork has it there.
  const times = less.fork.length / less.upstream.length;
  const more = indent.slice(less.upstream.length);
  return less.fork + (Number.isInteger(times) ? more.repeat(times) : more) + text;
}

function indentOf(line: string): string {
  return line.slice(0, line.length - line.trimStart().length);
}

/** Below this two lines are not two versions of one. */
const littleAlike = 0.45;

/** Lines of an edit that are in no pair, each with the new line that is most like it. */
function alikeWithin(
  store: LineStore,
  base: Sequence,
  theirs: Sequence,
  edit: Edit,
  pairs: readonly (readonly [number, number])[],
): readonly (readonly [number, number])[] {
  if (edit.aEnd - edit.aStart > mostUnpaired || edit.bEnd - edit.bStart > mostUnpaired) return [];
  const paired = new Set(pairs.map(([left]) => left));
  const tokens = (id: number | undefined): readonly string[] => tokenize(store.line(id ?? 0).trim());
  const found: (readonly [number, number])[] = [];
  for (let left = edit.aStart; left < edit.aEnd; left += 1) {
    if (paired.has(left)) continue;
    let best = { right: -1, score: littleAlike };
    for (let right = edit.bStart; right < edit.bEnd; right += 1) {
      const score = similarity(tokens(base[left]), tokens(theirs[right]));
      if (score > best.score) best = { right, score };
    }
    if (best.right >= 0) found.push([left, best.right]);
  }
  return found;
}

/** Whether upstream replaced all that the fork says otherwise, and more around it: then nothing of that is left to keep. */
function isWithin(before: string, here: string, after: string): boolean {
  const tokens = tokenizeQuoted(before);
  const theirs = changedParts(tokens, tokenizeQuoted(after));
  return changedParts(tokens, tokenizeQuoted(here)).every((own) =>
    theirs.some(
      (other) =>
        other.start <= own.start && own.end <= other.end && other.end - other.start > own.end - own.start,
    ),
  );
}

/** What was replaced; brackets, quotes and blanks between two replaced words stayed by chance. */
function changedParts(
  before: readonly string[],
  after: readonly string[],
): readonly { readonly start: number; readonly end: number }[] {
  const parts: { readonly start: number; end: number }[] = [];
  for (const part of replacements(before, after)) {
    if (part.kind === 'equal') continue;
    const last = parts.at(-1);
    if (last !== undefined && before.slice(last.end, part.aStart).every((token) => !/\w/.test(token)))
      last.end = part.aEnd;
    else parts.push({ start: part.aStart, end: part.aEnd });
  }
  return parts;
}

function nearEdits(edits: readonly Edit[], length: number): (index: number) => boolean {
  const near = new Uint8Array(length);
  for (const edit of edits)
    near.fill(1, Math.max(0, edit.aStart - reach), Math.min(length, edit.aEnd + reach));
  return (index) => near[index] === 1;
}
