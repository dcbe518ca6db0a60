// The lock of the tool's own folder: one lxd-to-incus works on a host at a time.
import * as fs from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { ensurePrivateFolder } from '../../core/durable.ts';
import { systemErrorCode } from '../../core/failure.ts';
import { migrateFailure } from '../problem.ts';
import { openPrivate } from './open-private.ts';

/** Longer than a process needs that only looks whether the lock is held. */
const lookedAtMs = 500;

/**
 * An exclusive transaction that the kernel lets go of when the process ends, however it ends.
 * @throws {Failure<MigrateProblem>} already-running
 */
export function takeLock(state: string): () => void {
  return asFileFailure('take the lock', lockFile(state), () => {
    ensurePrivateFolder(state);
    const holder = join(state, 'lock.pid');
    const db = openPrivate(lockFile(state), lookedAtMs);
    try {
      db.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      db.close();
      if (systemErrorCode(error) === 'SQLITE_BUSY')
        throw migrateFailure({ code: 'already-running', state, process: holderOf(state) });
      throw error;
    }
    held.add(db);
    // For the one who is refused; the lock itself is the kernel's.
    fs.writeFileSync(holder, String(process.pid), { mode: 0o600 });
    return () => {
      held.delete(db);
      try {
        fs.unlinkSync(holder);
      } catch {
        // A disk that takes no change any more: the number of a process that is gone does no harm.
      }
      db.close();
    };
  });
}

/** A connection that nothing refers to is collected, and closed with its lock. */
const held = new Set<Database.Database>();

/** Whether a process is at work on the folder now, this one included; nothing is made or changed. */
export function isLocked(state: string): boolean {
  const path = lockFile(state);
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const db = openPrivate(path, 0);
  try {
    db.exec('SELECT 1 FROM sqlite_master');
    return false;
  } catch (error) {
    if (systemErrorCode(error) === 'SQLITE_BUSY') return true;
    // A lock that cannot be read is nobody's: the one who takes it says what is wrong with it.
    if (systemErrorCode(error)?.startsWith('SQLITE_') === true) return false;
    throw error;
  } finally {
    db.close();
  }
}

/** The number of the process that holds the lock, as it noted it; undefined where it has not come so far. */
export function holderOf(state: string): string | undefined {
  try {
    const text = fs.readFileSync(join(state, 'lock.pid'), 'utf8');
    return /^\d{1,10}$/.test(text) ? text : undefined;
  } catch {
    // It was just ending, or has not come so far.
    return undefined;
  }
}

function lockFile(state: string): string {
  return join(state, 'lock.db');
}
