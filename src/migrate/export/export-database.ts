// Writes the database of a directory as one plain SQLite file, after SQLite itself has found it whole.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { coreFailure } from '../../core/core-problem.ts';
import { renameDurable, writeFileDurable } from '../../core/durable.ts';
import { formatBytes, inert } from '../../core/text.ts';
import { describeNotice, dqliteFailure, readDatabase } from '../../dqlite/index.ts';

export interface ExportResult {
  readonly file: string;
  readonly bytes: number;
  /** Index and term of the last log entry that is in the file; 0 where there was no log to tell. */
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** What was left out or looked odd, for people. */
  readonly notices: string[];
  readonly summary: string;
}

/**
 * Reads `folder`, the one with the raft files, and writes `outFile`, which must not exist. Nothing is written when
 * anything fails.
 * @throws {Failure<DqliteProblem | CoreProblem>}
 */
export function exportDatabase(
  folder: string,
  outFile: string,
  options: { readonly salvage: boolean },
): ExportResult {
  const before = asFileFailure('write the file', outFile, () =>
    fs.lstatSync(outFile, { throwIfNoEntry: false }),
  );
  if (before !== undefined) throw coreFailure({ code: 'target-exists', path: outFile });
  const image = readDatabase(folder, options);
  const { lastIndex, lastTerm } = image;
  const notices = image.notices.map(describeNotice);

  const faults = integrityFaults(image.bytes);
  if (faults.length > 0) {
    if (!options.salvage) throw dqliteFailure({ code: 'integrity-check-failed', folder, lastIndex, faults });
    notices.push(`SQLite finds faults in the salvaged database: ${inert(faults.join('; '))}`);
  }

  writeNew(outFile, image.bytes);
  const fromDump = image.notices.some(({ code }) => code === 'from-dump');
  const { transactions, snapshot } = image.statistics;
  const from = snapshot === undefined ? '' : `the snapshot of entry ${snapshot.index} and `;
  return {
    file: outFile,
    bytes: image.bytes.length,
    lastIndex,
    lastTerm,
    notices,
    summary: `Wrote ${inert(outFile)}: ${formatBytes(image.bytes.length)}, ${fromDump ? 'the copy from the last clean stop' : `the state of log entry ${lastIndex}, from ${from}${transactions} transactions`}.`,
  };
}

/** What SQLite has to say about a database; empty for a sound one. */
function integrityFaults(image: Buffer): string[] {
  let db: Database.Database | undefined;
  try {
    db = new Database(image);
    const lines = db.prepare('PRAGMA integrity_check(10)').pluck().all() as string[];
    return lines.filter((line) => line !== 'ok');
  } catch (error) {
    if (error instanceof Database.SqliteError) return [error.message];
    throw error;
  } finally {
    db?.close();
  }
}

/** The file appears whole or not at all, and only its owner can read it: the database holds keys and passwords. */
function writeNew(outFile: string, bytes: Buffer): void {
  const part = join(dirname(outFile), `.${basename(outFile)}.part`);
  try {
    asFileFailure('write the file', outFile, () => {
      writeFileDurable(part, bytes, 0o600);
      renameDurable(part, outFile);
    });
  } finally {
    fs.rmSync(part, { force: true });
  }
}
