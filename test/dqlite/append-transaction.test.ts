// One more transaction at the end of a log: the same database as if it had been written anew.
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unpackDatabaseFixture } from '../../src/dev/database-fixture.ts';
import {
  appendTransaction,
  raftPosition,
  readDatabase,
  standaloneConfiguration,
  writeFreshDirectory,
} from '../../src/dqlite/index.ts';
import {
  batch,
  closedName,
  configuration,
  directory,
  framesOf,
  metadata,
  segment,
  snapshotData,
  snapshotMeta,
  standalone,
} from './raw-log.ts';
import { changed, sampleImage } from './sample-database.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const first = sampleImage(['one']);
const second = changed(first, "INSERT INTO t (value) VALUES ('two')");

function log(files = {}): string {
  return directory(folder, {
    [closedName(1, 2)]: segment(batch(standalone), batch(framesOf(first))),
    ...files,
  });
}

describe('appendTransaction', () => {
  it('gives what a directory written anew with the change gives, for any change', () => {
    const statement = fc.oneof(
      fc
        .string({ maxLength: 5000 })
        .map((value) => `INSERT INTO t (value) VALUES (hex('${value.replace(/['\0]/g, '')}'))`),
      fc.nat(20).map((id) => `DELETE FROM t WHERE id = ${id}`),
      fc.nat(20).map((id) => `UPDATE t SET value = value || value WHERE id = ${id}`),
      fc.nat(9).map((at) => `CREATE TABLE IF NOT EXISTS u${at} (id INTEGER PRIMARY KEY, a TEXT UNIQUE)`),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(statement, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
        (steps) => {
          const target = log();
          let image = first;
          let index = 2;
          for (const statements of steps) {
            const after = changed(image, `BEGIN; ${statements.join(';')}; COMMIT`);
            if (after.equals(image)) continue;
            const appended = appendTransaction(target, image, after);
            index += 1;
            expect(appended).toMatchObject({ index, segment: closedName(index, index) });
            image = after;
          }
          const anew = join(target, 'anew');
          writeFreshDirectory(anew, image, { configuration: standaloneConfiguration });
          expect(readDatabase(target).bytes).toEqual(readDatabase(anew).bytes);
          expect(readDatabase(target)).toMatchObject({ bytes: image, lastIndex: index });
          fs.rmSync(target, { recursive: true });
        },
      ),
      { numRuns: 10 },
    );
  });

  it('writes the pages that differ, and page 1, with the term of the metadata', () => {
    const target = log({ metadata2: metadata(2, 6) });
    expect(appendTransaction(target, first, second)).toEqual({
      segment: closedName(3, 3),
      index: 3,
      pages: 2,
    });
    expect(raftPosition(target)).toEqual({ lastIndex: 3, lastTerm: 6 });
    expect(fs.statSync(join(target, closedName(3, 3))).mode & 0o777).toBe(0o600);
  });

  it('is undone by removing its file', () => {
    const target = log();
    const { segment: name } = appendTransaction(target, first, second);
    expect(readDatabase(target).bytes).toEqual(second);
    fs.rmSync(join(target, name));
    expect(readDatabase(target)).toMatchObject({ bytes: first, lastIndex: 2 });
  });

  it('counts on from a snapshot', () => {
    const target = directory(folder, {
      'snapshot-1-1024-7': snapshotData(first),
      'snapshot-1-1024-7.meta': snapshotMeta(configuration({ id: 1, address: '1', role: 1 })),
      [closedName(900, 1000)]: segment(batch(standalone)),
    });
    expect(appendTransaction(target, first, second)).toMatchObject({ index: 1025 });
    expect(readDatabase(target)).toMatchObject({ bytes: second, lastIndex: 1025 });
  });

  it('changes the database of a real server', () => {
    const { global } = unpackDatabaseFixture('lxd-5.0.2-clean', folder);
    const before = readDatabase(global).bytes;
    const after = changed(before, "UPDATE instances SET description = 'moved'");
    const { index, pages } = appendTransaction(global, before, after);
    expect(index).toBe(132);
    expect(pages).toBeLessThan(10);
    expect(readDatabase(global).bytes.equals(after)).toBe(true);
  });

  it('refuses a directory in which a daemon runs or was killed', () => {
    const target = log({ 'open-1': Buffer.alloc(4096) });
    expect(() => appendTransaction(target, first, second)).toThrow(/did not stop cleanly: open-1/);
  });

  it('refuses a database that is not the one before any more', () => {
    expect(() => appendTransaction(log(), second, changed(second, 'DELETE FROM t'))).toThrow(/was made for/);
  });

  it('refuses to shrink, because cowsql would never take a snapshot again', () => {
    const large = sampleImage(Array.from({ length: 500 }, () => 'value'.repeat(20)));
    const target = directory(folder, {
      [closedName(1, 2)]: segment(batch(standalone), batch(framesOf(large))),
    });
    expect(() => appendTransaction(target, large, changed(large, 'DELETE FROM t; VACUUM'))).toThrow(
      /fewer pages/,
    );
  });

  it('refuses a change that changes nothing', () => {
    expect(() => appendTransaction(log(), first, Buffer.from(first))).toThrow(/does not differ/);
  });

  it('refuses metadata that are older than the log', () => {
    const target = log({ [closedName(3, 3)]: segment(batch({ ...framesOf(first), term: 4 })) });
    expect(() => appendTransaction(target, first, second)).toThrow(/older than its log/);
  });

  it('writes nothing when it refuses', () => {
    const target = log();
    const before = fs.readdirSync(target);
    expect(() => appendTransaction(target, second, first)).toThrow();
    expect(fs.readdirSync(target)).toEqual(before);
  });
});
