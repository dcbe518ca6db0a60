// Everything that can be wrong with a database directory, and the text that says so.
import { basename } from 'node:path';
import { Failure, unreachable } from '../core/failure.ts';
import { formatBytes, inert } from '../core/text.ts';

export type DqliteProblem =
  | { readonly code: 'folder-unreadable'; readonly folder: string; readonly errno: string }
  | { readonly code: 'no-database'; readonly folder: string }
  | { readonly code: 'only-dump'; readonly folder: string }
  | { readonly code: 'dump-damaged'; readonly file: string; readonly why: string }
  | { readonly code: 'legacy-format'; readonly file: string }
  | { readonly code: 'folder-keeps-changing'; readonly folder: string; readonly attempts: number }
  | { readonly code: 'file-unreadable'; readonly file: string; readonly errno: string }
  | { readonly code: 'not-a-regular-file'; readonly file: string }
  | {
      readonly code: 'file-too-large';
      readonly file: string;
      readonly bytes: number;
      readonly limit: number;
    }
  | { readonly code: 'format-unsupported'; readonly file: string; readonly format: bigint }
  | { readonly code: 'metadata-damaged'; readonly file: string; readonly why: string }
  | { readonly code: 'segment-name'; readonly file: string; readonly why: string }
  | {
      readonly code: 'segment-damaged';
      readonly file: string;
      readonly offset: number;
      readonly lastGoodIndex: number;
      readonly why: string;
    }
  | {
      readonly code: 'entry-malformed';
      readonly file: string;
      readonly offset: number;
      readonly index: number;
      readonly lastGoodIndex: number;
      readonly why: string;
    }
  | {
      readonly code: 'segments-overlap';
      readonly file: string;
      readonly other: string;
      readonly lastGoodIndex: number;
    }
  | {
      readonly code: 'log-gap';
      readonly file: string;
      readonly expectedIndex: number;
      readonly foundIndex: number;
      readonly lastGoodIndex: number;
    }
  | {
      readonly code: 'log-behind-snapshot';
      readonly file: string;
      readonly snapshotIndex: number;
      readonly lastGoodIndex: number;
    }
  | {
      readonly code: 'snapshot-damaged';
      readonly file: string;
      readonly offset: number;
      readonly why: string;
    }
  | { readonly code: 'several-databases'; readonly file: string; readonly names: readonly string[] }
  | {
      readonly code: 'database-incomplete';
      readonly folder: string;
      readonly lastGoodIndex: number;
      readonly why: string;
    }
  | {
      readonly code: 'integrity-check-failed';
      readonly folder: string;
      readonly lastIndex: number;
      readonly faults: readonly string[];
    }
  | { readonly code: 'nothing-to-salvage'; readonly folder: string }
  | { readonly code: 'image-unsuitable'; readonly why: string }
  | { readonly code: 'unclean-stop'; readonly folder: string; readonly files: readonly string[] }
  | { readonly code: 'database-moved-on'; readonly folder: string };

/** Makes the failure of a problem; the only place where its text is written. */
export function dqliteFailure(problem: DqliteProblem, cause?: unknown): Failure<DqliteProblem> {
  const { what, where, next } = explain(problem);
  return new Failure(
    problem,
    {
      what: inert(what),
      ...(where === undefined ? {} : { where: inert(where) }),
      ...(next === undefined ? {} : { next }),
    },
    { cause },
  );
}

/** Whether an error is a failure of this area. */
export function isDqliteFailure(error: unknown): error is Failure<DqliteProblem> {
  return error instanceof Failure && Object.hasOwn(codes, error.problem.code);
}

/** A failure in one line, for a notice about damage that was survived. */
export function inOneLine({ explanation: { what, where } }: Failure): string {
  return where === undefined ? what : `${what} (${where})`;
}

/** As a record, so that the compiler misses none of them. */
const codes: Readonly<Record<DqliteProblem['code'], true>> = {
  'folder-unreadable': true,
  'no-database': true,
  'only-dump': true,
  'dump-damaged': true,
  'legacy-format': true,
  'folder-keeps-changing': true,
  'file-unreadable': true,
  'not-a-regular-file': true,
  'file-too-large': true,
  'format-unsupported': true,
  'metadata-damaged': true,
  'segment-name': true,
  'segment-damaged': true,
  'entry-malformed': true,
  'segments-overlap': true,
  'log-gap': true,
  'log-behind-snapshot': true,
  'snapshot-damaged': true,
  'several-databases': true,
  'database-incomplete': true,
  'integrity-check-failed': true,
  'nothing-to-salvage': true,
  'image-unsuitable': true,
  'unclean-stop': true,
  'database-moved-on': true,
};

const salvageHint =
  'Restore the file from a backup, or use --salvage for the state up to the last good entry; what follows it is lost.';

function explain(problem: DqliteProblem): { what: string; where?: string; next?: string } {
  switch (problem.code) {
    case 'folder-unreadable':
      return {
        what: `The database directory cannot be read: ${problem.errno}.`,
        where: problem.folder,
        next: 'Name the folder that holds metadata1 and the log, usually …/database/global, and run as root.',
      };
    case 'no-database':
      return {
        what: 'There is no database here: neither a log segment nor a snapshot.',
        where: problem.folder,
        next: 'Name the folder that holds metadata1 and the log, usually …/database/global.',
      };
    case 'only-dump':
      return {
        what: 'There is neither a log nor a snapshot here, only db.bin.',
        where: problem.folder,
        next: 'db.bin is a plain SQLite file: the copy that a daemon writes when it stops cleanly, with db.bin-wal beside it. It may be older than what was lost. export-db with --salvage writes both as one file; sqlite3 opens db.bin itself, without what is in db.bin-wal.',
      };
    case 'dump-damaged':
      return {
        what: `db.bin cannot be used: ${problem.why}.`,
        where: problem.file,
        next: 'Restore the directory from a backup.',
      };
    case 'legacy-format':
      return {
        what: 'This database is of an LXD before 4.0, whose format was another one.',
        where: problem.file,
        next: 'Upgrade LXD to 4.0 or newer first; it converts the database when it starts.',
      };
    case 'folder-keeps-changing':
      return {
        what: `The database directory changed during each of ${problem.attempts} attempts to read it.`,
        where: problem.folder,
        next: 'Stop the daemon that writes to it, or try again when it is less busy.',
      };
    case 'file-unreadable':
      return { what: `A file of the database cannot be read: ${problem.errno}.`, where: problem.file };
    case 'not-a-regular-file':
      return {
        what: 'A file of the database is a link, folder or device; only regular files are read.',
        where: problem.file,
        next: 'Put the real file in its place.',
      };
    case 'file-too-large':
      return {
        what: `A file of the database has ${formatBytes(problem.bytes)}; no daemon writes more than ${formatBytes(problem.limit)}.`,
        where: problem.file,
      };
    case 'format-unsupported':
      return {
        what: `A file of the database has format ${problem.format}; only format 1 can be read.`,
        where: problem.file,
        next:
          problem.format === 2n
            ? 'Format 2 was written only by an experimental build of dqlite 1.16.5 to 1.16.7.'
            : 'The file is damaged, or not of dqlite or cowsql; restore it from a backup.',
      };
    case 'metadata-damaged':
      return {
        what: `The metadata of the database is damaged: ${problem.why}.`,
        where: problem.file,
        next: salvageHint,
      };
    case 'segment-name':
      return {
        what: `The name of a log segment makes no sense: ${problem.why}.`,
        where: problem.file,
        next: 'If the file does not belong to the database, move it away.',
      };
    case 'segment-damaged':
      return {
        what: `A log segment is damaged: ${problem.why}.`,
        where: place(problem.file, problem.offset, problem.lastGoodIndex),
        next: salvageHint,
      };
    case 'entry-malformed':
      return {
        what: `Log entry ${problem.index} makes no sense: ${problem.why}.`,
        where: place(problem.file, problem.offset, problem.lastGoodIndex),
        next: salvageHint,
      };
    case 'segments-overlap':
      return {
        what: `Two log segments hold the same entries: ${basename(problem.other)} and ${basename(problem.file)}.`,
        where: place(problem.file, 0, problem.lastGoodIndex),
        next: 'A crash while a cluster member shortened its log leaves this; read another member, or use --salvage for the first of the two.',
      };
    case 'log-gap':
      return {
        what: `The log has a gap: entry ${problem.expectedIndex} is missing, the next one is ${problem.foundIndex}.`,
        where: place(problem.file, 0, problem.lastGoodIndex),
        next: salvageHint,
      };
    case 'log-behind-snapshot':
      return {
        what: `The log ends at entry ${problem.lastGoodIndex}, before the snapshot of entry ${problem.snapshotIndex}.`,
        where: problem.file,
        next: 'Segments are missing. Restore them from a backup, or use --salvage for the state of the snapshot.',
      };
    case 'snapshot-damaged':
      return {
        what: `A snapshot is damaged: ${problem.why}.`,
        where: `${problem.file}, byte ${problem.offset}`,
        next: 'Restore the file from a backup, or use --salvage for what can be had without it.',
      };
    case 'several-databases':
      return {
        what: `The directory holds several databases: ${problem.names.join(', ')}.`,
        where: problem.file,
        next: 'LXD and Incus have one only, db.bin; this directory is of another program.',
      };
    case 'database-incomplete':
      return {
        what: `The log was read to its end at entry ${problem.lastGoodIndex}, but gives no whole database: ${problem.why}.`,
        where: problem.folder,
        next: 'Restore the directory from a backup, or read another member of the cluster.',
      };
    case 'integrity-check-failed':
      return {
        what: `The log could be read to its end at entry ${problem.lastIndex}, but SQLite finds faults in the database: ${problem.faults.join('; ')}.`,
        where: problem.folder,
        next: 'Restore the directory from a backup; --salvage writes the database as it is.',
      };
    case 'nothing-to-salvage':
      return { what: 'There is no good entry and no good snapshot to salvage.', where: problem.folder };
    case 'image-unsuitable':
      return { what: `This database cannot be written for a daemon: ${problem.why}.` };
    case 'unclean-stop':
      return {
        what: `The daemon did not stop cleanly: ${problem.files.join(', ')} is still there.`,
        where: problem.folder,
        next: 'Start the daemon once and stop it cleanly.',
      };
    case 'database-moved-on':
      return {
        what: 'The database is not the one that the change was made for; nothing was written.',
        where: problem.folder,
        next: 'Read it again and make the change anew.',
      };
    default:
      return unreachable(problem);
  }
}

function place(file: string, offset: number, lastGoodIndex: number): string {
  return `${file}, byte ${offset}; the last good entry is ${lastGoodIndex}`;
}
