// Remembers results that are functions of their inputs, in one SQLite file that can be deleted at any time.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

export interface PickCache {
  get(kind: CacheKind, key: string): unknown;
  set(kind: CacheKind, key: string, value: unknown): void;
  close(): void;
}

export type CacheKind = 'pick' | 'lesson';

/** A cache that remembers nothing: what the engine uses when its own sources may change under it. */
export const noCache: PickCache = { get: () => undefined, set: () => {}, close: () => {} };

/** Entries are only ever found by the same engine and the same rules; older ones are dropped on opening. */
export function openPickCache(folder: string, engine: string, rules: string): PickCache {
  const path = join(folder, 'results.sqlite');
  const fresh = !existsSync(path);
  const database = new Database(path);
  if (fresh) chmodSync(path, 0o600);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = OFF');
  const maker = createHash('sha256').update(`${engine}\0${rules}`).digest('hex');
  database.exec(
    'CREATE TABLE IF NOT EXISTS results (maker TEXT, kind TEXT, key TEXT, value TEXT, PRIMARY KEY (maker, kind, key))',
  );
  database.prepare('DELETE FROM results WHERE maker <> ?').run(maker);
  const select = database
    .prepare('SELECT value FROM results WHERE maker = ? AND kind = ? AND key = ?')
    .pluck();
  const insert = database.prepare('INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)');
  let waiting: [CacheKind, string, string][] = [];
  const flush = database.transaction((entries: readonly [CacheKind, string, string][]) => {
    for (const [kind, key, value] of entries) insert.run(maker, kind, key, value);
  });
  return {
    get(kind, key) {
      const found = select.get(maker, kind, key);
      return typeof found === 'string' ? JSON.parse(found) : undefined;
    },
    set(kind, key, value) {
      waiting.push([kind, key, JSON.stringify(value)]);
      if (waiting.length < 200) return;
      flush(waiting);
      waiting = [];
    },
    close() {
      flush(waiting);
      database.close();
    },
  };
}

/**
 * A hash of the engine's own code: the bundle names its parts by their content, so its first file is enough. Run
 * from its sources the engine has no hash, and nothing is remembered.
 */
export function engineHash(file: string): string | undefined {
  if (file.endsWith('.ts')) return undefined;
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
