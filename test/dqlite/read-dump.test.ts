// db.bin alone: what it is, and how it is read.
import { describe, expect, test } from 'vitest';
import { describeNotice, readDatabase } from '../../src/dqlite/index.ts';
import { closedName, directory, type RawFiles, segment, snapshotData, snapshotMeta, u64 } from './raw-log.ts';
import { changed, pageOf, sampleImage, valuesOf } from './sample-database.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { walOf } from './wal-writer.ts';

const folder = temporaryFolder();
const first = sampleImage(['one']);
const second = changed(first, "INSERT INTO t (value) VALUES ('two')");
const wal = walOf([
  [1, pageOf(second, 1)],
  [2, pageOf(second, 2)],
]);
const read = (files: RawFiles, options = {}) => readDatabase(directory(folder, files), options);

describe('a folder with db.bin alone', () => {
  test('is refused with what it is and how to have it', () => {
    expect(() => read({ 'db.bin': first })).toThrow(
      /neither a log nor a snapshot here, only db\.bin\.[\s\S]*a plain SQLite file[\s\S]*--salvage/,
    );
  });

  test.each([
    ['alone', { 'db.bin': first }, ['one'], 'Made of db.bin, the copy'],
    ['with an empty log', { 'db.bin': first, 'db.bin-wal': Buffer.alloc(0) }, ['one'], 'Made of db.bin, the'],
    ['with a log', { 'db.bin': first, 'db.bin-wal': wal }, ['one', 'two'], 'Made of db.bin and db.bin-wal'],
    ['where all is in the log', { 'db.bin': Buffer.alloc(0), 'db.bin-wal': wal }, ['one', 'two'], 'Made of'],
  ])('is salvaged %s, and said to be of the last clean stop', (_, files, values, says) => {
    const { bytes, lastIndex, notices } = read(files, { salvage: true });

    expect(valuesOf(bytes)).toEqual(values);
    expect(lastIndex).toBe(0);
    const text = notices.map(describeNotice).join();
    expect(text).toContain(says);
    expect(text).toContain('changed since that stop is not in it');
  });

  test.each([
    ['no database', { 'db.bin': Buffer.alloc(8192, 1) }],
    ['half of one', { 'db.bin': first.subarray(0, 4096) }],
    ['not whole pages', { 'db.bin': first.subarray(0, -1) }],
    ['empty', { 'db.bin': Buffer.alloc(0) }],
    ['beside a log that is none', { 'db.bin': first, 'db.bin-wal': Buffer.alloc(64, 1) }],
    ['beside a log of other pages', { 'db.bin': first, 'db.bin-wal': walOf([[1, Buffer.alloc(512)]], 512) }],
  ])('fails where it is %s', (_, files) => {
    expect(() => read(files, { salvage: true })).toThrow(/db\.bin cannot be used/);
  });
});

describe('beside a log of which nothing is left', () => {
  const damaged = {
    'snapshot-1-10-1': Buffer.concat([u64(9), snapshotData(second).subarray(8)]),
    'snapshot-1-10-1.meta': snapshotMeta(Buffer.alloc(16, 7), 10),
    [closedName(11, 11)]: segment(),
  };

  test('it is salvaged, after the damage was reported', () => {
    expect(() => read({ ...damaged, 'db.bin': first })).toThrow();

    const { bytes, notices } = read({ ...damaged, 'db.bin': first }, { salvage: true });

    expect(valuesOf(bytes)).toEqual(['one']);
    expect(notices).toContainEqual({ code: 'from-dump', files: ['db.bin'] });
  });

  test('there is nothing without it', () => {
    expect(() => read(damaged, { salvage: true })).toThrow(/no good entry and no good snapshot/);
  });
});

test('where a salvaged state ends early, db.bin is named as another one that may be newer', () => {
  const files = {
    'snapshot-1-10-1': snapshotData(first),
    'snapshot-1-10-1.meta': snapshotMeta(
      Buffer.from('0101000000000000000100000000000000310001767676', 'hex'),
      10,
    ),
    [closedName(11, 12)]: segment(),
    'db.bin': second,
  };

  const { notices } = read(files, { salvage: true });

  expect(notices.map(describeNotice).join()).toMatch(/Salvaged up to entry 10; .*db\.bin, the copy from/);
});
