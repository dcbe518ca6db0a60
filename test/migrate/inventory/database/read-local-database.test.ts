import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../../src/core/failure.ts';
import { databaseFixtures, unpackDatabaseFixture } from '../../../../src/dev/database-fixture.ts';
import { readLocalDatabase } from '../../../../src/migrate/inventory/database/read-local-database.ts';
import { temporaryFolder } from '../../../temporary-folder.ts';
import { ask, databaseOf, localDatabase } from '../../lxd-database.ts';

function local(
  content: Buffer = localDatabase("INSERT INTO config VALUES (1, 'core.https_address', ':8443');"),
): string {
  const path = join(temporaryFolder(), 'local.db');
  fs.writeFileSync(path, content);
  return path;
}

function refusal(path: string): string | undefined {
  try {
    readLocalDatabase(path);
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.message;
  }
}

const config = 'SELECT key, value FROM config';

test.each(databaseFixtures.filter((name) => /^(lxd|incus)/.test(name)))('that of %s is one', (name) => {
  const { database } = unpackDatabaseFixture(name, temporaryFolder());
  const path = join(database, 'local.db');

  expect(fs.existsSync(path)).toBe(true);
  expect(ask(readLocalDatabase(path), 'SELECT count(*) AS n FROM patches')[0]?.['n']).toBeGreaterThan(10);
});

describe('a change that was not finished', () => {
  /** A file and its journal as a killed writer leaves them. */
  function killedWriter(mode: 'DELETE' | 'WAL'): string {
    const path = local();
    const copy = `${path}-copy`;
    const db = new Database(path);
    db.pragma(`journal_mode = ${mode}`);
    // Small, so that pages get into the file before the change is done.
    db.pragma('cache_size = 2');
    db.pragma('wal_autocheckpoint = 0');
    if (mode === 'WAL') db.exec("UPDATE config SET value = ':9443'");
    db.exec('BEGIN');
    const insert = db.prepare('INSERT INTO config (key, value) VALUES (?, ?)');
    for (let at = 0; at < 300; at += 1) insert.run(`user.${at}`, 'x'.repeat(500));
    for (const ending of ['', '-journal', '-wal'])
      if (fs.existsSync(path + ending)) fs.copyFileSync(path + ending, copy + ending);
    db.close();
    return copy;
  }

  test.each(['DELETE', 'WAL'] as const)(
    'of %s beside a header that says anything is read or refused, and no bug',
    (mode) => {
      const path = killedWriter(mode);
      const file = fs.readFileSync(path);
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(99), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
          fc.boolean(),
          (changes, isEmpty) => {
            const changed = isEmpty ? Buffer.alloc(0) : Buffer.from(file);
            for (const [at, byte] of isEmpty ? [] : changes) changed[at] = byte;
            fs.writeFileSync(path, changed);

            // Every error but a failure comes through.
            expect(['string', 'undefined']).toContain(typeof refusal(path));
          },
        ),
        { numRuns: 150 },
      );
    },
  );

  test('is undone', () => {
    const path = killedWriter('DELETE');

    expect(fs.existsSync(`${path}-journal`)).toBe(true);
    expect(ask(readLocalDatabase(path), config)).toEqual([{ key: 'core.https_address', value: ':8443' }]);
  });

  test('is undone in a write-ahead log, and what was finished there counts', () => {
    const path = killedWriter('WAL');

    expect(fs.existsSync(`${path}-wal`)).toBe(true);
    expect(ask(readLocalDatabase(path), config)).toEqual([{ key: 'core.https_address', value: ':9443' }]);
  });

  test('leaves the files as they were', () => {
    const path = killedWriter('DELETE');
    const all = (): string[] =>
      ['', '-journal'].map((ending) => fs.readFileSync(path + ending).toString('base64'));
    const before = all();

    readLocalDatabase(path);

    expect(all()).toEqual(before);
  });

  test('of several databases is refused: SQLite would delete the file that the journal names', () => {
    const folder = temporaryFolder();
    const precious = join(folder, 'precious');
    fs.writeFileSync(precious, '');
    const path = local();
    const name = Buffer.from(precious);
    const sum = name.reduce((total, byte) => (total + byte) >>> 0, 0);
    const tail = Buffer.alloc(12);
    tail.writeUInt32BE(0, 0);
    const ends = Buffer.alloc(16);
    ends.writeUInt32BE(name.length, 0);
    ends.writeUInt32BE(sum, 4);
    Buffer.from('d9d505f920a163d7', 'hex').copy(ends, 8);
    const head = Buffer.alloc(512);
    Buffer.from('d9d505f920a163d7', 'hex').copy(head);
    fs.writeFileSync(`${path}-journal`, Buffer.concat([head, tail.subarray(0, 4), name, ends]));

    expect(refusal(path)).toContain('several databases at once');
    expect(fs.existsSync(precious)).toBe(true);
  });

  test('with a write-ahead log that is gone is the file alone', () => {
    const path = local();
    const db = new Database(path);
    db.pragma('journal_mode = WAL');
    db.close();

    expect(ask(readLocalDatabase(path), config)).toHaveLength(1);
  });
});

describe('what is no local.db says why', () => {
  const whole = localDatabase();
  const changed = (sql: string): Buffer => {
    const db = new Database(whole);
    try {
      db.exec(sql);
      return db.serialize();
    } finally {
      db.close();
    }
  };
  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'it is empty'],
    ['zeros', Buffer.alloc(8192), 'it is no SQLite database'],
    ['encrypted or random bytes', Buffer.alloc(8192, 0xa7), 'it is no SQLite database'],
    ['a text', Buffer.from('SQLite format 3'), 'it is no SQLite database'],
    ['half of it', whole.subarray(0, 4096 * 3), 'SQLite says'],
    ['a part of a page', whole.subarray(0, 5000), 'SQLite says'],
    ['its header alone', whole.subarray(0, 100), 'SQLite says'],
    [
      'the database of something else',
      databaseOf('CREATE TABLE moz_places (id INTEGER)'),
      'it has no table config',
    ],
    ['one without patches', changed('DROP TABLE patches'), 'it has no table patches'],
    [
      'one without a column',
      changed('ALTER TABLE config RENAME COLUMN value TO worth'),
      'table config has no column value',
    ],
    [
      'a blob for a text',
      changed("INSERT INTO config (key, value) VALUES ('a', x'00')"),
      'something else than text',
    ],
    [
      'a view for a table',
      changed('DROP TABLE raft_nodes; CREATE VIEW raft_nodes AS SELECT 1 AS id'),
      'it has a view',
    ],
    [
      'a trigger',
      changed('CREATE TRIGGER t AFTER INSERT ON patches BEGIN DELETE FROM config; END'),
      'it has a trigger',
    ],
    [
      'a column that computes',
      changed('CREATE TABLE t (a, b TEXT AS (hex(zeroblob(a))))'),
      'table t computes something',
    ],
    [
      'an index that computes',
      changed('CREATE INDEX i ON config (lower(key))'),
      'index i computes something',
    ],
    [
      'a check',
      changed('CREATE TABLE t (a CHECK (length(hex(zeroblob(a))) > 1))'),
      'table t computes something',
    ],
  ])('%s', (_what, content, why) => {
    expect(refusal(local(content))).toContain(why);
  });

  test('rows that an index does not know', () => {
    const damaged = Buffer.from(
      changed("INSERT INTO config (key, value) VALUES ('core.https_address', ':1')"),
    );
    // The key in the index is another one than that in the row.
    const at = damaged.lastIndexOf('core.https_address');
    damaged.write('xore', at, 'latin1');

    expect(refusal(local(damaged))).toContain('it is damaged');
  });
});

describe('what is no file is refused by its name, and nobody waits', () => {
  const kinds: readonly [string, (path: string) => void][] = [
    ['a folder', (path) => fs.mkdirSync(path)],
    ['a named pipe', (path) => execFileSync('mkfifo', [path])],
    ['a link', (path) => fs.symlinkSync('/dev/zero', path)],
    ['a link', (path) => fs.symlinkSync('nowhere', path)],
  ];

  test.each(kinds)('%s in place of the file', (is, make) => {
    const path = join(temporaryFolder(), 'local.db');
    make(path);

    expect(refusal(path)).toContain(`this is ${is}`);
    expect(refusal(path)).toContain(path);
  });

  test.each(kinds)('%s in place of its journal', (is, make) => {
    for (const ending of ['-journal', '-wal']) {
      const path = local();
      make(path + ending);

      expect(refusal(path)).toContain(`this is ${is}`);
      expect(refusal(path)).toContain(path + ending);
    }
  });

  test.each(['', '-journal', '-wal'])('a sparse terabyte under local.db%s', (ending) => {
    const path = local();
    fs.writeFileSync(path + ending, '', { flag: 'a' });
    fs.truncateSync(path + ending, 2 ** 40);

    expect(refusal(path)).toContain('This file has 1.0 TiB; no more than 64.0 MiB are read.');
  });
});
