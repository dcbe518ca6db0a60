// Settles a hunk that both sides changed, where one answer follows from the text; each way of settling has a name.
import type { LineStore } from '../rewrite/line-store.ts';
import { similarity } from '../rewrite/similarity.ts';
import { tokenize } from '../rewrite/tokens.ts';
import { diffSequences, type Edit, type Sequence } from './diff-sequences.ts';
import { combineEdits } from './merge-edits.ts';
import { mergeTokens } from './merge-tokens.ts';

export type HunkDriver = 'text' | 'append-list' | 'ordered-list';

export interface ResolverContext {
  readonly driver: HunkDriver;
  /** How entries of an ordered list begin. */
  readonly entries?: readonly string[];
  /** Go: blank runs do not matter, and two declarations added in one place can follow each other. */
  readonly go: boolean;
  /** What the fork lacks it deleted: no commit of upstream that brought it is still to come. */
  readonly deletedByFork?: boolean;
}

export interface Resolution {
  readonly how:
    | 'blanks'
    | 'appended'
    | 'put-in-order'
    | 'touching'
    | 'touching-deletion'
    | 'within-line'
    | 'both-inserted'
    | 'fork-deleted'
    | 'upstream-deleted'
    | 'rewritten';
  readonly lines: readonly number[];
}

/** The first resolver with an answer decides; undefined leaves the hunk to a person. */
export function resolveHunk(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
  context: ResolverContext,
): Resolution | undefined {
  return (
    onlyBlanks(store, base, ours, theirs) ??
    (context.driver === 'append-list' ? appended(store, base, ours, theirs) : undefined) ??
    (context.driver === 'ordered-list'
      ? putInOrder(store, base, ours, theirs, context.entries ?? [])
      : undefined) ??
    touching(store, base, ours, theirs) ??
    withinLines(store, base, ours, theirs) ??
    (context.go ? squeezed(store, base, ours, theirs) : undefined) ??
    (context.go ? bothInserted(store, base, ours, theirs) : undefined) ??
    deleted(store, base, ours, theirs) ??
    (context.deletedByFork === true ? besideDeletion(store, base, ours, theirs) : undefined)
  );
}

/** Ways that count on the fork having deleted, and not merely never had, what it lacks. */
function besideDeletion(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  return (
    deletedBeside(store, base, ours, theirs) ??
    replaced(store, base, ours, theirs) ??
    lineByLine(store, base, ours, theirs) ??
    rewritten(store, base, ours, theirs)
  );
}

/** One side changed nothing but blanks: the other side's text stands. */
function onlyBlanks(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  const squeeze = (lines: Sequence): string =>
    Array.from(lines, (id) => squeezeLine(store.line(id))).join('\n');
  const [b, o, t] = [squeeze(base), squeeze(ours), squeeze(theirs)];
  if (o === b) return { how: 'blanks', lines: Array.from(theirs) };
  if (t === b) return { how: 'blanks', lines: respaced(store, base, ours, theirs) };
  if (o === t) return { how: 'blanks', lines: Array.from(ours) };
  return undefined;
}

/** Our lines, with theirs where upstream spaced the very same words anew. */
function respaced(store: LineStore, base: Sequence, ours: Sequence, theirs: Sequence): readonly number[] {
  const before = new Set(base);
  const anew = new Map<string, number>();
  for (const id of theirs) if (!before.has(id)) anew.set(squeezeLine(store.line(id)), id);
  return Array.from(ours, (id) => anew.get(squeezeLine(store.line(id))) ?? id);
}

function squeezeLine(line: string): string {
  return line.trimStart().startsWith('//') ? line : line.replace(/(?<=[^ \t])[ \t]+/g, ' ').trimEnd();
}

/** A list that both sides only add to: ours, then what theirs added. */
function appended(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  const inOurs = new Set(ours);
  if (!base.every((line) => inOurs.has(line))) return undefined;
  const inBase = new Set(base);
  const added = Array.from(theirs.filter((line) => !inBase.has(line)));
  // One blank line between two entries, whichever side brought it.
  const blank = store.id('');
  if (added[0] === blank && (ours.length === 0 || ours.at(-1) === blank)) added.shift();
  return { how: 'appended', lines: [...ours, ...added] };
}

/** Whether a line belongs to a list whose entries begin so; blank lines and comments may stand between them. */
export function isEntry(line: string, entries: readonly string[]): boolean {
  const text = line.trim();
  return text === '' || /^(?:\/\/|#)/.test(text) || entries.some((entry) => text.startsWith(entry));
}

/**
 * A list whose entries run in order, each by its name: an entry that upstream added comes after everything that stood
 * before it and is still there, behind what the fork added in the same place. An entry that the fork has is not
 * added again.
 */
function putInOrder(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
  entries: readonly string[],
): Resolution | undefined {
  const edits = diffSequences(base, theirs);
  if (edits.some((edit) => edit.aEnd > edit.aStart)) return undefined;
  const inList = (line: number): boolean => isEntry(store.line(line), entries);
  if (!ours.every(inList) || !theirs.every(inList)) return undefined;
  const lines = Array.from(ours);
  for (const edit of edits.toReversed()) {
    const next = base.subarray(edit.aStart).find((line) => lines.includes(line));
    const at = next === undefined ? lines.length : lines.indexOf(next);
    const added = Array.from(theirs.subarray(edit.bStart, edit.bEnd)).filter((line) => !lines.includes(line));
    lines.splice(at, 0, ...added);
  }
  return { how: 'put-in-order', lines };
}

function touching(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  const ourEdits = diffSequences(base, ours);
  const theirEdits = diffSequences(base, theirs);
  const kept = theirEdits.filter((edit) => !inDeleted(store, edit, theirs, ourEdits));
  const combined = combineEdits(base, ourEdits, ours, kept, theirs);
  if (combined === undefined) return undefined;
  return { how: kept.length < theirEdits.length ? 'touching-deletion' : 'touching', lines: combined.result };
}

/** An edit inside lines that the fork deleted has nothing left to change; a comment added at their start goes too. */
function inDeleted(store: LineStore, edit: Edit, text: Sequence, ourEdits: readonly Edit[]): boolean {
  return ourEdits.some((other) => {
    if (other.bEnd > other.bStart) return false;
    const inside = other.aStart < edit.aStart && edit.aEnd <= other.aEnd;
    if (inside && !(edit.aStart === edit.aEnd && edit.aEnd === other.aEnd)) return true;
    if (other.aStart !== edit.aStart || edit.aEnd > other.aEnd || other.aStart === other.aEnd) return false;
    if (edit.aEnd > edit.aStart) return true;
    return Array.from(text.subarray(edit.bStart, edit.bEnd)).every((id) =>
      /^[ \t]*(?:\/\/|#|$)/.test(store.line(id)),
    );
  });
}

function withinLines(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  if (base.length === 0) return undefined;
  const merged = mergeTokens(textOf(store, base), textOf(store, ours), textOf(store, theirs));
  return merged === undefined ? undefined : { how: 'within-line', lines: linesOf(store, merged) };
}

/** The same again with runs of blanks as one: aligned comments and struct fields move with their neighbours. */
function squeezed(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  const squeeze = (lines: Sequence): Sequence => lines.map((id) => store.id(squeezeLine(store.line(id))));
  const [b, o, t] = [squeeze(base), squeeze(ours), squeeze(theirs)];
  const combined = combineEdits(b, diffSequences(b, o), o, diffSequences(b, t), t);
  if (combined !== undefined)
    return {
      how: 'blanks',
      lines: respaced(store, base, Int32Array.from(combined.result), theirs),
    };
  return withinLines(store, b, o, t);
}

function bothInserted(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  if (base.length > 0 || ours.length === 0 || theirs.length === 0) return undefined;
  const last = store.line(ours.at(-1) ?? 0);
  const first = store.line(ours[0] ?? 0);
  const gap = last !== '' && first.startsWith('//') ? [store.id('')] : [];
  return { how: 'both-inserted', lines: [...ours, ...gap, ...theirs] };
}

function deleted(store: LineStore, base: Sequence, ours: Sequence, theirs: Sequence): Resolution | undefined {
  if (base.length === 0) return undefined;
  if (ours.length === 0) return { how: 'fork-deleted', lines: [] };
  if (theirs.length > 0) return undefined;
  const alike = similarity(tokenize(textOf(store, base)), tokenize(textOf(store, ours)));
  return alike > 0.6 ? { how: 'upstream-deleted', lines: [] } : undefined;
}

const alikeEnough = 0.6;

/** Upstream deleted lines of which the fork had changed a few, beside other changes: they are deleted. */
function deletedBeside(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  const ourEdits = diffSequences(base, ours);
  const theirEdits = diffSequences(base, theirs)
    .filter((edit) => !inDeleted(store, edit, theirs, ourEdits))
    .map((edit) => withoutDeleted(edit, ourEdits));
  const gone = theirEdits.filter((edit) => edit.bEnd === edit.bStart);
  const lost = (edit: Edit): Edit | undefined =>
    gone.find((other) => other.aStart < edit.aStart && edit.aEnd < other.aEnd);
  const kept = ourEdits.filter((edit) => lost(edit) === undefined);
  if (kept.length === ourEdits.length) return undefined;
  for (const deletion of gone) {
    const inside = ourEdits.filter((edit) => lost(edit) === deletion);
    const text = combineEdits(base, inside, ours, [], theirs)?.result ?? [];
    const added = inside.reduce(
      (sum, edit) => sum + (edit.bEnd - edit.bStart) - (edit.aEnd - edit.aStart),
      0,
    );
    const [before, after] = [
      base.subarray(deletion.aStart, deletion.aEnd),
      Int32Array.from(text.slice(deletion.aStart, deletion.aEnd + added)),
    ];
    if (similarity(tokenize(textOf(store, before)), tokenize(textOf(store, after))) < alikeEnough)
      return undefined;
  }
  const combined = combineEdits(base, kept, ours, theirEdits, theirs);
  return combined === undefined ? undefined : { how: 'upstream-deleted', lines: combined.result };
}

/** A deletion without what the fork deleted at its start or end. */
function withoutDeleted(edit: Edit, ourEdits: readonly Edit[]): Edit {
  if (edit.bEnd > edit.bStart) return edit;
  let { aStart, aEnd } = edit;
  for (const other of ourEdits) {
    if (other.bEnd > other.bStart) continue;
    if (other.aStart <= aStart && other.aEnd > aStart) aStart = Math.min(other.aEnd, aEnd);
    if (other.aEnd >= aEnd && other.aStart < aEnd) aEnd = Math.max(other.aStart, aStart);
  }
  return { ...edit, aStart, aEnd };
}

/** Below this two lines are not two versions of one. */
const littleAlike = 0.45;

/** Upstream changed single lines in what the fork replaced by something else: nothing is left to change. */
function replaced(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  const [whole, ...more] = diffSequences(base, ours);
  if (whole === undefined || more.length > 0 || whole.aStart > 0 || whole.aEnd < base.length)
    return undefined;
  const here = Array.from(ours, (id) => tokenize(store.line(id).trim()));
  const isGone = (id: number): boolean => {
    const tokens = tokenize(store.line(id).trim());
    return here.every((other) => similarity(tokens, other) < littleAlike);
  };
  const edits = diffSequences(base, theirs);
  const touched = edits.reduce((sum, edit) => sum + edit.aEnd - edit.aStart, 0);
  // Both sides wrote all of it anew, or the fork's is no shorter: that is not what was taken out.
  if (touched * 2 > base.length || ours.length >= base.length) return undefined;
  const gone = edits.every(
    (edit) => edit.aEnd > edit.aStart && base.subarray(edit.aStart, edit.aEnd).every(isGone),
  );
  return gone ? { how: 'touching-deletion', lines: Array.from(ours) } : undefined;
}

/**
 * Upstream changed single lines of a stretch of which the fork deleted some: the changes of what is left are made. Lines
 * of two texts of one length are pairs only if each is alike.
 */
function lineByLine(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  const ourEdits = diffSequences(base, ours);
  if (ourEdits.some((edit) => edit.bEnd > edit.bStart)) return undefined;
  const single: Edit[] = [];
  for (const edit of diffSequences(base, theirs)) {
    if (edit.aEnd - edit.aStart !== edit.bEnd - edit.bStart) return undefined;
    for (let step = 0; step < edit.aEnd - edit.aStart; step += 1) {
      const [a, b] = [edit.aStart + step, edit.bStart + step];
      const [before, after] = [base[a] ?? 0, theirs[b] ?? 0].map((id) => tokenize(store.line(id).trim()));
      if (before === undefined || after === undefined || similarity(before, after) < littleAlike)
        return undefined;
      single.push({ aStart: a, aEnd: a + 1, bStart: b, bEnd: b + 1 });
    }
  }
  const isDeleted = (edit: Edit): boolean =>
    ourEdits.some((other) => other.aStart <= edit.aStart && edit.aEnd <= other.aEnd);
  const kept = single.filter((edit) => !isDeleted(edit));
  const combined = combineEdits(base, ourEdits, ours, kept, theirs);
  return combined === undefined ? undefined : { how: 'touching-deletion', lines: combined.result };
}

const sameLine = 0.8;

/** Upstream wrote lines anew of which the fork had deleted some: the new ones stand, without what the fork deleted. */
function rewritten(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
): Resolution | undefined {
  if (theirs.length === 0 || ours.length === 0) return undefined;
  const edits = diffSequences(base, ours);
  if (edits.some((edit) => edit.bEnd > edit.bStart)) return undefined;
  const left = Array.from(theirs);
  for (const edit of edits)
    for (const id of base.subarray(edit.aStart, edit.aEnd)) {
      const text = store.line(id).trim();
      if (text.length < 3) continue;
      const at = left.findIndex((other) => {
        const line = store.line(other).trim();
        return line === text || similarity(tokenize(line), tokenize(text)) >= sameLine;
      });
      if (at >= 0) left.splice(at, 1);
    }
  return { how: 'rewritten', lines: left };
}

/** Text with every line ended, so that a merge of tokens cannot glue two lines together. */
function textOf(store: LineStore, lines: Sequence): string {
  return Array.from(lines, (id) => `${store.line(id)}\n`).join('');
}

function linesOf(store: LineStore, text: string): readonly number[] {
  return text === '' ? [] : Array.from(store.split(text.replace(/\n$/, '')));
}
