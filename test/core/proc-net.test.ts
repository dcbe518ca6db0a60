// Tables of sockets as the kernel writes them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalAddress, parseProcNet } from '../../src/core/proc-net.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (local: string, state: string, inode = '4711'): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`;

describe('a table of sockets', () => {
  test.each([
    ['0100007F:20FB', '127.0.0.1', 8443],
    ['00000000:0050', '0.0.0.0', 80],
    ['0146460A:0035', '10.70.70.1', 53],
    ['00000000000000000000000000000000:20FB', '::', 8443],
    ['00000000000000000000000001000000:20FB', '::1', 8443],
    ['B80D0120000000000000000001000000:01BB', '2001:db8::1', 443],
    ['0000000000000000FFFF00000100007F:20FB', '127.0.0.1', 8443],
  ])('says where somebody waits: %s', (local, address, port) => {
    const sockets = parseProcNet(head + line(local, '0A'), 'tcp');

    expect(sockets).toEqual([{ address, port, inode: '4711' }]);
  });

  test('has connections too, on which nobody waits', () => {
    const text = head + line('0100007F:20FB', '01') + line('0100007F:0035', '07');

    const [tcp, udp] = [parseProcNet(text, 'tcp'), parseProcNet(text, 'udp')];

    expect(tcp).toEqual([]);
    expect(udp.map(({ port }) => port)).toEqual([53]);
  });

  test('may hold anything', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const { address, port, inode } of parseProcNet(head + text, 'tcp')) {
          expect(address).not.toBe('');
          expect(port).toBeGreaterThanOrEqual(0);
          expect(inode).toMatch(/^\d+$/);
        }
      }),
    );
  });
});

describe('an address', () => {
  test.each([
    ['2001:0DB8:0:0::0001', '2001:db8::1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['10.0.0.1', '10.0.0.1'],
    ['lxd.example.net', 'lxd.example.net'],
    ['not:an:address', 'not:an:address'],
  ])('is written in one way: %s', (written, canonical) => {
    expect(canonicalAddress(written)).toBe(canonical);
  });
});
