// The position of a log without its content: the same that reading all of it gives.
import { describe, expect, it } from 'vitest';
import { raftPosition, readDatabase } from '../../src/dqlite/index.ts';
import {
  barrier,
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
  standalone,
} from './raw-log.ts';
import { sampleImage } from './sample-database.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const image = sampleImage(['one']);
const entry = batch(framesOf(image));
const begin = { [closedName(1, 2)]: segment(batch(standalone), entry) };

describe('raftPosition', () => {
  it.each<[string, RawFiles, object]>([
    ['closed segments', begin, { lastIndex: 2, lastTerm: 1 }],
    [
      'entries of a higher term before the last',
      {
        ...begin,
        [closedName(3, 4)]: segment(batch({ ...barrier, term: 8 }), batch({ ...barrier, term: 1 })),
      },
      { lastIndex: 4, lastTerm: 8 },
    ],
    [
      'an open segment that ends in an unfinished write',
      { ...begin, 'open-1': padded(segment(entry, entry.subarray(0, 500)), 65_536) },
      { lastIndex: 3, lastTerm: 1 },
    ],
    [
      'a snapshot, and entries behind it that were superseded',
      {
        'snapshot-3-10-1': snapshotData(image),
        'snapshot-3-10-1.meta': snapshotMeta(configuration({ id: 1, address: '1', role: 1 })),
        [closedName(10, 11)]: segment(batch({ ...barrier, term: 9 }), batch({ ...barrier, term: 2 })),
      },
      { lastIndex: 11, lastTerm: 3 },
    ],
  ])('knows %s', (_, files, position) => {
    const target = directory(folder, files);
    expect(raftPosition(target)).toEqual(position);
    expect(readDatabase(target)).toMatchObject(position);
  });

  it('moves with every entry', () => {
    const before = raftPosition(directory(folder, begin));
    const after = raftPosition(directory(folder, { ...begin, [closedName(3, 3)]: segment(entry) }));
    expect(after).toEqual({ ...before, lastIndex: before.lastIndex + 1 });
  });

  it('fails for a gap and for an empty folder, as reading does', () => {
    expect(() => raftPosition(directory(folder, { [closedName(2, 2)]: segment(entry) }))).toThrow(/gap/);
    expect(() => raftPosition(directory(folder, {}))).toThrow(/no database/);
  });
});
