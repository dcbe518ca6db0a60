// Decides which segments make up the log behind a snapshot, as the server does when it starts.
import { join } from 'node:path';
import type { ClosedSegment, FolderListing, OpenSegment } from './list-folder.ts';
import type { DqliteProblem } from './problem.ts';

export interface LogPlan {
  /** To be read in this order; entries up to the snapshot's index are checked but not applied. */
  readonly closed: readonly ClosedSegment[];
  readonly open: readonly OpenSegment[];
  /** Index of the first entry of what is read. */
  readonly firstIndex: number;
  /** Names of segments behind the snapshot that the server would not read either. */
  readonly unused: readonly string[];
  /** What stands in the way once these are read; the last good index is filled in then. */
  readonly broken: ((lastGoodIndex: number) => DqliteProblem) | undefined;
}

/** `snapshotIndex` is 0 without a snapshot: the log must then begin at 1. */
export function chooseSegments(listing: FolderListing, snapshotIndex: number): LogPlan {
  const { folder, closed, open } = listing;
  const next = snapshotIndex + 1;
  const newest = closed.at(-1);
  const overlap = findOverlap(closed, snapshotIndex);
  if (overlap !== undefined) {
    const [other, file] = overlap.map(({ name }) => join(folder, name)) as [string, string];
    return {
      ...upToBreak(closed.slice(0, closed.indexOf(overlap[1])), next),
      broken: (lastGoodIndex) => ({ code: 'segments-overlap', file, other, lastGoodIndex }),
    };
  }
  if (newest === undefined) return whole([], open, next, []);
  if (snapshotIndex > 0 && newest.last < snapshotIndex && open.length === 0)
    return whole([], open, next, closed);

  // Back from the newest, as far as each begins where the one before ends.
  let start = closed.length - 1;
  while (start > 0 && closed[start - 1]?.last === (closed[start]?.first ?? 0) - 1) start -= 1;
  const first = closed[start]?.first ?? next;
  if (first <= next) return whole(closed.slice(start), open, first, closed.slice(0, start));

  const chain = upToBreak(closed, next);
  const expectedIndex = (chain.closed.at(-1)?.last ?? snapshotIndex) + 1;
  const found = closed.find((segment) => segment.first > expectedIndex) ?? newest;
  return {
    ...chain,
    broken: (lastGoodIndex) => ({
      code: 'log-gap',
      file: join(folder, found.name),
      expectedIndex,
      foundIndex: found.first,
      lastGoodIndex,
    }),
  };
}

function whole(
  closed: readonly ClosedSegment[],
  open: readonly OpenSegment[],
  firstIndex: number,
  unused: readonly ClosedSegment[],
): LogPlan {
  return { closed, open, firstIndex, unused: unused.map(({ name }) => name), broken: undefined };
}

/** Two segments with the same entries, unless both lie behind the snapshot: a crash during truncation leaves them. */
function findOverlap(
  closed: readonly ClosedSegment[],
  snapshotIndex: number,
): readonly [ClosedSegment, ClosedSegment] | undefined {
  let furthest = closed[0];
  for (const segment of closed.slice(1)) {
    if (furthest !== undefined && segment.first <= furthest.last) {
      if (Math.max(segment.last, furthest.last) > snapshotIndex) return [furthest, segment];
    }
    if (furthest === undefined || segment.last > furthest.last) furthest = segment;
  }
  return undefined;
}

/** The segments that lead from the snapshot to where the log breaks. */
function upToBreak(closed: readonly ClosedSegment[], next: number): Omit<LogPlan, 'broken'> {
  const start = closed.findIndex(({ first, last }) => first <= next && last >= next);
  const chain: ClosedSegment[] = [];
  for (const segment of start < 0 ? [] : closed.slice(start)) {
    if (segment.first !== (chain.at(-1)?.last ?? segment.first - 1) + 1) break;
    chain.push(segment);
  }
  return { closed: chain, open: [], firstIndex: chain[0]?.first ?? next, unused: [] };
}
