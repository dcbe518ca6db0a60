// The pools of a server as its database has them now, for somebody who can do without.
import Database from 'better-sqlite3';
import { Failure, systemErrorCode } from '../../../core/failure.ts';
import type { Host } from '../../../core/host.ts';
import type { PoolFacts } from '../../model/pool-facts.ts';
import { findDatabase, readDatabaseFiles } from './database-files.ts';
import { poolFacts } from './pool-facts.ts';

/** None where there is no database, or one that cannot be read. */
export function poolsNow(host: Host, dataDirectory: string): PoolFacts[] {
  const directory = host.path(dataDirectory);
  try {
    if (findDatabase(directory) === undefined) return [];
    const db = new Database(readDatabaseFiles(directory).image.bytes);
    try {
      return poolFacts(db);
    } finally {
      db.close();
    }
  } catch (error) {
    const isUnreadable =
      error instanceof Failure ||
      error instanceof Database.SqliteError ||
      systemErrorCode(error) !== undefined;
    if (!isUnreadable) throw error;
    return [];
  }
}
