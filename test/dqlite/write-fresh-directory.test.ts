// A directory written for a daemon: read back identical, whole or not at all, only what daemons can start with.
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unpackDatabaseFixture } from '../../src/dev/database-fixture.ts';
import {
  type RaftConfiguration,
  raftPosition,
  readDatabase,
  standaloneConfiguration,
  writeDump,
  writeFreshDirectory,
} from '../../src/dqlite/index.ts';
import { sampleImage } from './sample-database.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const configuration = standaloneConfiguration;
let made = 0;
function fresh(): string {
  made += 1;
  return join(folder, `fresh-${made}`);
}

describe('writeFreshDirectory', () => {
  it('writes a directory that reads back identical, for any database and configuration', () => {
    const values = fc.array(fc.string({ unit: 'binary', maxLength: 3000 }), { maxLength: 12 });
    const servers = fc.uniqueArray(
      fc.record({
        id: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
        address: fc.stringMatching(/^[a-z0-9.:[\]]{1,20}$/),
        role: fc.constantFrom('standby', 'voter', 'spare'),
      }),
      { minLength: 1, maxLength: 5, selector: ({ id, address }) => `${id} ${address}` },
    );
    const usable = servers.filter(
      (list) =>
        list.some(({ role }) => role === 'voter') &&
        new Set(list.map(({ id }) => id)).size === list.length &&
        new Set(list.map(({ address }) => address)).size === list.length,
    );
    fc.assert(
      fc.property(values, usable, fc.integer({ min: 1, max: 1000 }), (rows, list, term) => {
        const target = fresh();
        const image = sampleImage(rows);
        const wanted: RaftConfiguration = { servers: list };

        writeFreshDirectory(target, image, { configuration: wanted, term });

        expect(readDatabase(target)).toMatchObject({
          bytes: image,
          configuration: wanted,
          lastIndex: 2,
          lastTerm: term,
          notices: [],
        });
        expect(raftPosition(target)).toEqual({ lastIndex: 2, lastTerm: term });
        fs.rmSync(target, { recursive: true });
      }),
      { numRuns: 15 },
    );
  });

  it('writes the files that a daemon expects, readable by its owner only', () => {
    const target = fresh();
    writeFreshDirectory(target, sampleImage(['one']), { configuration });
    expect(fs.statSync(target).mode & 0o777).toBe(0o750);
    expect(
      fs
        .readdirSync(target)
        .map((name) => [name, (fs.statSync(join(target, name)).mode & 0o777).toString(8)]),
    ).toEqual([
      ['0000000000000001-0000000000000002', '600'],
      ['db.bin', '600'],
      ['metadata1', '600'],
    ]);
  });

  it('tells the daemon that the pages are in WAL mode, and everybody else that db.bin is not', () => {
    const target = fresh();
    const image = sampleImage(['one']);
    writeFreshDirectory(target, image, { configuration });
    const log = fs.readFileSync(join(target, '0000000000000001-0000000000000002'));
    const page1 = log.indexOf('SQLite format 3\0');
    expect([...log.subarray(page1 + 18, page1 + 20)]).toEqual([2, 2]);
    expect(fs.readFileSync(join(target, 'db.bin'))).toEqual(image);
    const db = new Database(join(target, 'db.bin'), { readonly: true });
    expect(db.prepare('SELECT value FROM t').pluck().all()).toEqual(['one']);
    db.close();
  });

  it('can be given another dump later, of which nothing older stays', () => {
    const target = fresh();
    writeFreshDirectory(target, sampleImage(['one']), { configuration });
    fs.writeFileSync(join(target, 'db.bin-wal'), 'of the former one');
    const newer = sampleImage(['newer']);
    const inWalMode = Buffer.from(newer).fill(2, 18, 20);
    writeDump(target, inWalMode);
    expect(fs.readdirSync(target)).toEqual(['0000000000000001-0000000000000002', 'db.bin', 'metadata1']);
    expect(fs.readFileSync(join(target, 'db.bin'))).toEqual(newer);
  });

  it('refuses a folder that exists, even an empty one, and leaves nothing behind', () => {
    const target = fresh();
    fs.mkdirSync(target);
    const before = fs.readdirSync(folder);
    expect(() => writeFreshDirectory(target, sampleImage([]), { configuration })).toThrow(/already stands/);
    expect(fs.readdirSync(folder)).toEqual(before);
  });

  it('writes a database of a real server so that it reads back identical', () => {
    const { global } = unpackDatabaseFixture('lxd-5.0.2-cluster-m1', folder);
    const source = readDatabase(global);
    const target = fresh();
    writeFreshDirectory(target, source.bytes, { configuration: source.configuration, term: source.lastTerm });
    const copy = readDatabase(target);
    expect(copy.bytes.equals(source.bytes)).toBe(true);
    expect(copy.configuration).toEqual(source.configuration);
    expect(copy.lastTerm).toBe(source.lastTerm);
  });

  const image = sampleImage(['one']);
  const poke = (at: number, value: number): Buffer => {
    const poked = Buffer.from(image);
    poked.writeUInt32BE(value, at);
    return poked;
  };
  it.each<[string, Buffer, RaftConfiguration, RegExp]>([
    ['another page size', sampleImage(['x'], { pageSize: 8192 }), configuration, /4096 bytes/],
    ['auto_vacuum', autoVacuum(), configuration, /auto_vacuum/],
    ['a page count that is wrong', poke(28, 77), configuration, /counts 77 pages/],
    ['a page count that is not valid', poke(92, 77), configuration, /3\.7\.0/],
    ['half a page', Buffer.concat([image, Buffer.alloc(100)]), configuration, /whole pages/],
    ['something else', Buffer.alloc(4096), configuration, /not an SQLite database/],
    ['nothing', Buffer.alloc(0), configuration, /not an SQLite database/],
    ['no voter', image, { servers: [{ id: 1n, address: '1', role: 'spare' }] }, /may vote/],
  ])('refuses %s and writes nothing', (_, bytes, servers, why) => {
    const target = fresh();
    const before = fs.readdirSync(folder);
    expect(() => writeFreshDirectory(target, bytes, { configuration: servers })).toThrow(why);
    expect(fs.readdirSync(folder)).toEqual(before);
  });
});

function autoVacuum(): Buffer {
  const db = new Database(':memory:');
  db.exec('PRAGMA auto_vacuum = FULL; CREATE TABLE t (value TEXT)');
  const bytes = db.serialize();
  db.close();
  return bytes;
}
