// What a scan found out about commits, in one SQLite file that can be deleted at any time.
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type Database from 'better-sqlite3';
import { type CacheFormat, openCacheDatabase } from '../cache/open-cache-database.ts';

/** Whether a value is one of those that were written down. */
export type IsValue<T> = (value: unknown) => value is T;

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

export interface ScanCache {
  /** Finds values by key; of a key that was added twice the later one. What is not of its kind was never there. */
  read<T>(kind: string, is: IsValue<T>): (key: string) => T | undefined;
  /** Adds values to what is there: a night writes down what is new, not everything once more. */
  add(kind: string, values: ReadonlyMap<string, unknown>): void;
  close(): void;
}

/** A cache that remembers nothing. */
export const noScanCache: ScanCache = { read: () => () => undefined, add: () => {}, close: () => {} };

const format: CacheFormat = {
  applicationId: 0x666b7363,
  number: 1,
  tables: `
    CREATE TABLE IF NOT EXISTS parts (maker TEXT, kind TEXT, part INTEGER, sum INTEGER, value TEXT, PRIMARY KEY (maker, kind, part));`,
  before: ['parts'],
};
/** More parts of a kind than these are put together into one. */
const mostParts = 30;

/**
 * Entries are only found by the same maker: the program's own hash and the rules'.
 * @throws {Failure<SyncProblem>} cache-unusable
 */
export function openScanCache(folder: string, maker: string, note: (text: string) => void): ScanCache {
  return openCacheDatabase(join(folder, 'scan.sqlite'), format, note, (database) => open(database, maker));
}

interface Row {
  readonly kind: string;
  /** SQLite gives whatever is in a cell. */
  readonly sum: unknown;
  readonly value: unknown;
}

function open(database: Database.Database, maker: string): ScanCache {
  database.prepare('DELETE FROM parts WHERE maker <> ?').run(maker);
  // All of it is read once: what is damaged shows here, and not in the middle of a scan.
  const rows = database
    .prepare<[string], Row>('SELECT kind, sum, value FROM parts WHERE maker = ? ORDER BY kind, part')
    .all(maker);
  const kept = new Map<string, readonly Row[]>();
  for (const row of rows) kept.set(row.kind, [...(kept.get(row.kind) ?? []), row]);
  const append = database.prepare(
    'INSERT INTO parts SELECT :maker, :kind, coalesce(max(part), 0) + 1, :sum, :value FROM parts WHERE maker = :maker AND kind = :kind',
  );
  const remove = database.prepare('DELETE FROM parts WHERE maker = ? AND kind = ?');
  const all = (kind: string): Record<string, unknown> =>
    Object.assign({}, ...(kept.get(kind) ?? []).map(valuesIn));
  const put = (kind: string, values: unknown): void => {
    const value = JSON.stringify(values);
    append.run({ maker, kind, sum: checksum(kind, value), value });
  };
  return {
    read(kind, is) {
      const found = all(kind);
      return (key) => {
        const value = found[key];
        return is(value) ? value : undefined;
      };
    },
    add: database.transaction((kind: string, values: ReadonlyMap<string, unknown>) => {
      if ((kept.get(kind) ?? []).length < mostParts) return put(kind, Object.fromEntries(values));
      remove.run(maker, kind);
      put(kind, { ...all(kind), ...Object.fromEntries(values) });
    }),
    close: () => void database.close(),
  };
}

function checksum(kind: string, value: string): number {
  return crc32(value, crc32(`${kind}\0`));
}

/** Nothing of a part that is not as it was written: what it said is found out again. */
function valuesIn({ kind, sum, value }: Row): object {
  if (typeof value !== 'string' || sum !== checksum(kind, value)) return {};
  let values: unknown;
  try {
    values = JSON.parse(value);
  } catch {
    return {};
  }
  return typeof values === 'object' && values !== null ? values : {};
}
