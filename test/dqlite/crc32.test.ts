// The checksum of segments against known values, and its continuation over pieces.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/dqlite/crc32.ts';

describe('crc32', () => {
  it('gives the check value of the unreflected variant without final xor', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0x89a1897f);
  });

  it('gives the checksums that a real LXD wrote in its first segment', () => {
    const header = '010000000000000001000000000000000300000018000000';
    const data = '01010000000000000001000000000000003100017661' + '6c75';
    expect(crc32(Buffer.from(header, 'hex'))).toBe(0x9b04f27f);
    expect(crc32(Buffer.from(data, 'hex'))).toBe(0xbcff930e);
  });

  it('is the same in one piece and in two', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(crc32(bytes));
      }),
    );
  });

  it('is the remainder of a division by the polynomial, bit by bit', () => {
    const slow = (bytes: Uint8Array): number => {
      let rest = 0n;
      for (const byte of bytes) rest = (rest << 8n) | BigInt(byte);
      rest <<= 32n;
      for (let bit = BigInt(bytes.length * 8 + 31); bit >= 32n; bit -= 1n)
        if ((rest >> bit) & 1n) rest ^= 0x104c11db7n << (bit - 32n);
      return Number(rest);
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(crc32(bytes)).toBe(slow(bytes));
      }),
    );
  });
});
