// Defaults that differ are written down, for the targets where they differ, and only where nothing is set.
import { describe, expect, test } from 'vitest';
import { ask } from '../lxd-database.ts';
import { config, converted } from './converted.ts';

const network = (id: number, name: string, type: number): string =>
  `INSERT INTO networks VALUES (${id}, 1, '${name}', '', 1, ${type});`;
const seen = new Map([['lxdbr0/bridge.hwaddr', '00:16:3e:aa:bb:cc']]);
const pattern = '00:16:3e:xx:xx:xx';

function networkKeys(image: Buffer): Record<string, unknown> {
  return Object.fromEntries(
    ask(image, 'SELECT key, value FROM networks_config ORDER BY key').map(({ key, value }) => [key, value]),
  );
}

function serverKeys(image: Buffer): Record<string, unknown> {
  return Object.fromEntries(
    ask(image, 'SELECT key, value FROM config').map(({ key, value }) => [key, value]),
  );
}

describe('the addresses of gateways', () => {
  test.each(['6.0.4', '6.0.5'])('are pinned on each bridge for %s, which has no pattern', (targetVersion) => {
    const { image } = converted(network(1, 'lxdbr0', 0), { targetVersion, pinsFromHost: seen });

    expect(networkKeys(image)['bridge.hwaddr']).toBe('00:16:3e:aa:bb:cc');
    expect(serverKeys(image)).toEqual({});
  });

  test.each(['6.0.6', '6.0.10', '7.0.2', '7.3.0'])('are pinned by one pattern for %s', (targetVersion) => {
    const { image, changes } = converted(network(1, 'lxdbr0', 0), { targetVersion, pinsFromHost: seen });

    expect(networkKeys(image)).toEqual({ 'dns.domain': 'lxd' });
    expect(serverKeys(image)).toEqual({ 'network.hwaddr_pattern': pattern });
    expect(changes).toContainEqual({
      table: 'config',
      rowId: 1,
      object: 'server',
      what: 'network.hwaddr_pattern',
      before: null,
      after: pattern,
      rule: 'pin:network.hwaddr_pattern',
    });
  });

  test('that are set stay as they are', () => {
    const sql = `${network(1, 'lxdbr0', 0)} ${config('networks_config', 1, { 'bridge.hwaddr': '02:00:00:00:00:01' })}`;

    expect(networkKeys(converted(sql, { pinsFromHost: seen }).image)['bridge.hwaddr']).toBe(
      '02:00:00:00:00:01',
    );
  });

  test('that nobody can read are a note, and nothing is written', () => {
    const { image, findings } = converted(`${network(1, 'lxdbr0', 0)} ${network(2, 'other', 0)}`, {
      pinsFromHost: seen,
    });

    expect(ask(image, "SELECT network_id FROM networks_config WHERE key = 'bridge.hwaddr'")).toEqual([
      { network_id: 1 },
    ]);
    expect(findings).toMatchObject([
      { id: 'pin-unknown:bridge.hwaddr', severity: 'note', objects: ['network default/other'] },
    ]);
  });

  test("are nobody's without a network", () => {
    expect(serverKeys(converted('', { targetVersion: '7.0.2' }).image)).toEqual({});
  });

  test('of a server that has a pattern stay under it', () => {
    const sql = `${network(1, 'lxdbr0', 0)} INSERT INTO config VALUES (1, 'network.hwaddr_pattern', '02:xx:xx:xx:xx:xx');`;

    expect(serverKeys(converted(sql, { targetVersion: '7.0.2' }).image)).toEqual({
      'network.hwaddr_pattern': '02:xx:xx:xx:xx:xx',
    });
  });
});

describe('the domain of guests', () => {
  test.each([
    ['bridge', 0, true],
    ['macvlan', 1, false],
    ['sriov', 2, false],
    ['ovn', 3, true],
    ['physical', 4, false],
  ])('is pinned on a network of type %s (%i): %s', (_name, type, pinned) => {
    const { image } = converted(network(1, 'n', type));

    expect(networkKeys(image)).toEqual(pinned ? { 'dns.domain': 'lxd' } : {});
  });

  test('that is set stays', () => {
    const { image } = converted(
      `${network(1, 'n', 3)} ${config('networks_config', 1, { 'dns.domain': 'example' })}`,
    );

    expect(networkKeys(image)).toEqual({ 'dns.domain': 'example' });
  });

  test.each([null, ''])('that is set to %j counts as not set', (value) => {
    const { image, changes } = converted(
      `${network(1, 'n', 3)} ${config('networks_config', 1, { 'dns.domain': value })}`,
    );

    expect(networkKeys(image)).toEqual({ 'dns.domain': 'lxd' });
    expect(changes).toContainEqual(
      expect.objectContaining({ what: 'dns.domain', after: 'lxd', rule: 'pin:dns.domain' }),
    );
  });
});
