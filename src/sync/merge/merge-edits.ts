// Three-way merging of two lists of edits of one base, on anything that can be counted: lines or tokens.
import type { Edit } from './diff-sequences.ts';

/** A stretch of the base that both sides may have changed, with what each made of it. */
export interface Region {
  readonly base: readonly [number, number];
  readonly ours: readonly [number, number];
  readonly theirs: readonly [number, number];
  readonly by: 'ours' | 'theirs' | 'both';
}

/**
 * Groups the edits of both sides: edits that overlap or touch belong together, as in git. Regions come in order;
 * between them all three texts agree.
 */
export function groupEdits(ours: readonly Edit[], theirs: readonly Edit[]): readonly Region[] {
  const regions: Region[] = [];
  let i = 0;
  let j = 0;
  let ourShift = 0;
  let theirShift = 0;
  while (i < ours.length || j < theirs.length) {
    const firstOurs = ours[i];
    const firstTheirs = theirs[j];
    const start = Math.min(
      firstOurs?.aStart ?? Number.MAX_SAFE_INTEGER,
      firstTheirs?.aStart ?? Number.MAX_SAFE_INTEGER,
    );
    let end = start;
    const ourStart = start + ourShift;
    const theirStart = start + theirShift;
    let fromOurs = false;
    let fromTheirs = false;
    for (;;) {
      const one = ours[i];
      const two = theirs[j];
      if (one !== undefined && one.aStart <= end) {
        end = Math.max(end, one.aEnd);
        ourShift = one.bEnd - one.aEnd;
        fromOurs = true;
        i += 1;
      } else if (two !== undefined && two.aStart <= end) {
        end = Math.max(end, two.aEnd);
        theirShift = two.bEnd - two.aEnd;
        fromTheirs = true;
        j += 1;
      } else break;
    }
    regions.push({
      base: [start, end],
      ours: [ourStart, end + ourShift],
      theirs: [theirStart, end + theirShift],
      by: fromOurs && fromTheirs ? 'both' : fromOurs ? 'ours' : 'theirs',
    });
  }
  return regions;
}

export interface Combined<T> {
  readonly result: readonly T[];
  /** Edits of the two sides met without a line between them: which comes first was assumed. */
  readonly touched: boolean;
}

/** Applies both lists of edits where none overlaps another; edits that only touch are applied ours first. */
export function combineEdits<T>(
  base: ArrayLike<T>,
  ours: readonly Edit[],
  oursText: ArrayLike<T>,
  theirs: readonly Edit[],
  theirsText: ArrayLike<T>,
): Combined<T> | undefined {
  const all = [
    ...ours.map((edit) => ({ edit, text: oursText, side: 0 })),
    ...theirs.map((edit) => ({ edit, text: theirsText, side: 1 })),
  ].sort(
    (left, right) =>
      left.edit.aStart - right.edit.aStart || left.edit.aEnd - right.edit.aEnd || left.side - right.side,
  );
  const result: T[] = [];
  let position = 0;
  let touched = false;
  let last: (typeof all)[number] | undefined;
  for (const item of all) {
    const { edit, side } = item;
    if (last !== undefined && last.side !== side) {
      if (sameChange(last, item)) continue;
      const bothInsertHere =
        edit.aStart === edit.aEnd && last.edit.aStart === last.edit.aEnd && edit.aStart === last.edit.aStart;
      if (edit.aStart < last.edit.aEnd || bothInsertHere) return undefined;
      if (edit.aStart === last.edit.aEnd) touched = true;
    }
    pushRange(result, base, position, edit.aStart);
    pushRange(result, item.text, edit.bStart, edit.bEnd);
    position = edit.aEnd;
    if (last === undefined || edit.aEnd >= last.edit.aEnd) last = item;
  }
  pushRange(result, base, position, base.length);
  return { result, touched };
}

function sameChange<T>(
  left: { readonly edit: Edit; readonly text: ArrayLike<T> },
  right: { readonly edit: Edit; readonly text: ArrayLike<T> },
): boolean {
  if (left.edit.aStart !== right.edit.aStart || left.edit.aEnd !== right.edit.aEnd) return false;
  const length = left.edit.bEnd - left.edit.bStart;
  if (length !== right.edit.bEnd - right.edit.bStart) return false;
  for (let step = 0; step < length; step += 1)
    if (left.text[left.edit.bStart + step] !== right.text[right.edit.bStart + step]) return false;
  return true;
}

function pushRange<T>(out: T[], from: ArrayLike<T>, start: number, end: number): void {
  for (let index = start; index < end; index += 1) {
    const value = from[index];
    if (value !== undefined) out.push(value);
  }
}
