// Small SQLite files of known content, as images of 4096-byte pages.
import Database from 'better-sqlite3';

/** A database with one row for each of the values. */
export function sampleImage(values: readonly string[], options: { readonly pageSize?: number } = {}): Buffer {
  const db = new Database(':memory:');
  try {
    db.pragma(`page_size = ${options.pageSize ?? 4096}`);
    db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, value TEXT)');
    const insert = db.prepare('INSERT INTO t (value) VALUES (?)');
    for (const value of values) insert.run(value);
    return db.serialize();
  } finally {
    db.close();
  }
}

/** The same database after a change by SQL. */
export function changed(image: Buffer, sql: string): Buffer {
  const db = new Database(image);
  try {
    db.exec(sql);
    return db.serialize();
  } finally {
    db.close();
  }
}

export function valuesOf(image: Buffer): string[] {
  const db = new Database(image);
  try {
    return db.prepare('SELECT value FROM t ORDER BY id').pluck().all() as string[];
  } finally {
    db.close();
  }
}

export function pageOf(image: Buffer, page: number, pageSize = 4096): Buffer {
  return image.subarray((page - 1) * pageSize, page * pageSize);
}
