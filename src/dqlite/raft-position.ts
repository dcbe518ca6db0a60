// Says how far the log of a database directory goes, without reading more of it than that takes.
import { join } from 'node:path';
import { chooseSegments } from './choose-segments.ts';
import type { FolderListing } from './list-folder.ts';
import { dqliteFailure } from './problem.ts';
import { makeScratch, withSource } from './read-file.ts';
import { readSettled } from './read-settled.ts';
import { walkClosedSegment, walkOpenSegment } from './walk-segment.ts';

export interface RaftPosition {
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/**
 * The same position that `readDatabase` reports; equal positions mean that no entry came in between.
 * @throws {Failure<DqliteProblem>}
 */
export function raftPosition(folder: string): RaftPosition {
  return readSettled(folder, positionOnce, () => false);
}

function positionOnce(listing: FolderListing): RaftPosition {
  const { folder } = listing;
  if (listing.closed.length + listing.open.length + listing.snapshots.length === 0)
    throw dqliteFailure({ code: 'no-database', folder });
  const scratch = makeScratch();
  const snapshot = listing.snapshots.at(-1);
  const plan = chooseSegments(listing, snapshot?.index ?? 0);
  let lastIndex = snapshot?.index ?? 0;
  let lastTerm = snapshot?.term ?? 0;
  const note = (index: number, entry: { readonly term: number }): void => {
    if (index <= lastIndex) return;
    lastIndex = index;
    lastTerm = Math.max(lastTerm, entry.term);
  };
  for (const segment of plan.closed)
    if (segment.last > lastIndex)
      withSource(join(folder, segment.name), scratch, (source) =>
        walkClosedSegment(source, segment, note, true),
      );
  if (plan.broken !== undefined) throw dqliteFailure(plan.broken(lastIndex));
  let next = (plan.closed.at(-1)?.last ?? plan.firstIndex - 1) + 1;
  for (const segment of plan.open)
    next = withSource(join(folder, segment.name), scratch, (source) =>
      walkOpenSegment(source, segment, next, note),
    ).next;
  return { lastIndex, lastTerm };
}
