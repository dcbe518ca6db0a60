// Reads a database directory of LXD (dqlite) or Incus (cowsql): its current state as one SQLite file.
import type { Failure } from '../core/failure.ts';
import { compareDump } from './compare-dump.ts';
import type { RaftConfiguration } from './configuration.ts';
import type { FolderListing } from './list-folder.ts';
import { readMetadata } from './metadata.ts';
import type { DqliteNotice } from './notice.ts';
import { makeImage } from './page-store.ts';
import { type DqliteProblem, dqliteFailure, inOneLine, isDqliteFailure } from './problem.ts';
import { readDump } from './read-dump.ts';
import { makeScratch } from './read-file.ts';
import { readLog } from './read-log.ts';
import { readSettled } from './read-settled.ts';
import { type CheckedSegments, type Reading, survive } from './reading.ts';
import { beginReplay, type ReplayCounts } from './replay.ts';
import { newerSnapshot, type SalvagedState, salvageState } from './salvage-state.ts';
import { readSnapshot } from './snapshot.ts';

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
const doubtful: ReadonlySet<DqliteNotice['code']> = new Set([
  'tail-dropped',
  'salvaged',
  'snapshot-lost',
  'damage-bypassed',
  'snapshot-unusable',
  'snapshot-meta-lost',
]);

function readOnce(listing: FolderListing, options: ReadOptions): DatabaseImage {
  const { folder, hasDump } = listing;
  if (listing.closed.length + listing.open.length + listing.snapshots.length > 0)
    return options.salvage === true ? readOrDump(listing, options) : readLogged(listing, options);
  if (options.salvage === true && hasDump) return imageOfDump(listing);
  throw dqliteFailure({ code: hasDump ? 'only-dump' : 'no-database', folder });
}

/** Where neither log nor snapshots give a database, the copy from the last clean stop is better than none. */
function readOrDump(listing: FolderListing, options: ReadOptions): DatabaseImage {
  try {
    return readLogged(listing, options);
  } catch (error) {
    const useless =
      isDqliteFailure(error) && ['nothing-to-salvage', 'database-incomplete'].includes(error.problem.code);
    if (!useless || !listing.hasDump) throw error;
    return imageOfDump(listing);
  }
}

function imageOfDump({ folder, notices }: FolderListing): DatabaseImage {
  const scratch = makeScratch();
  const { bytes, files } = readDump(folder, scratch);
  return {
    bytes,
    lastIndex: 0,
    lastTerm: 0,
    configuration: { servers: [] },
    notices: [...notices, { code: 'from-dump', files }],
    statistics: { ...beginReplay().counts, segments: 0, snapshot: undefined, bytesRead: scratch.bytesRead },
  };
}

function readLogged(
  listing: FolderListing,
  { salvage = false, checked = new Set() }: ReadOptions,
): DatabaseImage {
  const { folder } = listing;
  const notices: DqliteNotice[] = [...listing.notices];
  const scratch = makeScratch();
  const bypass = (failure: Failure<DqliteProblem>): unknown =>
    notices.push({ code: 'damage-bypassed', problem: inOneLine(failure) });
  const reading: Reading = { listing, scratch, notices, checked, onDamage: salvage ? bypass : undefined };

  survive(reading, () => readMetadata(listing, scratch, notices));
  const { state, snapshot, segments, bytes } = salvage ? salvageState(reading) : readState(reading);
  if (state.pending.length > 0) notices.push({ code: 'uncommitted-dropped', pages: state.pending.length });
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

/** The newest snapshot and the log behind it, or a failure. */
function readState(reading: Reading): SalvagedState {
  const { listing, scratch } = reading;
  const { folder } = listing;
  const snapshot = listing.snapshots.at(-1);
  const state =
    snapshot === undefined
      ? beginReplay()
      : beginReplay({ ...readSnapshot(folder, snapshot, scratch), ...snapshot });
  const segments = readLog(reading, state, snapshot?.index ?? 0);
  if (state.lastIndex === 0) throw dqliteFailure({ code: 'no-database', folder });
  const bytes = makeImage(state.pages);
  if (typeof bytes === 'string')
    throw dqliteFailure({ code: 'database-incomplete', folder, lastGoodIndex: state.lastIndex, why: bytes });
  const newer = newerSnapshot(listing, snapshot);
  if (newer > state.lastIndex)
    reading.notices.push({ code: 'snapshot-lost', index: newer, lastGoodIndex: state.lastIndex });
  return { state, snapshot, segments, bytes };
}
