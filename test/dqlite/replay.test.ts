// What entries of all versions do to the database, on logs made by hand.
import { describe, expect, it } from 'vitest';
import { readDatabase } from '../../src/dqlite/index.ts';
import {
  barrier,
  batch,
  checkpoint,
  closedName,
  configuration,
  directory,
  frames,
  framesOf,
  openCommand,
  padded,
  type RawEntry,
  segment,
  standalone,
  undo,
} from './raw-log.ts';
import { changed, pageOf, sampleImage, valuesOf } from './sample-database.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const first = sampleImage(['one']);
const second = changed(first, "INSERT INTO t (value) VALUES ('two')");
const third = changed(second, "INSERT INTO t (value) VALUES ('three')");

function read(...entries: RawEntry[]) {
  const all = [standalone, ...entries];
  return readDatabase(
    directory(folder, { [closedName(1, all.length)]: segment(...all.map((entry) => batch(entry))) }),
  );
}

describe('replay', () => {
  it('gives the pages of the last transaction, byte for byte', () => {
    const database = read(framesOf(first), framesOf(second));
    expect(database.bytes).toEqual(second);
    expect(database.notices).toEqual([]);
  });

  it('counts entries without effect on the database', () => {
    const database = read(openCommand, framesOf(first), barrier, checkpoint, framesOf(second));
    expect(database.bytes).toEqual(second);
    expect(database.lastIndex).toBe(6);
    expect(database.statistics).toMatchObject({ entries: 6, transactions: 2, checkpoints: 1, barriers: 1 });
  });

  it('applies frames that are not committed together with the commit after them', () => {
    const { bytes } = read(
      framesOf(first),
      frames({ pages: [[2, pageOf(second, 2)]], commit: 0 }),
      frames({ pages: [[1, pageOf(second, 1)]] }),
    );
    expect(bytes).toEqual(second);
  });

  it('applies them once: what a later transaction writes stays', () => {
    const { bytes } = read(
      framesOf(first),
      frames({ pages: [[2, pageOf(second, 2)]], commit: 0 }),
      frames({ pages: [[1, pageOf(second, 1)]] }),
      frames({ pages: [[2, pageOf(third, 2)]] }),
      frames({ pages: [[1, pageOf(third, 1)]] }),
    );
    expect(bytes).toEqual(third);
  });

  it('lets the later image of a page win within one transaction', () => {
    const { bytes } = read(
      framesOf(first),
      frames({
        pages: [
          [1, pageOf(second, 1)],
          [2, pageOf(second, 2)],
          [1, pageOf(third, 1)],
          [2, pageOf(third, 2)],
        ],
      }),
    );
    expect(bytes).toEqual(third);
  });

  it('forgets frames that were undone', () => {
    const database = read(
      framesOf(first),
      frames({ pages: [[2, Buffer.alloc(4096, 255)]], commit: 0 }),
      undo,
      framesOf(second),
    );
    expect(database.bytes).toEqual(second);
    expect(database.notices).toEqual([]);
  });

  it('drops frames at the end that were never committed, and says so', () => {
    const database = read(framesOf(second), frames({ pages: [[2, Buffer.alloc(4096, 255)]], commit: 0 }));
    expect(database.bytes).toEqual(second);
    expect(database.notices).toEqual([{ code: 'uncommitted-dropped', pages: 1 }]);
  });

  it('takes the size from page 1, so that VACUUM shrinks the database', () => {
    const large = sampleImage(Array.from({ length: 400 }, (_, at) => `value ${at}`.repeat(10)));
    const small = changed(large, 'DELETE FROM t WHERE id > 1; VACUUM');
    expect(small.length).toBeLessThan(large.length);
    const { bytes } = read(framesOf(large), framesOf(small));
    expect(bytes).toEqual(small);
  });

  it('says rollback mode where the pages say WAL mode, and changes nothing else', () => {
    const wal = Buffer.from(second);
    wal[18] = 2;
    wal[19] = 2;
    expect(read(framesOf(wal)).bytes).toEqual(second);
  });

  it('gives an empty database where nothing was ever committed', () => {
    const database = read();
    expect(changed(database.bytes, 'CREATE TABLE works (id INTEGER)').length).toBeGreaterThan(0);
    expect(database.notices).toEqual([{ code: 'database-empty' }]);
  });

  it('reads databases whose pages have another size', () => {
    const small = sampleImage(['small pages'], { pageSize: 1024 });
    expect(read(framesOf(small, 1024)).bytes).toEqual(small);
  });

  it('takes the last configuration and the highest term, for recovery writes term 1', () => {
    const members = configuration(
      { id: 7, address: '10.0.0.1:8443', role: 1 },
      { id: 9, address: 'b:1', role: 2 },
    );
    const database = read({ ...framesOf(first), term: 5 }, { type: 3, term: 1, payload: members });
    expect(database.configuration.servers).toEqual([
      { id: 7n, address: '10.0.0.1:8443', role: 'voter' },
      { id: 9n, address: 'b:1', role: 'spare' },
    ]);
    expect(database.lastTerm).toBe(5);
  });

  it('reads several entries of one batch, as followers write them', () => {
    const bytes = segment(batch(standalone, framesOf(first), checkpoint, framesOf(third)));
    const database = readDatabase(directory(folder, { [closedName(1, 4)]: bytes }));
    expect(valuesOf(database.bytes)).toEqual(['one', 'two', 'three']);
  });

  it('numbers open segments by their counter and not by their spelling', () => {
    const database = readDatabase(
      directory(folder, {
        [closedName(1, 1)]: segment(batch(standalone)),
        'open-9': padded(segment(batch(framesOf(first))), 65_536),
        'open-10': padded(segment(batch(framesOf(second))), 65_536),
        'open-11': Buffer.alloc(65_536),
        'open-100': Buffer.alloc(0),
      }),
    );
    expect(database.bytes).toEqual(second);
    expect(database.lastIndex).toBe(3);
    expect(database.notices).toEqual([]);
  });
});
