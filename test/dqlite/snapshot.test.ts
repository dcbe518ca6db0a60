// Snapshots of all generations: with and without LZ4, with and without a write-ahead log; and damaged ones.
import { describe, expect, it } from 'vitest';
import { describeNotice, readDatabase } from '../../src/dqlite/index.ts';
import { encodeLz4Frame } from './lz4-encoder.ts';
import {
  batch,
  closedName,
  configuration,
  directory,
  framesOf,
  padded,
  type RawFiles,
  segment,
  snapshotData,
  snapshotMeta,
  u64,
} from './raw-log.ts';
import { changed, pageOf, sampleImage } from './sample-database.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { walOf } from './wal-writer.ts';

const folder = temporaryFolder();
const first = sampleImage(['one']);
const second = changed(first, "INSERT INTO t (value) VALUES ('two')");
const third = changed(second, "INSERT INTO t (value) VALUES ('three')");
const servers = configuration({ id: 4, address: 'four:1', role: 1 });

function snapshot(term: number, index: number, data: Buffer, timestamp = 1000): RawFiles {
  const name = `snapshot-${term}-${index}-${timestamp}`;
  return { [name]: data, [`${name}.meta`]: snapshotMeta(servers, index) };
}

function entries(first: number, ...images: Buffer[]): RawFiles {
  const name = closedName(first, first + images.length - 1);
  return { [name]: segment(...images.map((image) => batch(framesOf(image)))) };
}

const read = (files: RawFiles, options = {}) => readDatabase(directory(folder, files), options);

describe('snapshots', () => {
  it('gives the database, index, term and configuration of a snapshot alone', () => {
    const database = read(snapshot(3, 1024, snapshotData(first)));
    expect(database).toMatchObject({ bytes: first, lastIndex: 1024, lastTerm: 3, notices: [] });
    expect(database.configuration.servers).toEqual([{ id: 4n, address: 'four:1', role: 'voter' }]);
    expect(database.statistics.snapshot).toEqual({ term: 3, index: 1024 });
  });

  it('applies the write-ahead log that older versions put into a snapshot', () => {
    const wal = walOf([
      [2, pageOf(second, 2)],
      [1, pageOf(third, 1)],
      [2, pageOf(third, 2)],
    ]);
    expect(read(snapshot(1, 10, snapshotData(first, wal))).bytes).toEqual(third);
    expect(read(snapshot(1, 10, encodeLz4Frame(snapshotData(first, wal)))).bytes).toEqual(third);
  });

  it('reads a snapshot whose main part is one page and whose database is in the write-ahead log', () => {
    const wal = walOf([
      [1, pageOf(third, 1)],
      [2, pageOf(third, 2)],
    ]);
    expect(read(snapshot(1, 10, snapshotData(pageOf(first, 1), wal))).bytes).toEqual(third);
  });

  it('applies only the entries behind the snapshot', () => {
    const database = read({ ...snapshot(1, 10, snapshotData(second)), ...entries(9, first, first, third) });
    expect(database.bytes).toEqual(third);
    expect(database.lastIndex).toBe(11);
    expect(database.statistics.entries).toBe(1);
  });

  it('takes the newest by term, then index, then timestamp', () => {
    const database = read({
      ...snapshot(9, 10, snapshotData(first), 5),
      ...snapshot(9, 10, snapshotData(second), 40),
      ...snapshot(2, 900, snapshotData(third), 900),
    });
    expect(database.bytes).toEqual(second);
  });

  it('leaves out half a snapshot and an empty one, and names them', () => {
    const { 'snapshot-7-70-1': _, ...orphan } = snapshot(7, 70, snapshotData(third), 1);
    const database = read({
      ...snapshot(1, 10, snapshotData(second)),
      ...orphan,
      ...snapshot(8, 80, Buffer.alloc(0)),
    });
    expect(database.bytes).toEqual(second);
    expect(database.notices).toMatchObject([
      { code: 'file-ignored', file: 'snapshot-7-70-1.meta' },
      { code: 'file-ignored', file: 'snapshot-8-80-1000' },
      { code: 'snapshot-lost', index: 80, lastGoodIndex: 10 },
    ]);
  });

  it('does without older segments that are not connected, and with none at all', () => {
    const apart = read({
      ...snapshot(1, 10, snapshotData(first)),
      ...entries(2, first),
      ...entries(11, third),
    });
    expect(apart.bytes).toEqual(third);
    expect(apart.notices).toEqual([{ code: 'segments-unused', files: [closedName(2, 2)] }]);

    const behind = read({ ...snapshot(1, 10, snapshotData(second)), ...entries(2, first) });
    expect(behind.bytes).toEqual(second);
    expect(behind.lastIndex).toBe(10);
  });

  it('counts on from the snapshot in open segments when there is no closed one', () => {
    const database = read({
      ...snapshot(1, 10, snapshotData(first)),
      'open-3': padded(segment(batch(framesOf(second))), 65_536),
    });
    expect(database).toMatchObject({ bytes: second, lastIndex: 11 });
  });

  const damaged = (data: Buffer): RawFiles => snapshot(1, 10, data);
  const plain = snapshotData(first);
  const packed = encodeLz4Frame(plain);
  const wrongWal = walOf([[1, pageOf(first, 1)]]);
  wrongWal[100] = 7;

  it.each<[string, RawFiles, object]>([
    ['its LZ4 frame', damaged(flip(packed, 60)), { code: 'snapshot-damaged' }],
    ['a missing part', damaged(plain.subarray(0, -1)), { code: 'snapshot-damaged', offset: 24 }],
    ['bytes too many', damaged(Buffer.concat([plain, Buffer.alloc(8)])), { code: 'snapshot-damaged' }],
    ['its write-ahead log', damaged(snapshotData(first, wrongWal)), { code: 'snapshot-damaged' }],
    [
      'pages that are none',
      damaged(snapshotData(Buffer.alloc(4096))),
      { code: 'snapshot-damaged', offset: 40 },
    ],
    [
      'a newer format',
      damaged(Buffer.concat([u64(2), plain.subarray(8)])),
      { code: 'format-unsupported', format: 2n },
    ],
    [
      'several databases',
      damaged(Buffer.concat([u64(1), u64(2), plain.subarray(16)])),
      { code: 'several-databases' },
    ],
    ['next to nothing', damaged(Buffer.alloc(3, 1)), { code: 'snapshot-damaged' }],
    [
      'its metadata',
      { 'snapshot-1-10-1': plain, 'snapshot-1-10-1.meta': flip(snapshotMeta(servers), 40) },
      { code: 'snapshot-damaged', offset: 8 },
    ],
    [
      'metadata of format 2',
      { 'snapshot-1-10-1': plain, 'snapshot-1-10-1.meta': Buffer.concat([u64(2), Buffer.alloc(48)]) },
      { code: 'format-unsupported', format: 2n },
    ],
  ])('fails for damage in %s and names the file', (_, files, problem) => {
    expect(() => read(files)).toThrow(
      expect.objectContaining({
        problem: expect.objectContaining({ ...problem, file: expect.stringContaining('snapshot-1-10-') }),
      }),
    );
  });

  it('salvages by the older snapshot and the log behind it, without loss', () => {
    const files = {
      ...snapshot(1, 10, snapshotData(first)),
      ...snapshot(1, 12, flip(packed, 60)),
      ...entries(10, first, second, second, third),
    };
    expect(() => read(files)).toThrow(/snapshot is damaged/);

    const database = read(files, { salvage: true });

    expect(database).toMatchObject({ bytes: third, lastIndex: 13 });
    expect(database.notices).toMatchObject([{ code: 'damage-bypassed' }]);
  });

  const broken = flip(packed, 60);
  const withoutMeta = (files: RawFiles): RawFiles =>
    Object.fromEntries(Object.entries(files).filter(([name]) => !name.endsWith('.meta')));
  const withBadMeta = (files: RawFiles): RawFiles =>
    Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [name, name.endsWith('.meta') ? flip(bytes, 40) : bytes]),
    );

  describe('salvages by the older one, and says which entries are lost,', () => {
    it('where the log begins behind the newest', () => {
      const files = {
        ...snapshot(1, 10, snapshotData(first)),
        ...snapshot(1, 20, broken),
        ...entries(21, third, third),
      };
      expect(() => read(files)).toThrow(/snapshot is damaged/);

      const { bytes, lastIndex, notices } = read(files, { salvage: true });

      expect({ lastIndex, same: bytes.equals(first) }).toEqual({ lastIndex: 10, same: true });
      expect(notices.map(describeNotice).join('\n')).toMatch(
        /The snapshot of entry 20 could not be used: .*\nSalvaged up to entry 10; entries 11 to 22 are lost, with whatever came after them\. /,
      );
    });

    it('where there is no log at all', () => {
      const { bytes, lastIndex, notices } = read(
        { ...snapshot(1, 10, snapshotData(first)), ...snapshot(1, 20, broken) },
        { salvage: true },
      );

      expect({ lastIndex, same: bytes.equals(first) }).toEqual({ lastIndex: 10, same: true });
      expect(notices).toMatchObject([
        { code: 'snapshot-unusable', index: 20 },
        { code: 'salvaged', lastGoodIndex: 10, lostTo: 20 },
      ]);
    });

    it('where only an open segment is left: its entries follow the newest, and are not put onto the older', () => {
      const { bytes, lastIndex, notices } = read(
        {
          ...snapshot(1, 10, snapshotData(first)),
          ...snapshot(1, 20, broken),
          'open-7': padded(segment(batch(framesOf(third)), batch(framesOf(third))), 65_536),
        },
        { salvage: true },
      );

      expect({ lastIndex, same: bytes.equals(first) }).toEqual({ lastIndex: 10, same: true });
      expect(notices).toMatchObject([
        { code: 'snapshot-unusable', index: 20 },
        { code: 'salvaged', lastGoodIndex: 10, lostTo: 22 },
      ]);
    });

    it('where the log behind the older one breaks off', () => {
      const { lastIndex, notices } = read(
        {
          ...snapshot(1, 10, snapshotData(first)),
          ...snapshot(1, 20, broken),
          ...entries(11, second, third),
          ...entries(19, third, third),
        },
        { salvage: true },
      );

      expect(lastIndex).toBe(12);
      expect(notices).toMatchObject([
        { code: 'snapshot-unusable', index: 20 },
        { code: 'salvaged', lastGoodIndex: 12, lostTo: 20 },
      ]);
    });
  });

  it('salvages without any snapshot where the log is there from its beginning', () => {
    const files = {
      ...snapshot(1, 3, broken),
      [closedName(1, 1)]: segment(batch({ type: 3, payload: servers })),
      ...entries(2, first, second, third),
    };
    expect(() => read(files)).toThrow(/snapshot is damaged/);

    const database = read(files, { salvage: true });

    expect(database).toMatchObject({ bytes: third, lastIndex: 4, notices: [{ code: 'damage-bypassed' }] });
  });

  it.each([
    ['damaged', withBadMeta, 'the checksum is wrong'],
    ['missing', withoutMeta, 'it is not there'],
  ])('salvages the pages of a snapshot whose .meta is %s, with the log behind it', (_, change, why) => {
    const files = { ...change(snapshot(1, 10, snapshotData(first))), ...entries(11, second) };

    const database = read(files, { salvage: true });

    expect(database).toMatchObject({ bytes: second, lastIndex: 11, configuration: { servers: [] } });
    expect(database.notices).toContainEqual(
      expect.objectContaining({ code: 'snapshot-meta-lost', why: expect.stringContaining(why) }),
    );
  });

  it('prefers a whole older snapshot to a newer one without its .meta, where the log leads as far', () => {
    const files = {
      ...snapshot(1, 10, snapshotData(first)),
      ...withBadMeta(snapshot(1, 12, snapshotData(second))),
      ...entries(11, second, second, third),
    };

    const database = read(files, { salvage: true });

    expect(database).toMatchObject({ bytes: third, lastIndex: 13 });
    expect(database.configuration.servers).toHaveLength(1);
    expect(database.notices).toMatchObject([{ code: 'damage-bypassed' }]);
  });

  it('says what a daemon would lose where the newest is only half there, and salvages its pages', () => {
    const files = {
      ...snapshot(1, 10, snapshotData(first)),
      ...withoutMeta(snapshot(1, 20, snapshotData(third))),
    };

    const plainly = read(files);
    const salvaged = read(files, { salvage: true });

    expect(plainly).toMatchObject({ bytes: first, lastIndex: 10 });
    expect(plainly.notices).toContainEqual({ code: 'snapshot-lost', index: 20, lastGoodIndex: 10 });
    expect(salvaged).toMatchObject({ bytes: third, lastIndex: 20 });
  });

  it('says nothing of that where a daemon died while it wrote one: the log leads further', () => {
    const files = {
      ...snapshot(1, 10, snapshotData(first)),
      ...withoutMeta(snapshot(1, 12, snapshotData(second))),
      ...entries(11, second, second, third),
    };

    for (const options of [{}, { salvage: true }]) {
      const database = read(files, options);

      expect(database).toMatchObject({ bytes: third, lastIndex: 13 });
      expect(database.notices).toMatchObject([{ code: 'file-ignored' }]);
    }
  });

  it('salvages nothing where there is nothing', () => {
    expect(() => read(snapshot(1, 10, flip(packed, 60)), { salvage: true })).toThrow(
      expect.objectContaining({ problem: expect.objectContaining({ code: 'nothing-to-salvage' }) }),
    );
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ 0xff;
  return flipped;
}
