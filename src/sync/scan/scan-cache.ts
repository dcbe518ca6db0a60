// What a scan found out about commits, in one SQLite file that can be deleted at any time.
import { chmodSync, rmSync } from 'node:fs';
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

const busyMs = 20_000;

/** Entries are only found by the same maker: the program's own hash and the rules'. A damaged file is made anew. */
export function openScanCache(folder: string, maker: string): ScanCache {
  const path = join(folder, 'scan.sqlite');
  try {
    return openAt(path, maker);
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    return openAt(path, maker);
  }
}

function openAt(path: string, maker: string): ScanCache {
  const database = new Database(path, { timeout: busyMs });
  try {
    chmodSync(path, 0o600);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = OFF');
    database.exec(
      'CREATE TABLE IF NOT EXISTS scans (maker TEXT, kind TEXT, value TEXT, PRIMARY KEY (maker, kind))',
    );
    database.prepare('DELETE FROM scans WHERE maker <> ?').run(maker);
    // All of it is read once: what is damaged shows here, and not in the middle of a scan.
    const rows = database
      .prepare<[string], { readonly kind: string; readonly value: string }>(
        'SELECT kind, value FROM scans WHERE maker = ?',
      )
      .all(maker);
    const kept = new Map(rows.map(({ kind, value }) => [kind, value]));
    const insert = database.prepare('INSERT OR REPLACE INTO scans VALUES (?, ?, ?)');
    return {
      read: (kind) => parse(kept.get(kind)),
      write: (kind, values) => void insert.run(maker, kind, JSON.stringify(values)),
      close: () => void database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function parse(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch {
    // Half a value: what it said is found out again.
    return {};
  }
}
