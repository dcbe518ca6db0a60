// Commands of all versions, and payloads that are none.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCommand } from '../../src/dqlite/command.ts';
import { checkpoint, command, frames, openCommand, undo } from './raw-log.ts';

const page = (byte: number): Buffer => Buffer.alloc(4096, byte);

describe('decodeCommand', () => {
  it('reads a transaction: pages in the order of the log, numbers repeated where they are', () => {
    const { payload } = frames({
      pages: [
        [3, page(1)],
        [1, page(2)],
        [3, page(3)],
      ],
    });
    expect(decodeCommand(payload)).toEqual({
      type: 'frames',
      database: 'db.bin',
      isCommit: true,
      pageSize: 4096,
      pageNumbers: [3, 1, 3],
      pages: Buffer.concat([page(1), page(2), page(3)]),
    });
  });

  it('reads a transaction of a database with a longer name', () => {
    const { payload } = frames({ pages: [[1, page(1)]], database: 'a-longer-name.db', commit: 0 });
    expect(decodeCommand(payload)).toMatchObject({
      database: 'a-longer-name.db',
      isCommit: false,
      pages: page(1),
    });
  });

  it('reads the commands of older versions that write no pages', () => {
    expect([openCommand, undo, checkpoint].map(({ payload }) => decodeCommand(payload))).toEqual([
      { type: 'open' },
      { type: 'undo' },
      { type: 'checkpoint' },
    ]);
  });

  it('reads a CHECKPOINT as LXD 5.0.2 writes it', () => {
    expect(decodeCommand(Buffer.from('010400000000000064622e62696e0000', 'hex'))).toEqual({
      type: 'checkpoint',
    });
  });

  it.each([
    ['an unknown type', command(5, Buffer.alloc(8)).payload, /type 5/],
    ['an unknown format', Buffer.from('0202000000000000', 'hex'), /format 2/],
    ['page number 0', frames({ pages: [[0, page(1)]] }).payload, /page number/],
    ['a page number beyond 32 bits', frames({ pages: [[2n ** 32n + 1n, page(1)]] }).payload, /page number/],
    ['a page too little', frames({ pages: [[1, page(1)]] }).payload.subarray(0, -4096), /4096 bytes need/],
    [
      'bytes behind the last page',
      Buffer.concat([frames({ pages: [[1, page(1)]] }).payload, page(0)]),
      /bytes need/,
    ],
    ['a page size that is none', frames({ pages: [[1, page(1)]], pageSize: 4095 }).payload, /page size/],
    ['the page size 65536, which wraps to 0', frames({ pages: [], pageSize: 0 }).payload, /page size is 0/],
    ['a name without an end', command(2, Buffer.alloc(16, 0x61)).payload, /no end/],
    ['a transaction without its numbers', command(2, Buffer.from('db.bin\0\0')).payload, /cut off/],
    ['nothing', Buffer.alloc(0), /cut off/],
  ])('refuses %s', (_, payload, why) => {
    expect(decodeCommand(payload)).toMatch(why);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 4), fc.uint8Array({ maxLength: 200 }), (type, body) => {
        expect(decodeCommand(command(type, Buffer.from(body)).payload)).toBeDefined();
      }),
    );
  });
});
