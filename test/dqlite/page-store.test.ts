// The page that SQLite never writes, and what a store refuses to call a database.
import { describe, expect, it } from 'vitest';
import { lockBytePage, makeImage, makePageStore, putPage, setBase } from '../../src/dqlite/page-store.ts';
import { pageOf, sampleImage } from './sample-database.ts';

const image = sampleImage(['one', 'two']);

describe('makeImage', () => {
  it('knows where the lock-byte page is', () => {
    expect(lockBytePage(4096)).toBe(262_145);
  });

  it('fills the lock-byte page with zeros and misses no other page', () => {
    const lock = 3;
    const store = makePageStore();
    const base = Buffer.from(image);
    base.writeUInt32BE(lock + 1, 28);
    setBase(store, 4096, base);
    putPage(store, 4096, lock + 1, Buffer.alloc(4096, 7));

    const made = makeImage(store, lock);

    expect(made.slice(4096)).toEqual(
      Buffer.concat([pageOf(image, 2), Buffer.alloc(4096), Buffer.alloc(4096, 7)]),
    );
    expect(makeImage(store, lock + 2)).toBe('page 3 of 4 is missing');
  });

  it('names the first page that is missing', () => {
    const store = makePageStore();
    putPage(store, 4096, 1, pageOf(image, 1));
    expect(makeImage(store)).toBe('page 2 of 2 is missing');
  });

  it('takes no time for a page count that is a lie', () => {
    const store = makePageStore();
    const liar = Buffer.from(pageOf(image, 1));
    liar.writeUInt32BE(0xffff_ffff, 28);
    putPage(store, 4096, 1, liar);
    expect(makeImage(store)).toBe('page 2 of 4294967295 is missing');
  });

  it('goes by the highest page where the count in page 1 is not valid', () => {
    const store = makePageStore();
    const old = Buffer.from(pageOf(image, 1));
    old.writeUInt32BE(1, 28);
    old.writeUInt32BE(old.readUInt32BE(24) + 1, 92);
    putPage(store, 4096, 1, old);
    putPage(store, 4096, 2, pageOf(image, 2));
    expect(makeImage(store)).toHaveLength(image.length);
  });

  it('refuses pages that are no database', () => {
    const store = makePageStore();
    putPage(store, 4096, 1, Buffer.alloc(4096, 1));
    expect(makeImage(store)).toMatch(/not the beginning of an SQLite database/);
  });
});
