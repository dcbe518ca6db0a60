// Addresses of a server's configuration, and who holds them.
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PortHolder } from '../../../src/core/host.ts';
import { addressConditions, endpointOf } from '../../../src/migrate/condition/addresses.ts';
import { fakeHost } from '../../fakes/fake-host.ts';

describe('a configured address', () => {
  test.each([
    ['127.0.0.1:8444', '127.0.0.1', 8444],
    ['127.0.0.1', '127.0.0.1', 8443],
    [':8444', undefined, 8444],
    ['[::]:8444', undefined, 8444],
    ['[::]', undefined, 8443],
    ['::', undefined, 8443],
    ['0.0.0.0:8444', undefined, 8444],
    ['[::1]:8444', '::1', 8444],
    ['[2001:DB8::01]', '2001:db8::1', 8443],
    ['fe80::1', 'fe80::1', 8443],
    ['10.0.0.1:', '10.0.0.1', 8443],
    ['lxd.example.net:8444', undefined, 8444],
    ['lxd.example.net', undefined, 8443],
  ])('is read as both daemons read it: %s', (value, address, port) => {
    expect(endpointOf(value, 8443)).toEqual({ address, port });
  });

  test('may be any text', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const { port } = endpointOf(value, 8443);

        expect(Number.isInteger(port)).toBe(true);
      }),
    );
  });
});

const daemon = 100;
const held = (
  address: string,
  port: number,
  pid: number | undefined,
  protocol: PortHolder['protocol'] = 'tcp',
): PortHolder => ({ protocol, address, port, pid });

function holders(
  config: Record<string, string>,
  ports: readonly PortHolder[],
  pid: number | undefined = daemon,
) {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.machine.ports = [...ports];
  host.machine.processes = [
    {
      pid: 200,
      parent: 1,
      argv: ['socat', 'TCP-LISTEN:8443'],
      program: '/usr/bin/socat',
      sameMountNamespace: true,
      samePidNamespace: true,
    },
  ];
  return addressConditions(host, config, pid, '/var/lib/incus').map(({ key, holder, who }) =>
    [key, holder, who].join(' ').trimEnd(),
  );
}

const https = (value: string): Record<string, string> => ({ 'core.https_address': value });

describe('it is held', () => {
  test.each<[string, string, readonly PortHolder[], string]>([
    ['by the daemon', '127.0.0.1:8443', [held('127.0.0.1', 8443, daemon)], 'daemon'],
    ['by the daemon on every address', '10.0.0.1', [held('::', 8443, daemon)], 'daemon'],
    ['by the daemon, on a name', 'lxd.example.net', [held('10.0.0.1', 8443, daemon)], 'daemon'],
    [
      'by the daemon, beside somebody on another address',
      ':8443',
      [held('127.0.0.1', 8443, 200), held('10.0.0.1', 8443, daemon)],
      'daemon',
    ],
    [
      'by another program',
      '127.0.0.1:8443',
      [held('127.0.0.1', 8443, 200)],
      'other process 200 (socat TCP-LISTEN:8443)',
    ],
    [
      'by one that takes every address',
      '127.0.0.1',
      [held('0.0.0.0', 8443, 200)],
      'other process 200 (socat TCP-LISTEN:8443)',
    ],
    [
      'by one that nobody can see',
      '127.0.0.1',
      [held('127.0.0.1', 8443, undefined)],
      'other a process that could not be found',
    ],
    ['by nobody', '127.0.0.1', [held('127.0.0.1', 8444, 200), held('127.0.0.2', 8443, 200)], 'nobody'],
    ['by nobody, where another protocol has that port', ':8443', [held('::', 8443, 200, 'udp')], 'nobody'],
  ])('%s', (_what, value, ports, holder) => {
    expect(holders(https(value), ports)).toEqual([`core.https_address ${holder}`]);
  });

  test('by nobody where no daemon runs', () => {
    expect(holders(https(':8443'), [], undefined)).toEqual(['core.https_address nobody']);
  });
});

test('who is not root takes what nobody shows for nobody, and not for somebody', () => {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.machine.userId = 1000;
  host.machine.ports = [held('127.0.0.1', 8443, undefined)];

  const [found] = addressConditions(host, https('127.0.0.1'), undefined, '/var/lib/lxd');

  expect(found?.holder).toBe('nobody');
});

test('each address has its own port where none is given', () => {
  const config = {
    'core.https_address': '127.0.0.1',
    'core.metrics_address': '127.0.0.1',
    'core.storage_buckets_address': '127.0.0.1',
    'core.bgp_address': '127.0.0.1',
    'core.bgp_asn': '65000',
    'core.bgp_routerid': '127.0.0.1',
    'core.dns_address': '127.0.0.1',
    'core.debug_address': '127.0.0.1',
  };
  const ports = [8443, 9100, 9000, 179, 53, 8080].map((port) => held('127.0.0.1', port, daemon));

  const found = holders(config, [...ports, held('127.0.0.1', 53, daemon, 'udp')]);

  expect(found.sort()).toEqual(
    ['bgp', 'debug', 'dns', 'https', 'metrics', 'storage_buckets'].map(
      (name) => `core.${name}_address daemon`,
    ),
  );
});

test('DNS is served only where both of its protocols are', () => {
  const config = { 'core.dns_address': '127.0.0.1:5353' };

  expect(holders(config, [held('127.0.0.1', 5353, daemon)])).toEqual(['core.dns_address nobody']);
});

test('what is not set, or not complete, is not listened on', () => {
  expect(holders({ 'core.https_address': '', 'core.bgp_address': ':179', 'core.bgp_asn': '0' }, [])).toEqual(
    [],
  );
});

test('the socket for syslog is one of its directory', () => {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  const config = { 'core.syslog_socket': 'true' };
  const look = (): string[] =>
    addressConditions(host, config, daemon, '/var/lib/incus').map(
      ({ value, holder }) => `${value} ${holder}`,
    );

  const before = look();
  host.writeFile('/proc/net/unix', 'Num\nff 2 0 0 2 1 4 /var/lib/incus/syslog.socket\n');

  expect(before).toEqual(['/var/lib/incus/syslog.socket nobody']);
  expect(look()).toEqual(['/var/lib/incus/syslog.socket daemon']);
});
