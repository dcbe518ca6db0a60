// Three-way merge of one file's lines: what does not meet is taken, what meets goes to the resolvers.
import type { LineStore } from '../rewrite/line-store.ts';
import type { AddedTwice, Twice } from './added-twice.ts';
import { diffSequences, type Sequence } from './diff-sequences.ts';
import { groupEdits } from './merge-edits.ts';
import { type Resolution, type ResolverContext, resolveHunk } from './resolve-hunk.ts';

/** A hunk that no resolver could settle, with all three sides (line numbers of the store). */
export interface OpenHunk {
  readonly base: readonly number[];
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  /** First line (from 0) in ours. */
  readonly line: number;
  /** The fork has lines of theirs already, in another place. */
  readonly twice?: boolean;
  /** It has all that theirs adds there, and theirs takes nothing away. */
  readonly there?: boolean;
}

export interface LinesMerged {
  readonly lines: readonly number[];
  /** The same with open hunks between markers, for a person to solve; the lines themselves where nothing is open. */
  readonly marked: readonly number[];
  readonly open: readonly OpenHunk[];
  /** Hunks that were settled by leaving out all that upstream changed. */
  readonly leftOut: readonly OpenHunk[];
  /** Hunks in which upstream deleted what the fork had changed. */
  readonly overruled: readonly OpenHunk[];
  /** How hunks that met were settled. */
  readonly settled: readonly (Resolution['how'] | 'already-there')[];
}

/** Merges `theirs` into `ours`; open hunks keep ours in the result. */
export function mergeLines(
  store: LineStore,
  base: Sequence,
  ours: Sequence,
  theirs: Sequence,
  context: ResolverContext,
  twice?: AddedTwice,
): LinesMerged {
  const regions = groupEdits(diffSequences(base, ours), diffSequences(base, theirs));
  const lines: number[] = [];
  const marked: number[] = [];
  const take = (part: ArrayLike<number>): void => {
    pushAll(lines, part);
    pushAll(marked, part);
  };
  const open: OpenHunk[] = [];
  const leftOut: OpenHunk[] = [];
  const overruled: OpenHunk[] = [];
  const settled: (Resolution['how'] | 'already-there')[] = [];
  let position = 0;
  for (const region of regions) {
    take(base.subarray(position, region.base[0]));
    position = region.base[1];
    const ourPart = ours.subarray(...region.ours);
    const theirPart = theirs.subarray(...region.theirs);
    if (region.by === 'ours' || sameLines(ourPart, theirPart)) {
      take(ourPart);
      continue;
    }
    const basePart = base.subarray(...region.base);
    const again = twice?.in(basePart, ...region.theirs) ?? nothing;
    if (region.by === 'theirs' && again.lines.size === 0) {
      take(theirPart);
      continue;
    }
    if (region.by === 'theirs' && again.all) {
      settled.push('already-there');
      continue;
    }
    const resolution =
      region.by === 'theirs' ? undefined : resolveHunk(store, basePart, ourPart, theirPart, context);
    const isTwice =
      resolution === undefined ? again.lines.size > 0 : takesAgain(again, resolution.lines, ourPart);
    const hunk: OpenHunk = {
      base: Array.from(basePart),
      ours: Array.from(ourPart),
      theirs: Array.from(theirPart),
      line: region.ours[0],
      ...(isTwice ? { twice: true } : {}),
      ...(isTwice && again.all ? { there: true } : {}),
    };
    if (resolution === undefined || isTwice) {
      open.push(hunk);
      pushAll(lines, ourPart);
      pushAll(marked, markHunk(store, basePart, ourPart, theirPart));
    } else {
      settled.push(resolution.how);
      if (leavesOut.has(resolution.how) && sameLines(Int32Array.from(resolution.lines), ourPart))
        leftOut.push(hunk);
      if (resolution.how === 'upstream-deleted') overruled.push(hunk);
      take(resolution.lines);
    }
  }
  take(base.subarray(position));
  return { lines, marked, open, leftOut, overruled, settled };
}

/** Ways of settling that drop what upstream did to lines which the fork does not have. */
const leavesOut: ReadonlySet<Resolution['how']> = new Set(['touching-deletion', 'fork-deleted', 'rewritten']);

const nothing: Twice = { lines: new Set(), all: false };

/** Whether what was settled has more of a line than the fork had here, of which it has one elsewhere. */
function takesAgain({ lines }: Twice, settled: readonly number[], ours: Sequence): boolean {
  const times = (list: ArrayLike<number>, line: number): number =>
    Array.from(list).filter((other) => other === line).length;
  return [...lines].some((line) => times(settled, line) > times(ours, line));
}

function markHunk(store: LineStore, base: Sequence, ours: Sequence, theirs: Sequence): readonly number[] {
  return [
    store.id('<<<<<<< fork'),
    ...ours,
    store.id('||||||| upstream before, rewritten'),
    ...base,
    store.id('======='),
    ...theirs,
    store.id('>>>>>>> upstream after, rewritten'),
  ];
}

function sameLines(left: Sequence, right: Sequence): boolean {
  return left.length === right.length && left.every((line, index) => line === right[index]);
}

function pushAll(out: number[], lines: ArrayLike<number>): void {
  for (let index = 0; index < lines.length; index += 1) out.push(lines[index] ?? 0);
}
