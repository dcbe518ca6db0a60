// What a scan found out about commits, in one SQLite file that can be deleted at any time.
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

export interface ScanCache {
  /** Values by key; of a key that was added twice the later one. */
  read(kind: string): Readonly<Record<string, unknown>>;
  /** Adds values to what is there: a night writes down what is new, not everything once more. */
  add(kind: string, values: ReadonlyMap<string, unknown>): void;
  close(): void;
}

/** A cache that remembers nothing. */
export const noScanCache: ScanCache = { read: () => ({}), add: () => {}, close: () => {} };

const busyMs = 20_000;
/** More parts of a kind than these are put together into one. */
const mostParts = 30;

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
      'CREATE TABLE IF NOT EXISTS parts (maker TEXT, kind TEXT, part INTEGER, value TEXT, PRIMARY KEY (maker, kind, part))',
    );
    database.prepare('DELETE FROM parts WHERE maker <> ?').run(maker);
    // All of it is read once: what is damaged shows here, and not in the middle of a scan.
    const rows = database
      .prepare<[string], { readonly kind: string; readonly value: string }>(
        'SELECT kind, value FROM parts WHERE maker = ? ORDER BY kind, part',
      )
      .all(maker);
    const kept = new Map<string, readonly string[]>();
    for (const { kind, value } of rows) kept.set(kind, [...(kept.get(kind) ?? []), value]);
    const append = database.prepare(
      'INSERT INTO parts SELECT :maker, :kind, coalesce(max(part), 0) + 1, :value FROM parts WHERE maker = :maker AND kind = :kind',
    );
    const remove = database.prepare('DELETE FROM parts WHERE maker = ? AND kind = ?');
    const read = (kind: string): Record<string, unknown> => {
      const [first = {}, ...later] = (kept.get(kind) ?? []).map(parse);
      return Object.assign(first, ...later);
    };
    const add = database.transaction((kind: string, values: ReadonlyMap<string, unknown>) => {
      const old = kept.get(kind) ?? [];
      if (old.length < mostParts) {
        append.run({ maker, kind, value: JSON.stringify(Object.fromEntries(values)) });
        return;
      }
      remove.run(maker, kind);
      append.run({ maker, kind, value: JSON.stringify({ ...read(kind), ...Object.fromEntries(values) }) });
    });
    return { read, add, close: () => void database.close() };
  } catch (error) {
    database.close();
    throw error;
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    // Half a value: what it said is found out again.
    return {};
  }
}
