// One run at a time: a lock of the kernel's, which ends with its process whatever happens to it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ensurePrivateFolder } from '../../core/durable.ts';
import { syncFailure } from '../problem.ts';

/**
 * @returns what gives the lock back
 * @throws {Failure<SyncProblem>} already-running
 */
export function takeLock(folder: string): () => void {
  ensurePrivateFolder(folder);
  const path = join(folder, 'nightly.lock');
  const note = join(folder, 'nightly.json');
  const database = new Database(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_BUSY')) throw error;
    throw syncFailure({ code: 'already-running', ...readHolder(note), path });
  }
  writeFileSync(note, JSON.stringify({ pid: process.pid, since: new Date().toISOString() }), { mode: 0o600 });
  return () => {
    rmSync(note, { force: true });
    database.close();
  };
}

/** Only for the message: the lock itself does not depend on it. */
function readHolder(note: string): { readonly pid: number; readonly since: string } {
  try {
    const value: unknown = JSON.parse(readFileSync(note, 'utf8'));
    if (typeof value === 'object' && value !== null && 'pid' in value && 'since' in value)
      return { pid: Number(value.pid), since: String(value.since) };
  } catch {
    // It was just being written or taken away.
  }
  return { pid: 0, since: 'a moment ago' };
}
