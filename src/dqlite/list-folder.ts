// Lists a database directory and says what each file of it is.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../core/failure.ts';
import type { DqliteNotice } from './notice.ts';
import { dqliteFailure } from './problem.ts';

export interface ClosedSegment {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

export interface OpenSegment {
  readonly name: string;
  readonly counter: bigint;
}

export interface SnapshotName {
  readonly name: string;
  readonly term: number;
  readonly index: number;
  readonly timestamp: bigint;
}

export interface FolderListing {
  readonly folder: string;
  readonly metadata: readonly ('metadata1' | 'metadata2')[];
  /** By first and last index, ascending. */
  readonly closed: readonly ClosedSegment[];
  /** By counter, numerically: open-9 before open-10. */
  readonly open: readonly OpenSegment[];
  /** Complete ones only, oldest first: by term, then index, then timestamp. */
  readonly snapshots: readonly SnapshotName[];
  /** Data of snapshots whose .meta file is not there. */
  readonly withoutMeta: readonly SnapshotName[];
  /** Every snapshot of which there is any file. */
  readonly snapshotTraces: readonly { readonly term: number; readonly index: number }[];
  readonly hasDump: boolean;
  readonly notices: readonly DqliteNotice[];
  /** Names that decide what is read; equal in two listings if nothing came or went in between. */
  readonly signature: string;
  /** As the signature, with size and time of last change. */
  readonly stamp: string;
}

/** @throws {Failure<DqliteProblem>} folder-unreadable, legacy-format, segment-name */
export function listFolder(folder: string): FolderListing {
  const metadata: ('metadata1' | 'metadata2')[] = [];
  const closed: ClosedSegment[] = [];
  const open: OpenSegment[] = [];
  const halves = new Map<string, { data?: SnapshotName; meta?: true }>();
  const notices: DqliteNotice[] = [];
  const ignore = (file: string, why: string): unknown => notices.push({ code: 'file-ignored', file, why });
  let hasDump = false;

  for (const name of namesIn(folder)) {
    if (name === 'metadata1' || name === 'metadata2') {
      metadata.push(name);
      continue;
    }
    if (name === 'logs.db' || name === 'snapshots')
      throw dqliteFailure({ code: 'legacy-format', file: join(folder, name) });
    const segment = /^(\d{1,16})-(\d{1,16})$/.exec(name);
    if (segment !== null) closed.push(closedSegment(folder, name, segment[1] ?? '', segment[2] ?? ''));
    else if (/^open-\d{1,20}$/.test(name)) open.push({ name, counter: BigInt(name.slice(5)) });
    else if (/^snapshot-\d+-\d+-\d+(\.meta)?$/.test(name)) noteSnapshot(name, halves);
    else if (name === 'db.bin') hasDump = true;
    else if (name.startsWith('corrupt-')) notices.push({ code: 'set-aside', file: name });
    else if (name.startsWith('tmp-')) ignore(name, 'it was being written when the daemon ended');
    else if (!harmless.has(name)) ignore(name, 'it does not belong to the database');
  }

  closed.sort((a, b) => a.first - b.first || a.last - b.last);
  open.sort((a, b) => compare(a.counter, b.counter));
  const { snapshots, withoutMeta } = sortSnapshots(folder, halves, ignore);
  const names = [
    ...metadata,
    ...closed.map(({ name }) => name),
    ...open.map(({ name }) => name),
    ...snapshots.flatMap(({ name }) => [name, `${name}.meta`]),
  ];
  const stats = names.map((name) => statIn(folder, name));
  return {
    folder,
    metadata,
    closed,
    open,
    snapshots,
    withoutMeta,
    snapshotTraces: [...halves.keys()].map(traceOf).filter(({ index }) => Number.isSafeInteger(index)),
    hasDump,
    notices,
    signature: names.join('\n'),
    stamp: names
      .map((name, at) => `${name} ${stats[at]?.ino} ${stats[at]?.size} ${stats[at]?.mtimeMs}`)
      .join('\n'),
  };
}

/** Part of a healthy directory, and never read: dump's second half, lock of dqlite from 1.16.5 on, probes of I/O. */
const harmless = new Set(['db.bin-wal', 'dqlite-lock', '.probe', '.probe_fallocate']);

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch (error) {
    const errno = systemErrorCode(error);
    if (errno === undefined) throw error;
    throw dqliteFailure({ code: 'folder-unreadable', folder, errno }, error);
  }
}

function statIn(folder: string, name: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(join(folder, name), { throwIfNoEntry: false });
  } catch (error) {
    const errno = systemErrorCode(error);
    if (errno === undefined) throw error;
    throw dqliteFailure({ code: 'folder-unreadable', folder, errno }, error);
  }
}

/** The server reads up to 16 digits and needs no padding (canonical/raft src/uv_segment.c), so `12-34` is one too. */
function closedSegment(folder: string, name: string, first: string, last: string): ClosedSegment {
  const segment = { name, first: Number(first), last: Number(last) };
  const fault = (why: string) => dqliteFailure({ code: 'segment-name', file: join(folder, name), why });
  if (segment.first === 0) throw fault('entries are counted from 1');
  if (segment.last < segment.first) throw fault('its last entry is before its first');
  if (!Number.isSafeInteger(segment.last)) throw fault('its numbers are too large');
  return segment;
}

function noteSnapshot(name: string, halves: Map<string, { data?: SnapshotName; meta?: true }>): void {
  const isMeta = name.endsWith('.meta');
  const base = isMeta ? name.slice(0, -5) : name;
  const half = halves.get(base) ?? {};
  const [, term = '', index = '', timestamp = ''] = base.split('-');
  if (isMeta) half.meta = true;
  else half.data = { name, term: Number(term), index: Number(index), timestamp: BigInt(timestamp) };
  halves.set(base, half);
}

/** As the names of snapshots begin: `snapshot-TERM-INDEX-TIMESTAMP`. */
function traceOf(name: string): { term: number; index: number } {
  const [, term, index] = name.split('-').map(Number);
  return { term: term ?? 0, index: index ?? 0 };
}

/** An orphan half and an empty data file do not count; the server deletes them. */
function sortSnapshots(
  folder: string,
  halves: ReadonlyMap<string, { readonly data?: SnapshotName; readonly meta?: true }>,
  ignore: (file: string, why: string) => void,
): { snapshots: SnapshotName[]; withoutMeta: SnapshotName[] } {
  const complete: SnapshotName[] = [];
  const withoutMeta: SnapshotName[] = [];
  for (const [base, { data, meta }] of halves) {
    if (data === undefined) ignore(`${base}.meta`, 'the snapshot that it describes is not there');
    else if (!Number.isSafeInteger(data.index) || !Number.isSafeInteger(data.term))
      ignore(base, 'its numbers are too large');
    else if (statIn(folder, base)?.size === 0) ignore(base, 'this snapshot is empty');
    else if (meta === undefined) {
      ignore(base, 'the .meta file of this snapshot is not there');
      withoutMeta.push(data);
    } else complete.push(data);
  }
  const snapshots = complete.sort(
    (a, b) => a.term - b.term || a.index - b.index || compare(a.timestamp, b.timestamp),
  );
  return { snapshots, withoutMeta };
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
