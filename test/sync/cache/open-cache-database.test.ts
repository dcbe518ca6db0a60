import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { toolVersion } from '../../../src/core/version.ts';
import { type Makers, openPickCache } from '../../../src/sync/pick/pick-cache.ts';
import { openScanCache } from '../../../src/sync/scan/scan-cache.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const fixtures = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'formats');

const makers = (rules: string): Makers => ({
  engine: 'engine',
  pick: `pick ${rules}`,
  lesson: `lesson ${rules}`,
  moves: 'moves',
  'go-file': 'go files',
});

const isText = (value: unknown): value is string => typeof value === 'string';

interface Kind {
  readonly file: string;
  /** Opens it, adds an entry, and finds it again after opening it once more. */
  readonly use: (folder: string, note: (text: string) => void) => unknown;
  /** What the fixtures hold. */
  readonly find: (folder: string, note: (text: string) => void) => unknown;
}

const kinds: Readonly<Record<string, Kind>> = {
  'pick-cache': {
    file: 'cache.sqlite',
    use(folder, note) {
      const first = openPickCache(folder, makers('rules'), note);
      first.set('pick', 'new', 'value');
      first.close();
      const second = openPickCache(folder, makers('rules'), note);
      const found = second.get('pick', 'new');
      second.close();
      return found;
    },
    find(folder, note) {
      const cache = openPickCache(folder, makers('rules'), note);
      const found = cache.get('pick', 'kept');
      cache.close();
      return found;
    },
  },
  'scan-cache': {
    file: 'scan.sqlite',
    use(folder, note) {
      const first = openScanCache(folder, 'maker', note);
      first.add('skips', new Map([['new', 'value']]));
      first.close();
      const second = openScanCache(folder, 'maker', note);
      const found = second.read('skips', isText)('new');
      second.close();
      return found;
    },
    find(folder, note) {
      const cache = openScanCache(folder, 'maker', note);
      const found = cache.read('skips', isText)('kept');
      cache.close();
      return found;
    },
  },
};

/** All that the file says of its own form. */
function formOf(path: string): unknown {
  const database = new Database(path, { readonly: true });
  const tables = database
    .prepare("SELECT sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .pluck()
    .all();
  const form = [
    database.pragma('application_id', { simple: true }),
    database.pragma('user_version', { simple: true }),
    ...tables.map((sql) => String(sql).replace(/\s+/g, ' ')),
  ];
  database.close();
  return form;
}

function writeDatabase(path: string, sql: string): void {
  const database = new Database(path);
  database.exec(sql);
  database.close();
}

describe.each(Object.entries(kinds))('%s', (name, kind) => {
  it('reads what the released format 1 wrote, and writes it like that still', () => {
    const [folder, fresh] = [temporaryFolder(), temporaryFolder()];
    const path = join(folder, kind.file);
    writeDatabase(path, readFileSync(join(fixtures, `${name}-1.sql`), 'utf8'));
    const form = formOf(path);
    const notes: string[] = [];

    const kept = kind.find(folder, (text) => notes.push(text));
    kind.use(fresh, (text) => notes.push(text));

    expect(kept).toBe('kept value');
    expect(notes).toEqual([]);
    // Tables that are not these are another format, and need another number.
    expect(formOf(join(fresh, kind.file))).toEqual(form);
  });

  it('makes one of a newer version anew, and names that version', () => {
    const folder = temporaryFolder();
    const path = join(folder, kind.file);
    kind.use(folder, () => {});
    writeDatabase(
      path,
      "PRAGMA user_version = 2; UPDATE about SET writer = 'fork-sync 9.8.7\u001b[31m'; CREATE TABLE else_ (x)",
    );
    const notes: string[] = [];

    const found = kind.use(folder, (text) => notes.push(text));

    expect(found).toBe('value');
    expect(notes).toEqual([
      `The cache was written by fork-sync 9.8.7\\u{1b}[31m (format 2) and is made anew for fork-sync ${toolVersion}: ${path}\nTwo versions that take turns need a folder each: --cache DIR.`,
    ]);
  });

  it.each<[string, (path: string) => void]>([
    ['random bytes', (path) => writeFileSync(path, 'garbage '.repeat(2000))],
    [
      'a file of a terabyte',
      (path) => {
        writeFileSync(path, '');
        truncateSync(path, 1e12);
      },
    ],
    ['tables of the right names and the wrong columns', (path) => spoil(path)],
  ])('makes anew, with a note: %s', (_what, spoilAt) => {
    const folder = temporaryFolder();
    const path = join(folder, kind.file);
    if (_what.startsWith('tables')) kind.use(folder, () => {});
    spoilAt(path);
    const notes: string[] = [];

    const found = kind.use(folder, (text) => notes.push(text));

    expect(found).toBe('value');
    expect(notes).toEqual([`The cache was damaged and is made anew: ${path}`]);
  });

  it.each<[string, string, (path: string) => void]>([
    ['a named pipe', '', (path) => void execFileSync('mkfifo', [path])],
    ['a folder', '', (path) => mkdirSync(path)],
    ['a device', '', (path) => symlinkSync('/dev/zero', path)],
    ['a named pipe', '-wal', (path) => void execFileSync('mkfifo', [path])],
  ])('answers what cannot be one: %s%s', (what, end, put) => {
    const folder = temporaryFolder();
    put(join(folder, kind.file) + end);

    expect(() => kind.use(folder, () => {})).toThrow(
      expect.objectContaining({
        problem: {
          code: 'cache-unusable',
          path: join(folder, kind.file) + end,
          why: `it is ${what}, not a file`,
        },
      }),
    );
  });
});

function spoil(path: string): void {
  const database = new Database(path);
  for (const table of ['makers', 'entries', 'parts'])
    database.exec(`DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (something)`);
  database.close();
}

it('a cache of scans from before formats had numbers is made anew', () => {
  const folder = temporaryFolder();
  writeDatabase(
    join(folder, 'scan.sqlite'),
    'CREATE TABLE parts (maker TEXT, kind TEXT, part INTEGER, value TEXT, PRIMARY KEY (maker, kind, part))',
  );
  const notes: string[] = [];

  const found = kinds['scan-cache']?.use(folder, (text) => notes.push(text));

  expect(found).toBe('value');
  expect(notes.join()).toContain('an unreleased fork-sync (format 0)');
});

it('what was used last is kept, however the clock jumps', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const folder = temporaryFolder();
  const found: unknown[] = [];
  const use = (rules: string, key: string): unknown => {
    const cache = openPickCache(folder, makers(rules), () => {});
    const before = cache.get('pick', key);
    cache.set('pick', key, rules);
    cache.close();
    return before;
  };

  for (let turn = 0; turn < 20; turn += 1) {
    // A day back and a day ahead, in turns, and back in all.
    vi.setSystemTime(new Date(Date.UTC(2026, 0, 1 + (turn % 2) - turn)));
    use(`rules ${turn}`, 'key');
    found.push(use('rules of every turn', 'key'));
  }

  expect(found.slice(1)).toEqual(Array.from({ length: 19 }, () => 'rules of every turn'));
  expect(use('rules 19', 'key')).toBe('rules 19');
  expect(use('rules 0', 'key')).toBe(undefined);
});
