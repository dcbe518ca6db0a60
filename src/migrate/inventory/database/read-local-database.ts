// Reads local.db, the database of one member, and hands on only what is one: a whole SQLite file of the shape that both
// daemons give it. What comes after may take its tables, columns and types for granted.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';
import { databaseImage } from '../../../core/database-image.ts';
import { Failure, systemErrorCode } from '../../../core/failure.ts';
import { readRegularFile } from '../../../core/read-regular-file.ts';
import { migrateFailure } from '../../problem.ts';
import { whyNotLocal } from './why-not-local.ts';

/** Real ones have some hundred kilobytes. */
const limit = 64 * 1024 * 1024;

const endings = ['-journal', '-wal'] as const;

/**
 * A daemon may be writing it: a rollback journal beside it means that the file alone is half of a change, so both are
 * copied and SQLite puts them right in the copy.
 * @throws {Failure<MigrateProblem>} local-database
 * @throws {Failure<CoreProblem>} not-a-regular-file, file-too-large
 * @throws EACCES
 */
export function readLocalDatabase(path: string): Buffer {
  const image = readUnchanged(path);
  const why = whyNotLocal(image);
  if (why !== undefined) throw migrateFailure({ code: 'local-database', path, why });
  return image;
}

function readUnchanged(path: string): Buffer {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const before = fs.lstatSync(path);
    const parts = readParts(path);
    if (parts === undefined) continue;
    const [file, journals] = parts;
    const image = journals.size === 0 && !keepsWriteAheadLog(file) ? file : recovered(path, file, journals);
    const after = fs.lstatSync(path);
    if (before.mtimeMs === after.mtimeMs && before.size === after.size && before.ino === after.ino)
      return image;
  }
  throw migrateFailure({
    code: 'local-database',
    path,
    why: 'a daemon kept changing it while it was read; try again',
  });
}

type Journals = ReadonlyMap<(typeof endings)[number], Buffer>;

/** undefined: a journal went away between, as it does when a change is done. */
function readParts(path: string): [Buffer, Journals] | undefined {
  const there = endings.filter(
    (ending) => fs.lstatSync(path + ending, { throwIfNoEntry: false }) !== undefined,
  );
  const journals = new Map<(typeof endings)[number], Buffer>();
  try {
    for (const ending of there) {
      const bytes = readRegularFile(path + ending, { limit, links: 'refuse' });
      if (bytes.length > 0) journals.set(ending, bytes);
    }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  return [readRegularFile(path, { limit, links: 'refuse' }), journals];
}

/** The file format number of SQLite that asks for a write-ahead log; a database in memory cannot have one. */
function keepsWriteAheadLog(file: Buffer): boolean {
  return file[18] === 2 || file[19] === 2;
}

/** Ends the journal of a change over several databases; SQLite would read, and delete, the file that it names. */
const severalDatabases = Buffer.from([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);

function recovered(path: string, file: Buffer, journals: Journals): Buffer {
  if (journals.get('-journal')?.subarray(-severalDatabases.length).equals(severalDatabases) === true)
    throw migrateFailure({
      code: 'local-database',
      path: `${path}-journal`,
      why: 'it belongs to a change of several databases at once, and neither daemon makes such a change',
    });
  const folder = fs.mkdtempSync(join(tmpdir(), 'lxd-to-incus-'));
  try {
    const copy = join(folder, basename(path));
    const write = (name: string, content: Buffer): void => fs.writeFileSync(name, content, { mode: 0o600 });
    write(copy, file);
    for (const [ending, content] of journals) write(copy + ending, content);
    const db = new Database(copy);
    try {
      db.pragma('journal_mode = DELETE');
      const image = databaseImage(db);
      if (image === undefined)
        throw migrateFailure({
          code: 'local-database',
          path,
          why: 'it is damaged: SQLite gives no image of it',
        });
      return image;
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof Failure || !isOfSqlite(error)) throw error;
    throw migrateFailure({ code: 'local-database', path, why: `SQLite says: ${error.message}` }, error);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

export function isOfSqlite(error: unknown): error is Error {
  return error instanceof Error && (systemErrorCode(error)?.startsWith('SQLITE_') ?? false);
}
