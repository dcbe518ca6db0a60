// Configurations: the sample of a real server, all that can be encoded, and what must be refused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeConfiguration, encodeConfiguration } from '../../src/dqlite/configuration.ts';
import { configuration } from './raw-log.ts';

const server = fc.record({
  id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  address: fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll('\0', '')),
  role: fc.constantFrom('standby', 'voter', 'spare'),
});

describe('decodeConfiguration', () => {
  it('reads the configuration of a standalone LXD, whose padding is leftover memory', () => {
    const bytes = Buffer.from('010100000000000000010000000000000031000176616c75', 'hex');
    expect(decodeConfiguration(bytes)).toEqual({ servers: [{ id: 1n, address: '1', role: 'voter' }] });
  });

  it('reads back every configuration that can be encoded', () => {
    const servers = fc
      .array(server, { maxLength: 6 })
      .filter(
        (list) =>
          new Set(list.map(({ id }) => id)).size === list.length &&
          new Set(list.map(({ address }) => address)).size === list.length,
      );
    fc.assert(
      fc.property(servers, (list) => {
        const bytes = encodeConfiguration({ servers: list });
        expect(bytes.length % 8).toBe(0);
        expect(decodeConfiguration(bytes)).toEqual({ servers: list });
      }),
    );
  });

  it.each([
    ['an unknown role', configuration({ id: 1, address: 'a', role: 3 }), /role 3/],
    [
      'an id twice',
      configuration({ id: 1, address: 'a', role: 1 }, { id: 1, address: 'b', role: 1 }),
      /id twice/,
    ],
    [
      'an address twice',
      configuration({ id: 1, address: 'a', role: 1 }, { id: 2, address: 'a', role: 1 }),
      /address twice/,
    ],
    ['an unknown encoding', Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0]), /encoding 2/],
    ['more servers than bytes', Buffer.from([1, 255, 255, 255, 255, 255, 255, 255, 255]), /cut off/],
    ['no bytes', Buffer.alloc(0), /cut off/],
  ])('refuses %s', (_, bytes, why) => {
    expect(decodeConfiguration(bytes)).toMatch(why);
  });
});
