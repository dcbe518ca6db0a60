// What the schema of a database says of itself: its number, its tables and their columns.
import type { Database } from 'better-sqlite3';

/** Whether the database has a table or view of that name. */
export function hasTable(db: Database, name: string): boolean {
  return (
    db.prepare("SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?").get(name) !==
    undefined
  );
}

/** The newest number in the table `schema`; 0 where there is none. */
export function globalSchema(db: Database): number {
  if (!hasTable(db, 'schema')) return 0;
  return (db.prepare('SELECT coalesce(max(version), 0) AS version FROM schema').get() as { version: number })
    .version;
}

/** Every table but SQLite's own, by name. */
export function tablesOf(db: Database): string[] {
  return db
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .pluck()
    .all() as string[];
}

export function columnsOf(db: Database, table: string): string[] {
  return db.prepare('SELECT name FROM pragma_table_info(?) ORDER BY cid').pluck().all(table) as string[];
}
