// Reads the database of an LXD or Incus from its files: the global one out of the raft directory, and local.db.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { systemErrorCode } from '../../core/failure.ts';
import { type CheckedSegments, type DatabaseImage, readDatabase } from '../../dqlite/index.ts';
import { migrateFailure } from '../problem.ts';

export interface DatabaseFiles {
  /** The folder of the raft files, or of db.bin where nothing else is left. */
  readonly global: string;
  /** undefined: there is no local.db beside it. */
  readonly local: string | undefined;
}

/**
 * Finds the raft folder: in a data directory (`DIR/database/global`), in a database directory (`DIR/global`), or DIR
 * itself. undefined where there is none.
 */
export function findDatabase(directory: string): DatabaseFiles | undefined {
  const global = [join(directory, 'database', 'global'), join(directory, 'global'), directory].find(
    holdsRaft,
  );
  if (global === undefined) return undefined;
  const local = join(dirname(global), 'local.db');
  return { global, local: fs.existsSync(local) ? local : undefined };
}

function holdsRaft(folder: string): boolean {
  try {
    return fs
      .readdirSync(folder)
      .some((name) => /^(metadata[12]|open-\d+|\d{16}-\d{16}|snapshot-.*|logs\.db|db\.bin)$/.test(name));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    if (code === 'EACCES' || code === 'EPERM')
      throw migrateFailure({ code: 'no-permission', path: folder }, error);
    throw error;
  }
}

export interface DatabaseContent {
  readonly files: DatabaseFiles;
  readonly image: DatabaseImage;
  readonly local: Buffer | undefined;
}

/** As findDatabase, for a directory that must hold one. @throws {Failure<MigrateProblem>} not-a-database, no-permission */
export function requireDatabase(directory: string): DatabaseFiles {
  const files = findDatabase(directory);
  if (files !== undefined) return files;
  const why = fs.existsSync(directory) ? 'there is no database/global in it' : 'the folder does not exist';
  throw migrateFailure({ code: 'not-a-database', path: directory, why });
}

export interface ReadOptions {
  readonly salvage?: boolean;
  /** As the reader of the raft files has it. */
  readonly checked?: CheckedSegments;
  /** Told of a local.db that this user may not read, which then counts as absent; without it, that is a failure. */
  readonly unreadable?: (path: string) => void;
}

/** @throws {Failure} not-a-database, no-permission, and the failures of the dqlite reader */
export function readDatabaseFiles(
  directory: string,
  { unreadable, ...options }: ReadOptions = {},
): DatabaseContent {
  const files = requireDatabase(directory);
  try {
    return {
      files,
      image: readDatabase(files.global, options),
      local: files.local === undefined ? undefined : readLocalIfAllowed(files.local, unreadable),
    };
  } catch (error) {
    if (systemErrorCode(error) === 'EACCES')
      throw migrateFailure(
        { code: 'no-permission', path: (error as NodeJS.ErrnoException).path ?? files.global },
        error,
      );
    throw error;
  }
}

function readLocalIfAllowed(path: string, unreadable: ReadOptions['unreadable']): Buffer | undefined {
  try {
    return readLocal(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'EACCES' || unreadable === undefined) throw error;
    unreadable(path);
    return undefined;
  }
}

/**
 * local.db as one SQLite file. A daemon may be writing it: a rollback journal beside it means that the file alone is
 * half of a change, so both are copied and SQLite puts them right in the copy.
 */
function readLocal(path: string): Buffer {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const before = fs.statSync(path);
    const journals = ['-journal', '-wal'].filter(
      (ending) => fs.existsSync(path + ending) && fs.statSync(path + ending).size > 0,
    );
    const image = journals.length === 0 ? fs.readFileSync(path) : recovered(path, journals);
    const after = fs.statSync(path);
    if (before.mtimeMs === after.mtimeMs && before.size === after.size && before.ino === after.ino)
      return image;
  }
  throw migrateFailure({
    code: 'not-a-database',
    path,
    why: 'a daemon kept changing it while it was read; try again',
  });
}

function recovered(path: string, journals: readonly string[]): Buffer {
  const folder = fs.mkdtempSync(join(tmpdir(), 'lxd-to-incus-'));
  try {
    const copy = join(folder, basename(path));
    for (const ending of ['', ...journals]) fs.copyFileSync(path + ending, copy + ending);
    const db = new Database(copy);
    try {
      return db.serialize();
    } finally {
      db.close();
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
