// Reads the database of an LXD or Incus from its files: the global one out of the raft directory, and local.db.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../../../core/failure.ts';
import { type CheckedSegments, type DatabaseImage, readDatabase } from '../../../dqlite/index.ts';
import { migrateFailure } from '../../problem.ts';
import { readLocalDatabase } from './read-local-database.ts';

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
  // A link that leads nowhere is there, and says so when it is read.
  return { global, local: fs.lstatSync(local, { throwIfNoEntry: false }) === undefined ? undefined : local };
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
    if (code === undefined) throw error;
    throw migrateFailure({ code: 'not-a-database', path: folder, why: `it cannot be read (${code})` }, error);
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
    return readLocalDatabase(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'EACCES' || unreadable === undefined) throw error;
    unreadable(path);
    return undefined;
  }
}
