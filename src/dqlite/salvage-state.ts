// The best state that a damaged directory still gives: of each snapshot, and of none, with the log behind it.
import { join } from 'node:path';
import { Failure } from '../core/failure.ts';
import type { FolderListing, SnapshotName } from './list-folder.ts';
import type { DqliteNotice } from './notice.ts';
import { makeImage } from './page-store.ts';
import { type DqliteProblem, dqliteFailure, inOneLine, isDqliteFailure } from './problem.ts';
import { withSource } from './read-file.ts';
import { readLog } from './read-log.ts';
import type { Reading } from './reading.ts';
import { beginReplay, type ReplayState } from './replay.ts';
import { readSnapshot, readSnapshotPages } from './snapshot.ts';
import { walkOpenSegment } from './walk-segment.ts';

export interface SalvagedState {
  readonly state: ReplayState;
  readonly snapshot: SnapshotName | undefined;
  /** How many segments held entries. */
  readonly segments: number;
  /** Made of the state, whose pages must not be used any more. */
  readonly bytes: Buffer;
}

interface Candidate extends SalvagedState {
  readonly notices: readonly DqliteNotice[];
  /** Why the log ended where it did; undefined where it was read to its end. */
  readonly problem: Failure<DqliteProblem> | undefined;
  /** What is wrong with the .meta of the snapshot, whose pages were taken all the same. */
  readonly metaFault: string | undefined;
}

/** Daemons keep two snapshots; a folder with many more was not made by one. */
const mostSnapshots = 4;

/** Index of the furthest snapshot that the folder has any file of and that is newer than `used`; 0 where there is none. */
export function newerSnapshot({ snapshotTraces }: FolderListing, used: SnapshotName | undefined): number {
  const newer = snapshotTraces.filter(
    ({ term, index }) => used === undefined || term > used.term || (term === used.term && index > used.index),
  );
  return newer.reduce((furthest, { index }) => Math.max(furthest, index), 0);
}

/**
 * Adds notices that say which state it is and what is lost.
 * @throws {Failure<DqliteProblem>} nothing-to-salvage, database-incomplete
 */
export function salvageState(reading: Reading): SalvagedState {
  const { listing, notices } = reading;
  const { folder } = listing;
  const damaged: { readonly name: SnapshotName; readonly failure: Failure<DqliteProblem> }[] = [];
  let best: Candidate | undefined;
  let incomplete: Failure<DqliteProblem> | undefined;
  for (const name of candidates(listing)) {
    const snapshot = openSnapshot(reading, name);
    if (snapshot.failure !== undefined && name !== undefined)
      damaged.push({ name, failure: snapshot.failure });
    if (snapshot.start === undefined) continue;
    const candidate = follow(reading, name, snapshot.start, snapshot.metaFault);
    if (candidate instanceof Failure) incomplete ??= candidate;
    else if (best === undefined || isBetter(candidate, best)) best = candidate;
    if (best !== undefined && best.problem === undefined && best.metaFault === undefined) break;
  }
  if (best === undefined) throw incomplete ?? dqliteFailure({ code: 'nothing-to-salvage', folder });

  const { lastIndex } = best.state;
  const index = best.snapshot?.index ?? 0;
  for (const { name, failure } of damaged) {
    if (name === best.snapshot) continue;
    const problem = inOneLine(failure);
    notices.push(
      best.problem === undefined || name.index <= index
        ? { code: 'damage-bypassed', problem }
        : { code: 'snapshot-unusable', index: name.index, problem },
    );
  }
  notices.push(...best.notices);
  if (best.metaFault !== undefined)
    notices.push({ code: 'snapshot-meta-lost', file: best.snapshot?.name ?? '', why: best.metaFault });
  if (best.problem !== undefined)
    notices.push({
      code: 'salvaged',
      lastGoodIndex: lastIndex,
      lostTo: Math.max(lastIndex, lastKnownEntry(reading)),
      problem: inOneLine(best.problem),
      olderDump: listing.hasDump,
    });
  return best;
}

/** Newest first; without any snapshot last. */
function candidates({ snapshots, withoutMeta }: FolderListing): (SnapshotName | undefined)[] {
  const names = [...snapshots, ...withoutMeta].sort((a, b) => b.term - a.term || b.index - a.index);
  return [...names.slice(0, mostSnapshots), undefined];
}

interface Opened {
  /** undefined: it cannot be used. */
  readonly start: ReplayState | undefined;
  readonly metaFault: string | undefined;
  readonly failure: Failure<DqliteProblem> | undefined;
}

/** A snapshot whose .meta is lost or damaged still has all pages: only the members of the cluster are not known. */
function openSnapshot(reading: Reading, name: SnapshotName | undefined): Opened {
  if (name === undefined) return { start: beginReplay(), metaFault: undefined, failure: undefined };
  const { folder, withoutMeta } = reading.listing;
  const { index, term } = name;
  const whole = withoutMeta.includes(name)
    ? undefined
    : attempt(() => readSnapshot(folder, name, reading.scratch));
  if (whole !== undefined && !(whole instanceof Failure))
    return { start: beginReplay({ ...whole, index, term }), metaFault: undefined, failure: undefined };
  // Where the pages themselves are damaged, another look costs as much again and finds the same.
  if (whole !== undefined && !isOfMeta(whole))
    return { start: undefined, metaFault: undefined, failure: whole };
  const pages = attempt(() => readSnapshotPages(folder, name, reading.scratch));
  if (pages instanceof Failure) return { start: undefined, metaFault: undefined, failure: whole ?? pages };
  return {
    start: beginReplay({ ...pages, configuration: undefined, index, term }),
    metaFault: whole === undefined ? 'it is not there' : inOneLine(whole),
    failure: whole,
  };
}

function isOfMeta({ problem }: Failure<DqliteProblem>): boolean {
  return 'file' in problem && problem.file.endsWith('.meta');
}

function attempt<T>(use: () => T): T | Failure<DqliteProblem> {
  try {
    return use();
  } catch (error) {
    if (isDqliteFailure(error)) return error;
    throw error;
  }
}

/** Goes on from a snapshot as far as the log is good. */
function follow(
  reading: Reading,
  snapshot: SnapshotName | undefined,
  state: ReplayState,
  metaFault: string | undefined,
): Candidate | Failure<DqliteProblem> {
  const { listing } = reading;
  const { folder } = listing;
  const notices: DqliteNotice[] = [];
  const onDamage = (failure: Failure<DqliteProblem>): unknown =>
    notices.push({ code: 'damage-bypassed', problem: inOneLine(failure) });
  let segments = 0;
  let problem: Failure<DqliteProblem> | undefined;
  try {
    segments = readLog({ ...reading, notices, onDamage }, state, snapshot?.index ?? 0);
    const newer = newerSnapshot(listing, snapshot);
    if (newer > state.lastIndex)
      problem = dqliteFailure({
        code: 'log-behind-snapshot',
        file: folder,
        snapshotIndex: newer,
        lastGoodIndex: state.lastIndex,
      });
  } catch (error) {
    if (!isDqliteFailure(error)) throw error;
    problem = error;
  }
  if (state.lastIndex === 0) return dqliteFailure({ code: 'nothing-to-salvage', folder });
  const bytes = makeImage(state.pages);
  if (typeof bytes === 'string')
    return dqliteFailure({ code: 'database-incomplete', folder, lastGoodIndex: state.lastIndex, why: bytes });
  return { state, snapshot, segments, bytes, notices, problem, metaFault };
}

function isBetter(one: Candidate, other: Candidate): boolean {
  return (
    one.state.lastIndex > other.state.lastIndex ||
    (one.state.lastIndex === other.state.lastIndex &&
      one.metaFault === undefined &&
      other.metaFault !== undefined)
  );
}

/** The highest index of which the folder knows: by the names of its files, and by what its open segments hold. */
function lastKnownEntry({ listing, scratch }: Reading): number {
  const { folder, closed, open, snapshots } = listing;
  const lastClosed = closed.reduce((furthest, { last }) => Math.max(furthest, last), 0);
  let next = (lastClosed === 0 ? (snapshots.at(-1)?.index ?? 0) : lastClosed) + 1;
  for (const segment of open) {
    try {
      withSource(join(folder, segment.name), scratch, (source) =>
        walkOpenSegment(source, segment, next, (index) => {
          next = index + 1;
        }),
      );
    } catch (error) {
      // What follows a fault cannot be counted.
      if (!isDqliteFailure(error)) throw error;
    }
  }
  return Math.max(newerSnapshot(listing, undefined), next - 1);
}
