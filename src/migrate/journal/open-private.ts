// Opens a database of the tool's own, made where it is missing, that nobody else may ever read.
import Database from 'better-sqlite3';

/** SQLite makes the file with the process's mask. @param waitMs how long another process may hold it */
export function openPrivate(path: string, waitMs: number): Database.Database {
  const before = process.umask(0o077);
  try {
    return new Database(path, { timeout: waitMs });
  } finally {
    process.umask(before);
  }
}
