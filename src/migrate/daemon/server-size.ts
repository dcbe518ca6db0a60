// How large a server is, and the waits that grow with it: what is enough for a small one would end the move of a large one.
import Database from 'better-sqlite3';

export interface ServerSize {
  /** Of all tables of its database. */
  readonly rows: number;
  /** Seconds: the longest that the daemon waits after the start of an instance (boot.autostart.delay). */
  readonly longestStartDelay: number;
}

export const smallServer: ServerSize = { rows: 0, longestStartDelay: 0 };

/**
 * Some ten times what the slowest answer took that was seen: 20,000 snapshots of one container, each with usage
 * (240,000 rows), on a machine at a load of 20.
 */
const msPerRow = 10;

/** More than any instance takes to start that starts at all; the daemon starts one after the other. */
const msPerStart = 60_000;

/** @param image of a SQLite database, in whatever schema */
export function sizeOf(image: Buffer): ServerSize {
  const db = new Database(image);
  try {
    const tables = db
      .prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%'",
      )
      .pluck()
      .all() as string[];
    const count = (table: string): number =>
      Number(
        db
          .prepare(`SELECT count(*) FROM "${table.replaceAll('"', '""')}"`)
          .pluck()
          .get(),
      );
    return {
      rows: tables.reduce((sum, table) => sum + count(table), 0),
      longestStartDelay: longestStartDelay(db, tables),
    };
  } finally {
    db.close();
  }
}

function longestStartDelay(db: Database.Database, tables: readonly string[]): number {
  const delays = ['instances_config', 'profiles_config']
    .filter((table) => tables.includes(table))
    .flatMap((table) =>
      db.prepare(`SELECT value FROM ${table} WHERE key = 'boot.autostart.delay'`).pluck().all(),
    );
  // Whatever else a row may hold starts no wait.
  const seconds = delays.map(Number).filter(Number.isFinite);
  return seconds.reduce((longest, delay) => Math.max(longest, delay), 0);
}

/** Milliseconds: enough for a small server, and more for each row of the database. */
export function limitFor(forSmallServer: number, { rows }: ServerSize): number {
  return forSmallServer + rows * msPerRow;
}

/** Milliseconds until a daemon has started so many instances, one after the other. */
export function startLimitFor(forSmallServer: number, size: ServerSize, instances: number): number {
  return limitFor(forSmallServer, size) + instances * (msPerStart + size.longestStartDelay * 1000);
}
