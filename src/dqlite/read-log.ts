// Applies the log of a directory to the pages of a snapshot, or to none.
import { join } from 'node:path';
import { chooseSegments } from './choose-segments.ts';
import type { DqliteNotice } from './notice.ts';
import { dqliteFailure } from './problem.ts';
import { withSource } from './read-file.ts';
import { type Reading, survive } from './reading.ts';
import { applyEntry, type ReplayState } from './replay.ts';
import { type OnEntry, walkClosedSegment, walkOpenSegment } from './walk-segment.ts';

/** Applies the log behind the snapshot; returns the number of segments that held entries. */
export function readLog(reading: Reading, state: ReplayState, snapshotIndex: number): number {
  const { listing, scratch, notices } = reading;
  const { folder } = listing;
  const plan = chooseSegments(listing, snapshotIndex);
  if (plan.unused.length > 0) notices.push({ code: 'segments-unused', files: plan.unused });
  let segments = 0;

  for (const segment of plan.closed) {
    const file = join(folder, segment.name);
    const walk = () =>
      withSource(file, scratch, (source) => {
        // What lies behind the snapshot is checked, as a daemon checks it, but the result does not depend on it.
        const behind = segment.last <= snapshotIndex;
        if (behind && reading.checked.has(source.version)) return;
        walkClosedSegment(source, segment, applyTo(state, source.file));
        if (behind) reading.checked.add(source.version);
      });
    if (segment.last <= snapshotIndex) survive(reading, walk);
    else walk();
    segments += 1;
  }
  if (plan.broken !== undefined) throw dqliteFailure(plan.broken(state.lastIndex));

  // Open segments do not say where they begin: behind the closed ones, or else behind the snapshot that a daemon would
  // have begun with, also where that one is damaged and another is in use.
  let next = (plan.closed.at(-1)?.last ?? listing.snapshots.at(-1)?.index ?? 0) + 1;
  let dropped: Extract<DqliteNotice, { code: 'tail-dropped' }> | undefined;
  for (const segment of plan.open) {
    const walk = withSource(join(folder, segment.name), scratch, (source) =>
      walkOpenSegment(source, segment, next, (index, entry, payload, offset) => {
        // A daemon goes on here, on top of entries that are missing (tried with Incus 6.0.4): pages of two states.
        if (dropped !== undefined)
          throw dqliteFailure({
            code: 'segment-damaged',
            file: join(folder, dropped.file),
            offset: dropped.offset,
            lastGoodIndex: dropped.lastGoodIndex,
            why: `${dropped.why}, and ${segment.name} behind it holds entries`,
          });
        if (index > state.lastIndex + 1)
          throw dqliteFailure({
            code: 'log-gap',
            file: source.file,
            expectedIndex: state.lastIndex + 1,
            foundIndex: index,
            lastGoodIndex: state.lastIndex,
          });
        applyTo(state, source.file)(index, entry, payload, offset);
      }),
    );
    if (walk.next > next) segments += 1;
    if (walk.dropped !== undefined) {
      dropped ??= walk.dropped;
      notices.push(walk.dropped);
    }
    next = walk.next;
  }
  if (plan.closed.length + plan.open.length > 0 && next - 1 < snapshotIndex)
    throw dqliteFailure({
      code: 'log-behind-snapshot',
      file: folder,
      snapshotIndex,
      lastGoodIndex: next - 1,
    });
  return segments;
}

function applyTo(state: ReplayState, file: string): OnEntry {
  return (index, entry, payload, offset) => {
    if (index <= state.lastIndex || payload === undefined) return;
    const why = applyEntry(state, entry, payload);
    if (why !== undefined)
      throw dqliteFailure({
        code: 'entry-malformed',
        file,
        offset,
        index,
        lastGoodIndex: state.lastIndex,
        why,
      });
  };
}
