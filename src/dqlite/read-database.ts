// Reads a database directory of LXD (dqlite) or Incus (cowsql): its current state as one SQLite file.
import { join } from 'node:path';
import type { Failure } from '../core/failure.ts';
import { chooseSegments } from './choose-segments.ts';
import { compareDump } from './compare-dump.ts';
import type { RaftConfiguration } from './configuration.ts';
import type { FolderListing, SnapshotName } from './list-folder.ts';
import { readMetadata } from './metadata.ts';
import type { DqliteNotice } from './notice.ts';
import { makeImage } from './page-store.ts';
import { type DqliteProblem, dqliteFailure, inOneLine, isDqliteFailure } from './problem.ts';
import { makeScratch, type Scratch, withSource } from './read-file.ts';
import { readSettled } from './read-settled.ts';
import { applyEntry, beginReplay, type ReplayCounts, type ReplayState } from './replay.ts';
import { readSnapshot } from './snapshot.ts';
import { type OnEntry, walkClosedSegment, walkOpenSegment } from './walk-segment.ts';

export interface DatabaseImage {
  /** A whole SQLite file in rollback mode. */
  readonly bytes: Buffer;
  /** Index of the last log entry that is in it. */
  readonly lastIndex: number;
  /** The highest term of what was read: terms may go down in a log. */
  readonly lastTerm: number;
  readonly configuration: RaftConfiguration;
  readonly notices: readonly DqliteNotice[];
  readonly statistics: ReadStatistics;
}

/** Counts of what was applied, that is, of what comes after the snapshot. */
export interface ReadStatistics extends Readonly<ReplayCounts> {
  readonly segments: number;
  readonly snapshot: { readonly term: number; readonly index: number } | undefined;
  readonly bytesRead: number;
}

export interface ReadOptions {
  /** Give the state up to the last good entry where a daemon would not start. */
  readonly salvage?: boolean;
  /** Of one caller that reads the same directory several times: closed segments are checked once each. */
  readonly checked?: CheckedSegments;
}

/** Closed segments behind the snapshot that were found whole: inode, size and time of last change of each. */
export type CheckedSegments = Set<string>;

/**
 * Reads and never writes; a daemon may be running.
 * @throws {Failure<DqliteProblem>}
 */
export function readDatabase(folder: string, options: ReadOptions = {}): DatabaseImage {
  return readSettled(
    folder,
    (listing) => readOnce(listing, options),
    ({ notices }) => notices.some(({ code }) => doubtful.has(code)),
  );
}

/** Seen while a daemon is writing, these may be nothing but a write that is under way. */
const doubtful: ReadonlySet<DqliteNotice['code']> = new Set(['tail-dropped', 'salvaged', 'damage-bypassed']);

interface Reading {
  readonly listing: FolderListing;
  readonly scratch: Scratch;
  readonly notices: DqliteNotice[];
  readonly checked: CheckedSegments;
  /** Undefined: the first damage ends the reading. */
  readonly onDamage: ((failure: Failure<DqliteProblem>) => void) | undefined;
}

function readOnce(
  listing: FolderListing,
  { salvage = false, checked = new Set() }: ReadOptions,
): DatabaseImage {
  const { folder } = listing;
  if (listing.closed.length + listing.open.length + listing.snapshots.length === 0)
    throw dqliteFailure({ code: 'no-database', folder });
  const notices: DqliteNotice[] = [...listing.notices];
  const scratch = makeScratch();
  const bypass = (failure: Failure<DqliteProblem>): unknown =>
    notices.push({ code: 'damage-bypassed', problem: inOneLine(failure) });
  const reading: Reading = { listing, scratch, notices, checked, onDamage: salvage ? bypass : undefined };

  survive(reading, () => readMetadata(listing, scratch, notices));
  const { state, snapshot } = readNewestSnapshot(reading);
  let segments = 0;
  try {
    segments = readLog(reading, state, snapshot?.index ?? 0);
  } catch (error) {
    if (!salvage || !isDqliteFailure(error)) throw error;
    notices.push({ code: 'salvaged', lastGoodIndex: state.lastIndex, problem: inOneLine(error) });
  }

  if (state.lastIndex === 0)
    throw dqliteFailure({ code: salvage ? 'nothing-to-salvage' : 'no-database', folder });
  if (state.pending.length > 0) notices.push({ code: 'uncommitted-dropped', pages: state.pending.length });
  const bytes = makeImage(state.pages);
  if (typeof bytes === 'string')
    throw dqliteFailure({ code: 'database-incomplete', folder, lastGoodIndex: state.lastIndex, why: bytes });
  if (state.pages.highest === 0) notices.push({ code: 'database-empty' });
  if (listing.hasDump) notices.push(...compareDump(folder, bytes, scratch));
  return {
    bytes,
    lastIndex: state.lastIndex,
    lastTerm: state.lastTerm,
    configuration: state.configuration ?? { servers: [] },
    notices,
    statistics: {
      ...state.counts,
      segments,
      snapshot: snapshot === undefined ? undefined : { term: snapshot.term, index: snapshot.index },
      bytesRead: scratch.bytesRead,
    },
  };
}

/** Runs a part of the reading that the rest can do without, where damage is survived at all. */
function survive<T>(reading: Reading, part: () => T): T | undefined {
  try {
    return part();
  } catch (error) {
    if (reading.onDamage === undefined || !isDqliteFailure(error)) throw error;
    reading.onDamage(error);
    return undefined;
  }
}

function readNewestSnapshot(reading: Reading): { state: ReplayState; snapshot: SnapshotName | undefined } {
  const { listing, scratch } = reading;
  for (const name of listing.snapshots.toReversed()) {
    const { term, index } = name;
    const snapshot = survive(reading, () => readSnapshot(listing.folder, name, scratch));
    if (snapshot !== undefined) return { state: beginReplay({ ...snapshot, index, term }), snapshot: name };
  }
  return { state: beginReplay(), snapshot: undefined };
}

/** Applies the log behind the snapshot; returns the number of segments that held entries. */
function readLog(reading: Reading, state: ReplayState, snapshotIndex: number): number {
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

  let next = (plan.closed.at(-1)?.last ?? plan.firstIndex - 1) + 1;
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
