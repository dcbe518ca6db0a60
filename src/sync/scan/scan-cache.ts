// What a scan found out about commits, in one SQLite file that can be deleted at any time.
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

export interface ScanCache {
  /** Values by key; each kind is one row, read and written as a whole. */
  read(kind: string): Readonly<Record<string, unknown>>;
  write(kind: string, values: Readonly<Record<string, unknown>>): void;
  close(): void;
}

/** A cache that remembers nothing. */
export const noScanCache: ScanCache = { read: () => ({}), write: () => {}, close: () => {} };

/** Entries are only found by the same maker: the program's own hash and the rules'. */
export function openScanCache(folder: string, maker: string): ScanCache {
  const path = join(folder, 'scan.sqlite');
  const fresh = !existsSync(path);
  const database = new Database(path);
  if (fresh) chmodSync(path, 0o600);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = OFF');
  database.exec(
    'CREATE TABLE IF NOT EXISTS scans (maker TEXT, kind TEXT, value TEXT, PRIMARY KEY (maker, kind))',
  );
  database.prepare('DELETE FROM scans WHERE maker <> ?').run(maker);
  const select = database.prepare('SELECT value FROM scans WHERE maker = ? AND kind = ?').pluck();
  const insert = database.prepare('INSERT OR REPLACE INTO scans VALUES (?, ?, ?)');
  return {
    read(kind) {
      const found = select.get(maker, kind);
      return typeof found === 'string' ? JSON.parse(found) : {};
    },
    write: (kind, values) => void insert.run(maker, kind, JSON.stringify(values)),
    close: () => void database.close(),
  };
}
