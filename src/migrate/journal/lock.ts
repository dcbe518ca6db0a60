// The locks: one lxd-to-incus works on a machine at a time, and one on a state folder.
import * as fs from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import * as z from 'zod';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { ensurePrivateFolder } from '../../core/durable.ts';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { parseJson } from '../../core/parse.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { migrateFailure } from '../problem.ts';
import { usualState } from '../usual-state.ts';
import { openPrivate } from './open-private.ts';

/** Longer than a process needs that only looks whether the lock is held. */
const lookedAtMs = 500;

/**
 * Exclusive transactions that the kernel lets go of when the process ends, however it ends. The one of the machine comes
 * first: two runs with folders of their own would take each other apart.
 * @throws {Failure<MigrateProblem>} already-running
 */
export function takeLock(host: Pick<Host, 'path'>, state: string): () => void {
  const machine = machineLock(host);
  const letGo = hold(machine, JSON.stringify({ process: String(process.pid), state }), () =>
    holderOfMachine(machine),
  );
  try {
    const release = hold(stateLock(state), String(process.pid), () => ({ process: holderOf(state), state }));
    return () => {
      release();
      letGo();
    };
  } catch (error) {
    letGo();
    throw error;
  }
}

interface LockPlace {
  readonly folder: string;
  /** Without its ending. */
  readonly name: string;
}

interface Holder {
  readonly process: string | undefined;
  readonly state: string | undefined;
}

function stateLock(folder: string): LockPlace {
  return { folder, name: 'lock' };
}

/** The same for every state folder; /run is empty after a restart, as are the processes. */
function machineLock(host: Pick<Host, 'path'>): LockPlace {
  return fs.statSync(host.path('/run'), { throwIfNoEntry: false })?.isDirectory() === true
    ? { folder: host.path('/run/lxd-to-incus'), name: 'lock' }
    : { folder: host.path(usualState), name: 'machine-lock' };
}

function hold(place: LockPlace, note: string, holder: () => Holder): () => void {
  const file = lockFile(place);
  return asFileFailure('take the lock', file, () => {
    // Nobody else can put a link into it.
    ensurePrivateFolder(place.folder);
    const db = openPrivate(file, lookedAtMs);
    try {
      db.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      db.close();
      if (systemErrorCode(error) === 'SQLITE_BUSY')
        throw migrateFailure({ code: 'already-running', ...holder() });
      throw error;
    }
    held.add(db);
    writeNote(place, note);
    return () => {
      held.delete(db);
      try {
        fs.unlinkSync(noteFile(place));
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
  const path = lockFile(stateLock(state));
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
  const text = readNote(stateLock(state));
  return /^\d{1,10}$/.test(text) ? text : undefined;
}

const machineNote = z.object({ process: z.string().regex(/^\d{1,10}$/), state: z.string() });

function holderOfMachine(place: LockPlace): Holder {
  const parsed = parseJson(machineNote, readNote(place));
  return 'why' in parsed ? { process: undefined, state: undefined } : parsed.value;
}

/** For the one who is refused; the lock itself is the kernel's, and a full /run must not keep LXD from coming back. */
function writeNote(place: LockPlace, note: string): void {
  try {
    fs.writeFileSync(noteFile(place), note, { mode: 0o600 });
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}

function readNote(place: LockPlace): string {
  try {
    return readRegularFile(noteFile(place), { limit: 16_384, links: 'refuse' }).toString('utf8');
  } catch {
    // It was just ending, or has not come so far.
    return '';
  }
}

function lockFile({ folder, name }: LockPlace): string {
  return join(folder, `${name}.db`);
}

function noteFile({ folder, name }: LockPlace): string {
  return join(folder, `${name}.pid`);
}
