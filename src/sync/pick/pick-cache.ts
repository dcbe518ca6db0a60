// Remembers what is a function of its inputs, in one SQLite file that can be deleted at any time.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import type { InstalledGo } from '../build/find-go.ts';
import { type CacheFormat, openCacheDatabase } from '../cache/open-cache-database.ts';
import type { RulePack } from '../rules/model.ts';

/** What each kind depends on beside its key: all rules, the rules that lessons use, or no rule at all. */
export type CacheKind = 'pick' | 'chain' | 'lesson' | 'moves' | 'go-file';

export interface PickCache {
  /** What is not of its form was never there. */
  get<T>(kind: CacheKind, key: string, is: (value: unknown) => value is T): T | undefined;
  set(kind: CacheKind, key: string, value: unknown): void;
  close(): void;
}

/** A cache that remembers nothing: what the engine uses when its own sources may change under it. */
export const noCache: PickCache = { get: () => undefined, set: () => {}, close: () => {} };

/** The cache in a scratch repository; without a hash of the engine nothing is remembered. */
export function openCacheFor(
  gitDir: string,
  { engine, pack, installedGo }: CacheUser,
  note: (text: string) => void,
): PickCache {
  if (engine === undefined) return noCache;
  return openPickCache(gitDir, makersOf(engine, pack, installedGo?.version ?? ''), note);
}

/** What the entries of a cache hang on. */
export interface CacheUser {
  readonly engine: string | undefined;
  readonly pack: RulePack;
  /** What a pick is found to be hangs on the standard library that it was checked against. */
  readonly installedGo: InstalledGo | undefined;
}

export type Makers = Readonly<Record<CacheKind, string>> & { readonly engine: string };

function makersOf(engine: string, pack: RulePack, goVersion: string): Makers {
  const hash = (...parts: readonly string[]): string =>
    createHash('sha256').update(parts.join('\0')).digest('hex');
  const { info, paths, merge, symbols } = pack;
  return {
    engine,
    pick: hash(engine, 'pick', pack.hash, goVersion),
    chain: hash(engine, 'chain', pack.hash, goVersion),
    // What open-workshop.ts hands to lessons: the brand words, renamed Go names, paths, and what is generated.
    lesson: hash(engine, 'lesson', JSON.stringify({ info, paths, merge, symbols })),
    moves: hash(engine, 'objects'),
    'go-file': hash(engine, 'objects'),
  };
}

/** Numbers of makers are never given twice: a process that runs on while another one cleans up must not write under ours. */
const format: CacheFormat = {
  applicationId: 0x666b7379,
  number: 1,
  tables: `
    CREATE TABLE IF NOT EXISTS makers (id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT UNIQUE, engine TEXT, used INTEGER);
    CREATE TABLE IF NOT EXISTS entries (maker INTEGER, kind TEXT, key TEXT, sum INTEGER, value BLOB, PRIMARY KEY (maker, kind, key));`,
};
const makersKept = 20;
const writtenAtOnce = 200;

/**
 * Entries are only ever found by the same engine and the same rules, and each carries a checksum.
 * @throws {Failure<SyncProblem>} cache-unusable
 */
export function openPickCache(folder: string, makers: Makers, note: (text: string) => void): PickCache {
  const path = join(folder, 'cache.sqlite');
  const { database, ids } = openCacheDatabase(path, format, note, (opened) => ({
    database: opened,
    ids: opened.transaction(() => prepare(opened, makers)).immediate(),
  }));
  const select = database.prepare<[number, string, string], Entry>(
    'SELECT sum, value FROM entries WHERE maker = ? AND kind = ? AND key = ?',
  );
  const insert = database.prepare(
    'INSERT OR REPLACE INTO entries (maker, kind, key, sum, value) VALUES (?, ?, ?, ?, ?)',
  );
  let waiting: (readonly [CacheKind, string, Buffer])[] = [];
  let broken = false;
  let damaged = false;
  const tellDamage = (): undefined => {
    if (!damaged) note(`The cache holds damaged entries; what they said is found out anew: ${path}`);
    damaged = true;
  };
  const write = database.transaction((entries: typeof waiting) => {
    for (const [kind, key, value] of entries)
      insert.run(ids[kind], kind, key, checksum(kind, key, value), value);
  });
  const giveUp = (error: unknown): void => {
    if (!(error instanceof Database.SqliteError)) throw error;
    if (!broken) note(`The cache is not used any further: ${error.message} (${path})`);
    broken = true;
    waiting = [];
  };
  const flush = (): void => {
    try {
      if (waiting.length > 0) write.immediate(waiting);
    } catch (error) {
      giveUp(error);
    }
    waiting = [];
  };
  return {
    get(kind, key, is) {
      if (broken) return undefined;
      try {
        const found = select.get(ids[kind], kind, key);
        if (found === undefined) return undefined;
        const value = readEntry(kind, key, found);
        return is(value) ? value : tellDamage();
      } catch (error) {
        giveUp(error);
        return undefined;
      }
    },
    set(kind, key, value) {
      if (broken) return;
      waiting.push([kind, key, serialize(value)]);
      if (waiting.length >= writtenAtOnce) flush();
    },
    close() {
      flush();
      database.close();
    },
  };
}

/** SQLite gives whatever is in a cell. */
interface Entry {
  readonly sum: unknown;
  readonly value: unknown;
}

function checksum(kind: string, key: string, value: Buffer): number {
  return crc32(value, crc32(`${kind}\0${key}\0`));
}

/** An entry that does not fit its checksum, or that another Node wrote in another format, was never there. */
function readEntry(kind: string, key: string, { sum, value }: Entry): unknown {
  if (!Buffer.isBuffer(value) || sum !== checksum(kind, key, value)) return undefined;
  try {
    return deserialize(value);
  } catch {
    return undefined;
  }
}

/** Entries of other engines are dropped, and so are those of rules that were not used for longest. */
function prepare(database: Database.Database, makers: Makers): Readonly<Record<CacheKind, number>> {
  // Which were used last is a count: the clock of a machine may be set back.
  const use = database.prepare(
    `INSERT INTO makers (hash, engine, used) VALUES (?, ?, (SELECT coalesce(max(used), 0) + 1 FROM makers))
     ON CONFLICT (hash) DO UPDATE SET used = excluded.used`,
  );
  const find = database.prepare<[string], number>('SELECT id FROM makers WHERE hash = ?').pluck();
  const idOf = (hash: string): number => {
    use.run(hash, makers.engine);
    return find.get(hash) ?? 0;
  };
  const ids = {
    pick: idOf(makers.pick),
    chain: idOf(makers.chain),
    lesson: idOf(makers.lesson),
    moves: idOf(makers.moves),
    'go-file': idOf(makers['go-file']),
  };
  const old = database
    .prepare<[string, number], number>(
      'SELECT id FROM makers WHERE engine <> ? OR id NOT IN (SELECT id FROM makers ORDER BY used DESC, id DESC LIMIT ?)',
    )
    .pluck()
    .all(makers.engine, makersKept);
  for (const id of old) {
    database.prepare('DELETE FROM entries WHERE maker = ?').run(id);
    database.prepare('DELETE FROM makers WHERE id = ?').run(id);
  }
  return ids;
}

/**
 * A hash of the engine's own code: the program holds all of it, the second thread's file only parts of the same.
 * Run from its sources the engine has no hash, and nothing is remembered.
 */
export function engineHash(file: string): string | undefined {
  if (file.endsWith('.ts')) return undefined;
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
