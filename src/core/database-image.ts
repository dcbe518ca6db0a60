// A whole SQLite file of an open database, also where that is empty or damaged.
import type { Database } from 'better-sqlite3';

/** @returns undefined where SQLite gives no image of it, as of one whose first page says what cannot be */
export function databaseImage(db: Database): Buffer | undefined {
  // One that was made and not written to; SQLite has no image of it.
  if (db.pragma('page_count', { simple: true }) === 0) return Buffer.alloc(0);
  try {
    return db.serialize();
  } catch (error) {
    // All that better-sqlite3 says where SQLite gives none.
    if (!(error instanceof Error) || error.message !== 'Out of memory') throw error;
    return undefined;
  }
}
