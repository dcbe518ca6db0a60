// LZ4 frames: everything that was packed comes back, everything damaged is refused, and memory stays bounded.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLz4Frame, isLz4Frame } from '../../src/dqlite/lz4-frame.ts';
import { encodeLz4Frame } from './lz4-encoder.ts';

const limit = 1024 * 1024;

/** Content with repetitions near and far, as databases have them. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
      fc.constant(new Uint8Array(Buffer.from('CREATE TABLE instances_config '))),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => Buffer.concat(pieces));

const options = fc.record({
  linked: fc.boolean(),
  blockChecksums: fc.boolean(),
  contentSize: fc.boolean(),
  contentChecksum: fc.boolean(),
  blockSize: fc.integer({ min: 20, max: 65_536 }),
});

describe('decodeLz4Frame', () => {
  it('gives back what was packed, whatever the frame looks like', () => {
    fc.assert(
      fc.property(content, options, (bytes, how) => {
        const frame = encodeLz4Frame(bytes, how);
        expect(isLz4Frame(frame)).toBe(true);
        expect(decodeLz4Frame(frame, limit)).toEqual(bytes);
      }),
    );
  });

  it('finds any single changed byte in a frame with a content checksum', () => {
    const bytes = Buffer.from('CREATE TABLE t; CREATE TABLE t; INSERT INTO t; INSERT INTO t;'.repeat(40));
    const frame = encodeLz4Frame(bytes, { blockSize: 300 });
    for (let at = 4; at < frame.length; at += 1) {
      const damaged = Buffer.from(frame);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      expect(decodeLz4Frame(damaged, limit), `byte ${at}`).toHaveProperty('why');
    }
  });

  it('finds every shorter piece of a frame', () => {
    const frame = encodeLz4Frame(Buffer.from('abcdabcdabcdabcdabcd'.repeat(20)));
    for (let length = 4; length < frame.length; length += 1)
      expect(decodeLz4Frame(frame.subarray(0, length), limit), `${length} bytes`).toHaveProperty('why');
  });

  it('refuses content beyond the limit without making it', () => {
    const bomb = encodeLz4Frame(Buffer.alloc(40_000_000));
    const before = process.memoryUsage().arrayBuffers;
    expect(decodeLz4Frame(bomb, limit)).toMatchObject({ why: expect.stringContaining('larger than') });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(limit);
  });

  it('refuses a frame that lies about its size', () => {
    const bytes = Buffer.from('some content');
    const frame = encodeLz4Frame(bytes, { contentSize: true, contentChecksum: false });
    const honest = encodeLz4Frame(Buffer.alloc(5000, 1), { contentSize: true });
    honest.copy(frame, 4, 4, 15);
    expect(decodeLz4Frame(frame, limit)).toHaveProperty('why');
  });

  it('refuses a match that reaches back before the content', () => {
    const block = Buffer.from([0x10, 0x61, 0x02, 0x00, 0x50, 0x62, 0x62, 0x62, 0x62, 0x62]);
    const frame = encodeLz4Frame(Buffer.alloc(0), { contentSize: false, contentChecksum: false });
    const bad = Buffer.concat([
      frame.subarray(0, 7),
      Buffer.from([block.length, 0, 0, 0]),
      block,
      Buffer.alloc(4),
    ]);
    expect(decodeLz4Frame(bad, limit)).toMatchObject({ why: expect.stringContaining('before the content') });
  });

  it('never throws and never exceeds the limit, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const header = encodeLz4Frame(Buffer.alloc(0), {
          contentSize: false,
          contentChecksum: false,
        }).subarray(0, 7);
        const decoded = decodeLz4Frame(Buffer.concat([header, bytes]), limit);
        expect('why' in decoded || decoded.length <= limit).toBe(true);
      }),
    );
  });
});
