// What a reader saw and went on: nothing of it makes the database wrong, but somebody should know.
import { unreachable } from '../core/failure.ts';
import { formatBytes, inert } from '../core/text.ts';

export type DqliteNotice =
  /** A daemon would start and drop this as well: the write that was under way when the last one was killed. */
  | {
      readonly code: 'tail-dropped';
      readonly file: string;
      readonly offset: number;
      readonly bytes: number;
      readonly lastGoodIndex: number;
      readonly why: string;
    }
  /** Frames of a transaction that was never committed (dqlite before 1.6). */
  | { readonly code: 'uncommitted-dropped'; readonly pages: number }
  /** Older than the snapshot and not connected with the rest of the log. */
  | { readonly code: 'segments-unused'; readonly files: readonly string[] }
  /** A daemon has set a damaged segment aside: transactions may be missing. */
  | { readonly code: 'set-aside'; readonly file: string }
  | { readonly code: 'file-ignored'; readonly file: string; readonly why: string }
  /** A part of a newer snapshot is there, and the log does not lead as far. */
  | { readonly code: 'snapshot-lost'; readonly index: number; readonly lastGoodIndex: number }
  | { readonly code: 'metadata-missing' }
  | { readonly code: 'metadata-short'; readonly file: string }
  /** db.bin and db.bin-wal, written by the daemon for people, are not the database. */
  | { readonly code: 'dump-differs'; readonly why: string }
  | { readonly code: 'database-empty' }
  /** Only with salvage: reading ended here. */
  | {
      readonly code: 'salvaged';
      readonly lastGoodIndex: number;
      /** The last entry of which the folder knows. */
      readonly lostTo: number;
      readonly problem: string;
      /** Whether there is db.bin as well, which may be older or newer. */
      readonly olderDump: boolean;
    }
  /** Only with salvage: the state could not be had from the newest snapshot. */
  | { readonly code: 'snapshot-unusable'; readonly index: number; readonly problem: string }
  /** Only with salvage. */
  | { readonly code: 'snapshot-meta-lost'; readonly file: string; readonly why: string }
  /** Only with salvage: there was nothing else. */
  | { readonly code: 'from-dump'; readonly files: readonly string[] }
  /** Only with salvage: damage that does not touch the result. */
  | { readonly code: 'damage-bypassed'; readonly problem: string };

/** A notice for people. */
export function describeNotice(notice: DqliteNotice): string {
  return inert(text(notice));
}

function lost({ lastGoodIndex, lostTo }: Extract<DqliteNotice, { code: 'salvaged' }>): string {
  if (lostTo <= lastGoodIndex) return 'whatever came after it is lost';
  return lostTo === lastGoodIndex + 1
    ? `entry ${lostTo} is lost, with whatever came after it`
    : `entries ${lastGoodIndex + 1} to ${lostTo} are lost, with whatever came after them`;
}

function text(notice: DqliteNotice): string {
  switch (notice.code) {
    case 'tail-dropped':
      return `${notice.file}: ${formatBytes(notice.bytes)} from byte ${notice.offset} on are no valid entries (${notice.why}) and were left out, as a daemon would do at its next start; the last good entry is ${notice.lastGoodIndex}.`;
    case 'uncommitted-dropped':
      return `${notice.pages} pages of a transaction that was never committed were left out.`;
    case 'segments-unused':
      return `Older than the snapshot and not needed: ${notice.files.join(', ')}.`;
    case 'set-aside':
      return `${notice.file} is a damaged segment that a daemon has set aside; transactions may be missing since then.`;
    case 'file-ignored':
      return `${notice.file} was ignored: ${notice.why}.`;
    case 'snapshot-lost':
      return `There was a snapshot of entry ${notice.index}, of which only a part is left, and the log ends at entry ${notice.lastGoodIndex}: a daemon would start with that, but what came after it is lost. --salvage takes the pages of the snapshot where they are there.`;
    case 'metadata-missing':
      return 'There is neither metadata1 nor metadata2; a daemon would take this directory for a new one and begin a new log in it.';
    case 'metadata-short':
      return `${notice.file} has less than 32 bytes and was ignored, as a daemon would do.`;
    case 'dump-differs':
      return `db.bin is not the current database (${notice.why}); it is only a copy from the last clean stop, and was not used.`;
    case 'database-empty':
      return 'No transaction was ever committed: the database is empty.';
    case 'salvaged':
      return `Salvaged up to entry ${notice.lastGoodIndex}; ${lost(notice)}. ${notice.problem}${
        notice.olderDump
          ? ' db.bin, the copy from the last clean stop, may be older or newer than this: put it alone into a folder, with db.bin-wal, to have it.'
          : ''
      }`;
    case 'snapshot-unusable':
      return `The snapshot of entry ${notice.index} could not be used: ${notice.problem}`;
    case 'snapshot-meta-lost':
      return `The pages of ${notice.file} were used without its .meta, which is damaged or missing (${notice.why}); which servers there are is known only where the log behind it says so.`;
    case 'from-dump':
      return `Made of ${notice.files.join(' and ')}, the copy that a daemon writes when it stops cleanly. Whatever was changed since that stop is not in it, and nothing says how much that is.`;
    case 'damage-bypassed':
      return `Damage that the result does not depend on: ${notice.problem}`;
    default:
      return unreachable(notice);
  }
}
