// Opens a SQLite file that only saves time: one of another version or a damaged one is made anew, and what is not ours is refused.
import * as fs from 'node:fs';
import Database from 'better-sqlite3';
import { systemErrorCode } from '../../core/failure.ts';
import { kindOf } from '../../core/read-regular-file.ts';
import { inert } from '../../core/text.ts';
import { toolVersion } from '../../core/version.ts';
import { syncFailure } from '../problem.ts';

export interface CacheFormat {
  /** What every format of this file has in its header (PRAGMA application_id). */
  readonly applicationId: number;
  /** Raised with every change of the tables (PRAGMA user_version). */
  readonly number: number;
  readonly tables: string;
  /** Tables of the time before formats had numbers, where that left no application id. */
  readonly before?: readonly string[];
}

const busyMs = 20_000;
const ends = ['', '-wal', '-shm', '-journal'];

/**
 * @param use reads what has to be readable: damage that shows in it has the file made anew
 * @throws {Failure<SyncProblem>} cache-unusable
 */
export function openCacheDatabase<T>(
  path: string,
  format: CacheFormat,
  note: (text: string) => void,
  use: (database: Database.Database) => T,
): T {
  try {
    refuseOdd(path);
    const opened = openAt(path, format, use);
    if ('value' in opened) return opened.value;
    note(
      `The cache was written by ${inert(opened.writer)} and is made anew for fork-sync ${toolVersion}: ${inert(path)}\nTwo versions that take turns need a folder each: --cache DIR.`,
    );
  } catch (error) {
    if (!isDamage(error)) throw unusable(path, error);
    note(`The cache was damaged and is made anew: ${inert(path)}`);
  }
  try {
    for (const end of ends) fs.rmSync(path + end, { force: true });
    const opened = openAt(path, format, use);
    if ('value' in opened) return opened.value;
    throw syncFailure({ code: 'cache-unusable', path, why: `${opened.writer} works with it at this moment` });
  } catch (error) {
    throw unusable(path, error);
  }
}

function isDamage(error: unknown): boolean {
  const code = systemErrorCode(error) ?? '';
  return code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_ERROR';
}

/** SQLite waits for ever for whoever writes into a named pipe, and a device may do anything. */
function refuseOdd(path: string): void {
  for (const end of ends) {
    const stat = fs.statSync(path + end, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isFile())
      throw syncFailure({
        code: 'cache-unusable',
        path: path + end,
        why: `it is ${kindOf(stat)}, not a file`,
      });
  }
}

function unusable(path: string, error: unknown): unknown {
  if (!(error instanceof Database.SqliteError) && systemErrorCode(error) === undefined) return error;
  return syncFailure(
    { code: 'cache-unusable', path, why: error instanceof Error ? error.message : '' },
    error,
  );
}

type Opened<T> = { readonly value: T } | { readonly writer: string };

function openAt<T>(path: string, format: CacheFormat, use: (database: Database.Database) => T): Opened<T> {
  const fresh = !fs.existsSync(path);
  const database = new Database(path, { timeout: busyMs });
  try {
    if (fresh) fs.chmodSync(path, 0o600);
    const writer = otherWriter(database, path, format);
    if (writer !== undefined) {
      database.close();
      return { writer };
    }
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = OFF');
    database.transaction(() => prepare(database, format)).immediate();
    return { value: use(database) };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Who wrote it, if not this format; undefined for our own and for an empty one. */
function otherWriter(database: Database.Database, path: string, format: CacheFormat): string | undefined {
  const tables = database
    .prepare<[], string>("SELECT name FROM sqlite_master WHERE type = 'table'")
    .pluck()
    .all();
  if (tables.length === 0) return undefined;
  const id = database.pragma('application_id', { simple: true });
  const isOld = id === 0 && format.before?.every((name) => tables.includes(name)) === true;
  if (id !== format.applicationId && !isOld)
    throw syncFailure({ code: 'cache-unusable', path, why: 'it is a database of another program' });
  const number = database.pragma('user_version', { simple: true });
  if (number === format.number) return undefined;
  // Every format keeps this table, whatever else it changes.
  const named = tables.includes('about')
    ? database.prepare<[], unknown>('SELECT writer FROM about').pluck().get()
    : undefined;
  return `${typeof named === 'string' ? named : 'an unreleased fork-sync'} (format ${number})`;
}

function prepare(database: Database.Database, format: CacheFormat): void {
  database.pragma(`application_id = ${format.applicationId}`);
  database.pragma(`user_version = ${format.number}`);
  database.exec(`CREATE TABLE IF NOT EXISTS about (writer TEXT NOT NULL); ${format.tables}`);
  database.exec('DELETE FROM about');
  database.prepare('INSERT INTO about VALUES (?)').run(`fork-sync ${toolVersion}`);
}
