// One run at a time: a lock of the kernel's, which ends with its process whatever happens to it.
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import * as z from 'zod';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { ensurePrivateFolder, writeFileDurable } from '../../core/durable.ts';
import { systemErrorCode } from '../../core/failure.ts';
import { kindOf } from '../../core/read-regular-file.ts';
import { formatNumber, writtenHere } from '../other-format.ts';
import { syncFailure } from '../problem.ts';
import { readGivenText } from '../read-given-text.ts';

const largestNote = 4096;

/** Who holds the lock; another format says nothing to this version, and the lock counts all the same. */
const noteSchema = z.object({
  format: z.literal(formatNumber),
  writtenBy: z.string(),
  pid: z.int().positive(),
  since: z.string(),
});

/**
 * @returns what gives the lock back
 * @throws {Failure<SyncProblem>} already-running, cache-unusable
 */
export function takeLock(folder: string): () => void {
  asFileFailure('make the cache folder', folder, () => ensurePrivateFolder(folder));
  const path = join(folder, 'nightly.lock');
  const note = join(folder, 'nightly.json');
  const database = lockFile(path, note);
  try {
    const text = JSON.stringify({ ...writtenHere, pid: process.pid, since: new Date().toISOString() });
    asFileFailure('write down who works here', note, () => writeFileDurable(note, text));
  } catch (error) {
    database.close();
    throw error;
  }
  return () => {
    fs.rmSync(note, { force: true });
    database.close();
  };
}

function lockFile(path: string, note: string): Database.Database {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isFile())
    throw syncFailure({ code: 'cache-unusable', path, why: `it is ${kindOf(stat)}, not a file` });
  try {
    return hold(path);
  } catch (error) {
    const code = systemErrorCode(error) ?? '';
    if (code.startsWith('SQLITE_BUSY'))
      throw syncFailure({ code: 'already-running', holder: readHolder(note), path }, error);
    // Nobody can hold a lock on what is no database, and nothing is in it.
    if (code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT')) {
      fs.rmSync(path);
      return hold(path);
    }
    if (code === '') throw error;
    throw syncFailure(
      { code: 'cache-unusable', path, why: error instanceof Error ? error.message : code },
      error,
    );
  }
}

function hold(path: string): Database.Database {
  const database = new Database(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Only for the message: the lock itself does not depend on it. */
function readHolder(note: string): z.infer<typeof noteSchema> | undefined {
  const read = readGivenText(note, largestNote, 'refuse');
  if ('why' in read) return undefined;
  try {
    return noteSchema.safeParse(JSON.parse(read.text)).data;
  } catch {
    // It was just being written.
    return undefined;
  }
}
