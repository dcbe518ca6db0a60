// Decides which segments make up the log behind a snapshot, as the server does when it starts.
import { join } from 'node:path';
import type { ClosedSegment, FolderListing, OpenSegment } from './list-folder.ts';
import type { DqliteProblem } from './problem.ts';

export interface LogPlan {
  /** To be read in this order; entries up to the snapshot's index are checked but not applied. */
  readonly closed: readonly ClosedSegment[];
  readonly open: readonly OpenSegment[];
  /** Index of the first entry that the first of them holds. */
  readonly firstIndex: number;
  readonly unused: readonly string[];
  /** What stands in the way once these are read; the last good index is filled in then. */
  readonly broken: ((lastGoodIndex: number) => DqliteProblem) | undefined;
}

/** `snapshotIndex` is 0 without a snapshot: the log must then begin at 1. */
export function chooseSegments(listing: FolderListing, snapshotIndex: number): LogPlan {
  const { folder, closed, open } = listing;
  const newest = closed.at(-1);
  const next = snapshotIndex + 1;
  if (newest === undefined) return { closed: [], open, firstIndex: next, unused: [], broken: undefined };
  if (snapshotIndex > 0 && newest.last < snapshotIndex && open.length === 0)
    return { closed: [], open, firstIndex: next, unused: closed.map(({ name }) => name), broken: undefined };

  // Back from the newest, as far as each begins where the one before ends.
  let start = closed.length - 1;
  while (start > 0 && closed[start - 1]?.last === (closed[start]?.first ?? 0) - 1) start -= 1;
  const chain = closed.slice(start);
  const before = closed[start - 1];
  const first = chain[0] ?? newest;
  if (first.first <= next && (before === undefined || (snapshotIndex > 0 && before.last < first.first - 1)))
    return {
      closed: chain,
      open,
      firstIndex: first.first,
      unused: closed.slice(0, start).map(({ name }) => name),
      broken: undefined,
    };
  return forward(folder, closed, next);
}

/** The log is broken somewhere: what is whole before the break, and the break itself. */
function forward(folder: string, closed: readonly ClosedSegment[], next: number): LogPlan {
  const start = closed.findIndex(({ first, last }) => first <= next && last >= next);
  const chain: ClosedSegment[] = [];
  for (const segment of start < 0 ? [] : closed.slice(start)) {
    const previous = chain.at(-1);
    if (previous !== undefined && segment.first <= previous.last) {
      const file = join(folder, segment.name);
      const other = join(folder, previous.name);
      return {
        closed: chain,
        open: [],
        firstIndex: chain[0]?.first ?? next,
        unused: [],
        broken: (lastGoodIndex) => ({ code: 'segments-overlap', file, other, lastGoodIndex }),
      };
    }
    if (previous !== undefined && segment.first !== previous.last + 1) break;
    chain.push(segment);
  }
  const expectedIndex = (chain.at(-1)?.last ?? next - 1) + 1;
  const found = closed.find(({ first }) => first > expectedIndex) ?? closed.at(-1);
  const file = join(folder, found?.name ?? '');
  const foundIndex = found?.first ?? 0;
  return {
    closed: chain,
    open: [],
    firstIndex: chain[0]?.first ?? next,
    unused: [],
    broken: (lastGoodIndex) => ({ code: 'log-gap', file, expectedIndex, foundIndex, lastGoodIndex }),
  };
}
