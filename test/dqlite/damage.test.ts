// Each class of damage: what is dropped with a notice, what fails and with which place, what salvage still gives.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type CheckedSegments,
  type DatabaseImage,
  describeNotice,
  raftPosition,
  readDatabase,
} from '../../src/dqlite/index.ts';
import {
  barrier,
  batch,
  closedName,
  command,
  configuration,
  directory,
  frames,
  framesOf,
  metadata,
  padded,
  type RawFiles,
  segment,
  snapshotData,
  snapshotMeta,
  standalone,
  u64,
} from './raw-log.ts';
import { changed, sampleImage } from './sample-database.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const first = sampleImage(['one']);
const second = changed(first, "INSERT INTO t (value) VALUES ('two')");
const third = changed(second, "INSERT INTO t (value) VALUES ('three')");
const [one, two, three] = [first, second, third].map((image) => batch(framesOf(image))) as [
  Buffer,
  Buffer,
  Buffer,
];
const begin = { [closedName(1, 1)]: segment(batch(standalone)) };

function flip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ 0x40;
  return flipped;
}

const read = (files: RawFiles): DatabaseImage => readDatabase(directory(folder, files));
const salvage = (files: RawFiles): DatabaseImage => readDatabase(directory(folder, files), { salvage: true });

function problem(files: RawFiles): unknown {
  try {
    read(files);
  } catch (error) {
    return (error as { problem?: unknown }).problem ?? error;
  }
  return 'no failure';
}

describe('an open segment that ends in an unfinished write', () => {
  const good = segment(one, two);
  const tails: readonly (readonly [string, Buffer])[] = [
    ['a batch whose data is torn', flip(three, three.length - 1)],
    ['a batch whose header is torn', flip(three, 20)],
    ['a batch of which only the beginning was written', padded(three.subarray(0, 60), three.length)],
    ['bytes that are no batch', Buffer.alloc(4096, 0xee)],
    ['a batch without entries', Buffer.concat([u64(0), u64(0), Buffer.alloc(64, 1)])],
  ];

  it.each(tails)('drops %s, as a daemon would, and says what and where', (_, tail) => {
    const database = read({ ...begin, 'open-1': padded(Buffer.concat([good, tail]), 65_536) });
    expect(database).toMatchObject({ bytes: second, lastIndex: 3 });
    expect(database.notices).toMatchObject([
      { code: 'tail-dropped', file: 'open-1', offset: good.length, lastGoodIndex: 3 },
    ]);
    expect(database.notices.map(describeNotice).join()).toContain(`byte ${good.length}`);
  });

  it('drops what follows a damaged batch in the middle as well', () => {
    const database = read({ ...begin, 'open-1': padded(segment(one, flip(two, 100), three), 65_536) });
    expect(database).toMatchObject({ bytes: first, lastIndex: 2 });
    expect(database.notices).toMatchObject([
      { code: 'tail-dropped', bytes: two.length + three.length, lastGoodIndex: 2 },
    ]);
  });

  it('says nothing about zeros, of which a prepared segment consists', () => {
    expect(
      read({ ...begin, 'open-1': padded(good, 65_536), 'open-2': Buffer.alloc(65_536) }).notices,
    ).toEqual([]);
    expect(read({ ...begin, 'open-1': padded(good, good.length + 8) }).notices).toEqual([]);
    expect(read({ ...begin, 'open-1': good }).notices).toEqual([]);
  });

  it('fails when a later segment holds entries: a daemon would put them on top of missing ones', () => {
    const files = {
      ...begin,
      'open-1': padded(segment(one, flip(two, 100)), 65_536),
      'open-2': padded(segment(three), 65_536),
    };
    const offset = 8 + one.length;
    expect(problem(files)).toMatchObject({
      code: 'segment-damaged',
      file: expect.stringMatching(/open-1$/),
      offset,
      lastGoodIndex: 2,
    });
    expect(salvage(files)).toMatchObject({ bytes: first, lastIndex: 2 });
  });
});

describe('an open segment that no daemon starts with', () => {
  const cases: readonly (readonly [string, Buffer, number])[] = [
    ['cut off inside the data of a batch', segment(one, two).subarray(0, -1), 8 + one.length],
    [
      'cut off inside the header of a batch',
      segment(one, two).subarray(0, 8 + one.length + 20),
      8 + one.length,
    ],
    [
      'cut off inside the first word of a batch',
      segment(one, two).subarray(0, 8 + one.length + 5),
      8 + one.length,
    ],
    ['shorter than its format', Buffer.from([1, 0, 0, 0]), 0],
    ['without a format', padded(Buffer.concat([u64(0), one]), 65_536), 0],
    ['of an unknown format', padded(Buffer.concat([u64(7), one]), 65_536), 0],
    [
      'with an entry of an unknown type',
      padded(segment(one, batch({ ...barrier, type: 9 })), 65_536),
      8 + one.length,
    ],
  ];

  it.each(cases)('%s fails, names the place, and can be salvaged', (_, bytes, offset) => {
    const files = { ...begin, 'open-4': bytes };
    const lastGoodIndex = offset === 0 ? 1 : 2;
    expect(problem(files)).toMatchObject({
      code: 'segment-damaged',
      file: expect.stringMatching(/open-4$/),
      offset,
      lastGoodIndex,
    });
    const salvaged = salvage(files);
    expect(salvaged.lastIndex).toBe(lastGoodIndex);
    expect(salvaged.notices).toContainEqual(
      expect.objectContaining({
        code: 'salvaged',
        lastGoodIndex,
        problem: expect.stringContaining('open-4'),
      }),
    );
  });
});

describe('a closed segment', () => {
  const log = (...batches: Buffer[]): RawFiles => ({
    [closedName(1, 4)]: segment(batch(standalone), ...batches),
  });
  const start = 8 + batch(standalone).length;
  const cases: readonly (readonly [string, RawFiles, number, number])[] = [
    ['with a wrong checksum of data', log(one, flip(two, 999), three), start + one.length, 2],
    ['with a wrong checksum of a header', log(one, two, flip(three, 17)), start + one.length + two.length, 3],
    ['that is cut off', log(one, two, three.subarray(0, -8)), start + one.length + two.length, 3],
    ['with bytes behind its last batch', log(one, two, three, Buffer.alloc(16)), start + 3 * one.length, 4],
    ['with an entry too few', log(one, two), start + one.length + two.length, 3],
    ['with an entry too many', log(one, two, three, batch(barrier)), start + 3 * one.length, 4],
    ['of an unknown format', { [closedName(1, 4)]: Buffer.concat([u64(3), one]) }, 0, 0],
    ['that is empty', { [closedName(1, 4)]: Buffer.alloc(0) }, 0, 0],
  ];

  it.each(cases)('%s fails with file, offset and last good index', (_, files, offset, lastGoodIndex) => {
    expect(problem(files)).toMatchObject({
      code: 'segment-damaged',
      file: expect.stringMatching(/0000000000000001-0000000000000004$/),
      offset,
      lastGoodIndex,
    });
  });

  it('gives the state up to the last good entry when it is salvaged, and no entry of later segments', () => {
    const files = {
      [closedName(1, 3)]: segment(batch(standalone), one, flip(two, 999)),
      [closedName(4, 4)]: segment(three),
    };
    const database = salvage(files);
    expect(database).toMatchObject({ bytes: first, lastIndex: 2 });
    expect(database.notices).toMatchObject([{ code: 'salvaged', lastGoodIndex: 2 }]);
  });

  it('is refused in format 2, which only an experimental build wrote', () => {
    const files = { [closedName(1, 1)]: Buffer.concat([u64(2), batch(standalone)]) };
    expect(problem(files)).toMatchObject({ code: 'format-unsupported', format: 2n });
  });

  it('behind the snapshot must be whole as well, but salvage does without it', () => {
    const files = {
      'snapshot-1-4-1': snapshotData(third),
      'snapshot-1-4-1.meta': snapshotMeta(configuration({ id: 1, address: '1', role: 1 })),
      [closedName(3, 4)]: segment(one, flip(two, 999)),
      [closedName(5, 5)]: segment(one),
    };
    expect(problem(files)).toMatchObject({ code: 'segment-damaged', lastGoodIndex: 3 });
    const database = salvage(files);
    expect(database).toMatchObject({ bytes: first, lastIndex: 5 });
    expect(database.notices).toMatchObject([{ code: 'damage-bypassed' }]);
  });

  it('behind the snapshot is checked once by one caller, and again where it changed', () => {
    const path = directory(folder, {
      'snapshot-1-4-1': snapshotData(third),
      'snapshot-1-4-1.meta': snapshotMeta(configuration({ id: 1, address: '1', role: 1 })),
      [closedName(3, 4)]: segment(one, two),
      [closedName(5, 5)]: segment(one),
    });
    const checked: CheckedSegments = new Set();

    const whole = readDatabase(path, { checked });
    const again = readDatabase(path, { checked });
    fs.writeFileSync(join(path, closedName(3, 4)), segment(one, flip(two, 999)));

    expect([...checked]).toHaveLength(1);
    expect(again.bytes).toEqual(whole.bytes);
    expect(again.statistics.bytesRead).toBeLessThan(whole.statistics.bytesRead);
    expect(() => readDatabase(path, { checked })).toThrow(closedName(3, 4));
  });
});

describe('the order of segments', () => {
  const meta = snapshotMeta(configuration({ id: 1, address: '1', role: 1 }));
  const snapshot = (index: number): RawFiles => ({
    [`snapshot-1-${index}-1`]: snapshotData(first),
    [`snapshot-1-${index}-1.meta`]: meta,
  });
  const closed = (from: number, to: number): RawFiles => ({
    [closedName(from, to)]: segment(
      ...Array.from({ length: to - from + 1 }, () => (from === 1 ? batch(standalone) : two)),
    ),
  });

  it.each<[string, RawFiles, object, number]>([
    [
      'a missing beginning',
      closed(2, 4),
      { code: 'log-gap', expectedIndex: 1, foundIndex: 2, lastGoodIndex: 0 },
      0,
    ],
    [
      'a gap',
      { ...closed(1, 1), ...closed(2, 3), ...closed(5, 6) },
      { code: 'log-gap', expectedIndex: 4, foundIndex: 5, lastGoodIndex: 3 },
      3,
    ],
    [
      'a gap behind the snapshot',
      { ...snapshot(10), ...closed(8, 11), ...closed(13, 14) },
      { code: 'log-gap', expectedIndex: 12, foundIndex: 13, lastGoodIndex: 11 },
      11,
    ],
    [
      'a gap right behind the snapshot',
      { ...snapshot(10), ...closed(12, 14) },
      { code: 'log-gap', expectedIndex: 11, foundIndex: 12, lastGoodIndex: 10 },
      10,
    ],
    [
      'two segments with the same entries',
      { ...closed(1, 1), ...closed(2, 3), ...closed(2, 5) },
      { code: 'segments-overlap', other: expect.stringMatching(/2-0*3$/), lastGoodIndex: 3 },
      3,
    ],
    [
      'an open segment that does not reach the snapshot',
      { ...snapshot(10), ...closed(5, 6), 'open-1': Buffer.alloc(4096) },
      { code: 'log-behind-snapshot', snapshotIndex: 10, lastGoodIndex: 6 },
      10,
    ],
  ])('%s fails, and salvage gives what comes before', (_, files, expected, lastGoodIndex) => {
    expect(problem(files)).toMatchObject(expected);
    if (lastGoodIndex > 0) expect(salvage(files).lastIndex).toBe(lastGoodIndex);
    else expect(() => salvage(files)).toThrow(/nothing|no good entry/);
  });

  it('does not mind two segments with the same entries that both lie behind the snapshot', () => {
    const database = read({ ...snapshot(10), ...closed(2, 5), ...closed(2, 8), ...closed(9, 11) });
    expect(database).toMatchObject({ bytes: second, lastIndex: 11 });
  });

  it.each([['0000000000000000-0000000000000001'], ['5-3'], ['9999999999999998-9999999999999999']])(
    'refuses the name %s',
    (name) => {
      expect(problem({ ...closed(1, 1), [name]: segment(two) })).toMatchObject({ code: 'segment-name' });
    },
  );

  it('takes a name without padding for a segment, as the server does', () => {
    expect(read({ ...closed(1, 1), '2-3': segment(one, two) })).toMatchObject({
      bytes: second,
      lastIndex: 3,
    });
  });
});

describe('an entry that makes no sense', () => {
  const cases: readonly (readonly [string, Parameters<typeof batch>[0]])[] = [
    ['a command of an unknown type', command(77, Buffer.alloc(8))],
    ['a configuration that is none', { type: 3, payload: Buffer.alloc(16, 9) }],
    [
      'a transaction of a second database',
      frames({ pages: [[1, Buffer.alloc(4096)]], database: 'other.db' }),
    ],
    ['pages of another size', frames({ pages: [[1, Buffer.alloc(512)]], pageSize: 512 })],
  ];

  it.each(cases)('%s fails with its index, although its checksums are right', (_, entry) => {
    const files = { [closedName(1, 4)]: segment(batch(standalone), one, batch(barrier, entry)) };
    expect(problem(files)).toMatchObject({
      code: 'entry-malformed',
      index: 4,
      lastGoodIndex: 3,
      offset: 8 + batch(standalone).length + one.length + 48 + 8,
    });
    expect(salvage(files)).toMatchObject({ bytes: first, lastIndex: 3 });
  });

  it('a log that does not begin with a configuration fails', () => {
    expect(problem({ [closedName(1, 1)]: segment(one) })).toMatchObject({
      code: 'entry-malformed',
      index: 1,
    });
  });

  it('pages that are missing fail when the log is at its end', () => {
    const files = {
      ...begin,
      [closedName(2, 2)]: segment(batch(frames({ pages: [[1, first.subarray(0, 4096)]] }))),
    };
    expect(problem(files)).toMatchObject({ code: 'database-incomplete', lastGoodIndex: 2 });
  });
});

describe('metadata', () => {
  const log = { ...begin, [closedName(2, 2)]: segment(one) };

  it.each<[string, RawFiles, object]>([
    ['of format 2', { metadata1: metadata(1, 1, 2) }, { code: 'format-unsupported', format: 2n }],
    ['of version 0', { metadata1: metadata(0) }, { code: 'metadata-damaged', why: 'its version is 0' }],
    ['of equal versions', { metadata1: metadata(3), metadata2: metadata(3) }, { code: 'metadata-damaged' }],
    [
      'that is too long',
      { metadata2: Buffer.concat([metadata(2), Buffer.alloc(8)]) },
      { code: 'metadata-damaged' },
    ],
  ])('%s fails, and salvage does without', (_, files, expected) => {
    expect(problem({ ...log, ...files })).toMatchObject(expected);
    const database = salvage({ ...log, ...files });
    expect(database).toMatchObject({ bytes: first, notices: [{ code: 'damage-bypassed' }] });
  });

  it('that is cut off or missing is a notice', () => {
    expect(read({ ...log, metadata2: metadata(2).subarray(0, 31) }).notices).toEqual([
      { code: 'metadata-short', file: 'metadata2' },
    ]);
    const bare = directory(folder, log);
    fs.rmSync(join(bare, 'metadata1'));
    expect(readDatabase(bare).notices).toEqual([{ code: 'metadata-missing' }]);
  });
});

describe('a folder', () => {
  const log = { ...begin, [closedName(2, 2)]: segment(one) };

  it('that is missing, is a file or holds no database fails with its name', () => {
    const file = join(directory(folder, {}), 'metadata1');
    for (const path of [join(folder, 'missing'), file])
      expect(() => readDatabase(path)).toThrow(
        expect.objectContaining({
          problem: expect.objectContaining({ code: 'folder-unreadable', folder: path }),
        }),
      );
    expect(problem({})).toMatchObject({ code: 'no-database' });
    expect(problem({ 'open-1': Buffer.alloc(64) })).toMatchObject({ code: 'no-database' });
  });

  it('of an LXD before 4.0 is refused by name', () => {
    expect(problem({ 'logs.db': Buffer.alloc(8) })).toMatchObject({ code: 'legacy-format' });
  });

  it('may hold other files: those that mean something are named, those of a healthy server are not', () => {
    const { notices } = read({
      ...log,
      'corrupt-1700000000000000000-open-3': Buffer.alloc(8),
      'tmp-42': Buffer.alloc(8),
      'copy of open-1': Buffer.alloc(8),
      'dqlite-lock': Buffer.alloc(0),
      '.probe': Buffer.alloc(4096),
    });
    expect(notices.map((notice) => [notice.code, 'file' in notice ? notice.file : ''])).toEqual([
      ['file-ignored', 'copy of open-1'],
      ['set-aside', 'corrupt-1700000000000000000-open-3'],
      ['file-ignored', 'tmp-42'],
    ]);
  });

  it.each([
    ['a link', (path: string, target: string) => fs.symlinkSync(target, path)],
    ['a folder', (path: string) => fs.mkdirSync(path)],
  ])('in which a segment is %s is refused with the name', (_, make) => {
    const planted = directory(folder, log);
    make(join(planted, 'open-1'), join(planted, closedName(1, 1)));
    for (const use of [readDatabase, raftPosition])
      expect(() => use(planted)).toThrow(
        expect.objectContaining({ problem: { code: 'not-a-regular-file', file: join(planted, 'open-1') } }),
      );
  });

  it('shows hostile names inert', () => {
    const { notices } = read({ ...log, 'evil\u001b[2J': Buffer.alloc(1) });
    expect(notices.map(describeNotice).join()).toContain('evil\\u{1b}[2J');
  });

  it('is not changed by reading', () => {
    const before = directory(folder, {
      ...log,
      'open-1': padded(segment(flip(two, 99)), 65_536),
      'tmp-1': Buffer.alloc(1),
    });
    const state = (): unknown =>
      fs
        .readdirSync(before)
        .map((name) => [name, fs.statSync(join(before, name)).mtimeMs, fs.readFileSync(join(before, name))]);
    const was = state();
    readDatabase(before, { salvage: true });
    raftPosition(before);
    expect(state()).toEqual(was);
  });
});

describe('the dump of the last clean stop', () => {
  const log = { ...begin, [closedName(2, 3)]: segment(one, two) };

  it('is not mentioned when it is the current database', () => {
    expect(read({ ...log, 'db.bin': second, 'db.bin-wal': Buffer.alloc(0) }).notices).toEqual([]);
  });

  it('is a notice when it is older, shorter or no database, and is never used', () => {
    for (const dump of [first, second.subarray(0, 4096), Buffer.alloc(100), Buffer.alloc(0)]) {
      const database = read({ ...log, 'db.bin': dump });
      expect(database.bytes).toEqual(second);
      expect(database.notices).toMatchObject([{ code: 'dump-differs' }]);
    }
  });
});

describe('failures', () => {
  it('say what, where and what to do', () => {
    expect(() => read({ [closedName(1, 2)]: segment(batch(standalone), flip(one, 300)) })).toThrow(
      /^A log segment is damaged: the checksum of the data of a batch is wrong\.\n.*0000000000000001-0000000000000002, byte 64; the last good entry is 1\n.*--salvage/,
    );
  });
});
