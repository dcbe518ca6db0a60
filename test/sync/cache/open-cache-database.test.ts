import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { toolVersion } from '../../../src/core/version.ts';
import { isGoFile, isLesson, isPick } from '../../../src/sync/pick/cached-values.ts';
import { type Makers, openPickCache } from '../../../src/sync/pick/pick-cache.ts';
import { readGoFile } from '../../../src/sync/rewrite/go/scan-go.ts';
import { openScanCache } from '../../../src/sync/scan/scan-cache.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const fixtures = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'formats');

const makers = (rules: string): Makers => ({
  engine: 'engine',
  pick: `pick ${rules}`,
  chain: `chain ${rules}`,
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
      const found = second.get('pick', 'new', isText);
      second.close();
      return found;
    },
    find(folder, note) {
      const cache = openPickCache(folder, makers('rules'), note);
      const found = cache.get('pick', 'kept', isText);
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

describe('an entry of a pick cache that is not as it was written', () => {
  const changed = (sql: string): { found: unknown[]; notes: string[] } => {
    const folder = temporaryFolder();
    const notes: string[] = [];
    const first = openPickCache(folder, makers('rules'), (text) => notes.push(text));
    for (const key of ['one', 'two', 'three']) first.set('lesson', key, { paths: [], lines: [] });
    first.close();
    writeDatabase(join(folder, 'cache.sqlite'), sql);
    const second = openPickCache(folder, makers('rules'), (text) => notes.push(text));
    const found = ['one', 'two', 'three'].map((key) => second.get('lesson', key, isLesson));
    second.close();
    return { found, notes };
  };

  it.each([
    ['value', 'NULL'],
    ['value', "'text'"],
    ['value', '7'],
    ['value', "x'00'"],
    ['sum', 'NULL'],
    ['sum', "'text'"],
    ['sum', 'sum + 1'],
  ])('was never there, and that is said once: %s %s', (column, cell) => {
    const { found, notes } = changed(`UPDATE entries SET ${column} = ${cell} WHERE key <> 'three'`);

    expect(found).toEqual([undefined, undefined, { paths: [], lines: [] }]);
    expect(notes).toEqual([expect.stringContaining('The cache holds damaged entries')]);
  });

  it('was never there where it is whole and of another form', () => {
    const folder = temporaryFolder();
    const notes: string[] = [];
    const odd = [null, 7, 'text', [], {}, { paths: {}, lines: [] }, { paths: [{}], lines: [] }];
    const cache = openPickCache(folder, makers('rules'), (text) => notes.push(text));
    for (const [index, value] of odd.entries()) {
      for (const kind of ['pick', 'lesson', 'go-file'] as const) cache.set(kind, `${index}`, value);
    }
    cache.close();
    const again = openPickCache(folder, makers('rules'), (text) => notes.push(text));

    const found = odd.flatMap((_, index) => [
      again.get('pick', `${index}`, isPick),
      again.get('lesson', `${index}`, isLesson),
      again.get('go-file', `${index}`, isGoFile),
    ]);

    again.close();
    expect(found.every((value) => value === undefined)).toBe(true);
    expect(notes).toHaveLength(1);
  });
});

it.each(['NULL', '7', "x'00'", "'{'", "'[]'"])(
  'a part of a scan cache that holds %s was never there',
  (cell) => {
    const folder = temporaryFolder();
    const notes: string[] = [];
    const first = openScanCache(folder, 'maker', (text) => notes.push(text));
    first.add('skips', new Map([['one', 'value']]));
    first.close();
    writeDatabase(join(folder, 'scan.sqlite'), `UPDATE parts SET value = ${cell}`);
    const second = openScanCache(folder, 'maker', (text) => notes.push(text));

    const found = second.read('skips', isText)('one');
    second.add('skips', new Map([['two', 'value']]));

    second.close();
    expect(found).toBeUndefined();
    const third = openScanCache(folder, 'maker', (text) => notes.push(text));
    expect(third.read('skips', isText)('two')).toBe('value');
    third.close();
  },
);

it('a file of Go is written in the form that is asked for', () => {
  const file = readGoFile('package p\n\nimport "fmt"\n\nfunc F(a int, b ...string) { fmt.Println(a) }\n');

  expect(isGoFile(deserialize(serialize(file)))).toBe(true);
});

it('what was used last is kept, however the clock jumps', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const folder = temporaryFolder();
  const found: unknown[] = [];
  const use = (rules: string, key: string): unknown => {
    const cache = openPickCache(folder, makers(rules), () => {});
    const before = cache.get('pick', key, isText);
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
