// What verify looks at on the host itself: bridges, their dnsmasq, processes of proxies, volumes of the server.
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import type { Check } from '../../../src/migrate/model/verification.ts';
import { bridgeChecks } from '../../../src/migrate/verify/bridge-checks.ts';
import { daemonVolumeChecks } from '../../../src/migrate/verify/daemon-volume-checks.ts';
import { notLookedAt } from '../../../src/migrate/verify/not-looked-at.ts';
import { proxyChecks } from '../../../src/migrate/verify/proxy-checks.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { lxdDatabase, populatedDatabase } from '../lxd-database.ts';

const incus = '/var/lib/incus';

function machine(): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  return host;
}

function runs(host: FakeHost, pid: number, ...argv: string[]): void {
  host.machine.processes.push({
    pid,
    parent: 1,
    argv,
    program: `/usr/sbin/${argv[0]}`,
    sameMountNamespace: true,
    samePidNamespace: true,
  });
}

const failed = (checks: readonly Check[]): string[] =>
  checks.filter(({ ok }) => !ok).map(({ object, what, detail }) => `${object}: ${what}: ${detail}`);

describe('a bridge', () => {
  const config = { 'ipv4.address': '10.70.0.1/24', 'ipv6.address': 'fd42:0::1/64' };

  /** A machine on which it is as it should be. */
  function withBridge(): FakeHost {
    const host = machine();
    fs.mkdirSync(host.path('/sys/class/net/lxdbr0/bridge'), { recursive: true });
    host.onRun((argv) =>
      argv[0] === 'ip'
        ? {
            stdout: Buffer.from(
              JSON.stringify([
                { ifname: 'lo' },
                { ifname: 'lxdbr0', addr_info: [{ local: '10.70.0.1' }, { local: 'fd42::1' }] },
              ]),
            ),
          }
        : undefined,
    );
    runs(host, 7, 'dnsmasq', '--interface=lxdbr0', `--conf-file=${incus}/networks/lxdbr0/dnsmasq.raw`);
    return host;
  }
  const look = (host: FakeHost, more: Record<string, string> = {}) =>
    bridgeChecks(host, incus, [{ name: 'lxdbr0', config: { ...config, ...more } }]);

  test('is there with its addresses and its dnsmasq', async () => {
    const { checks, notLookedAt: left } = await look(withBridge());

    expect(checks.map(({ id, ok }) => [id, ok])).toEqual([
      ['bridge-on-host', true],
      ['bridge-dnsmasq', true],
    ]);
    expect(left).toEqual([]);
  });

  test('fails without its interface', async () => {
    const host = withBridge();
    fs.rmSync(host.path('/sys/class/net/lxdbr0'), { recursive: true });

    expect(failed((await look(host)).checks)).toEqual([
      'network lxdbr0: its bridge is there with its addresses: there is no interface lxdbr0',
    ]);
  });

  test('fails without one of its addresses', async () => {
    expect(failed((await look(withBridge(), { 'ipv4.address': '10.99.0.1/24' })).checks)).toEqual([
      'network lxdbr0: its bridge is there with its addresses: it does not have 10.99.0.1/24',
    ]);
  });

  test.each([
    ['of another bridge', ['--interface=lxdbr1', `--conf-file=${incus}/networks/lxdbr1/dnsmasq.raw`]],
    ['of LXD', ['--interface=lxdbr0', '--conf-file=/var/lib/lxd/networks/lxdbr0/dnsmasq.raw']],
    ['of the administrator', ['--interface=lxdbr0', '--conf-file=/etc/dnsmasq.conf']],
  ])('fails with the dnsmasq %s alone', async (_whose, argv) => {
    const host = withBridge();
    host.machine.processes = [];
    runs(host, 8, 'dnsmasq', ...argv);

    expect(failed((await look(host)).checks)).toEqual([
      `network lxdbr0: its dnsmasq runs: no dnsmasq works for it with files of ${incus}/networks`,
    ]);
  });

  test('needs no dnsmasq without addresses', async () => {
    const host = withBridge();
    host.machine.processes = [];

    const { checks } = await look(host, { 'ipv4.address': 'none', 'ipv6.address': 'none' });

    expect(checks.map(({ id, ok }) => [id, ok])).toEqual([['bridge-on-host', true]]);
  });

  test('says what could not be looked at', async () => {
    const host = withBridge();
    host.onRun((argv) => (argv[0] === 'ip' ? { status: 1 } : undefined));

    const { checks, notLookedAt: left } = await look(host, { 'dns.mode': 'none' });

    expect(checks.map(({ what, ok }) => [what, ok])).toEqual([['its bridge is there', true]]);
    expect(left).toHaveLength(2);
  });
});

describe('a proxy', () => {
  const server = readInventory(
    lxdDatabase(`
      INSERT INTO instances VALUES (1, 1, 'c1', 0, 0, 0, '2026-01-01', 0, '2026-01-01', '', 1, NULL);
      INSERT INTO instances VALUES (2, 1, 'c2', 0, 0, 0, '2026-01-01', 0, '2026-01-01', '', 2, NULL);
      INSERT INTO profiles_devices VALUES (1, 1, 'of-profile', 8);
      INSERT INTO profiles_devices_config VALUES (1, 1, 'listen', 'tcp:0.0.0.0:80'), (2, 1, 'connect', 'tcp:127.0.0.1:80');
      INSERT INTO instances_profiles VALUES (1, 1, 1, 1), (2, 2, 1, 1);
      INSERT INTO instances_devices VALUES (1, 1, 'by-rules', 8), (2, 2, 'of-profile', 0);
      INSERT INTO instances_devices_config VALUES (1, 1, 'nat', 'true');
    `),
  );
  const look = (host: FakeHost, ...running: string[]) =>
    proxyChecks(host, incus, {
      ...server,
      instances: server.instances.map((one) => ({
        ...one,
        status: running.includes(`${one.project}/${one.name}`) ? 'Running' : 'Stopped',
      })),
    });

  test.each([
    ['proxy.of-profile', 'Incus 6.0.4'],
    ['proxy.of--profile', 'Incus 7'],
  ])('has the process that its record names: %s', (file) => {
    const host = machine();
    host.writeFile(`${incus}/devices/c1/${file}`, 'name: incusd\nargs: [forkproxy]\npid: 42\n');
    runs(host, 42, 'incusd', 'forkproxy', '--');

    const { checks } = look(host, 'default/c1');

    expect(checks).toEqual([
      {
        id: 'proxy-listens',
        object: 'instance default/c1, proxy of-profile',
        what: 'its process forwards tcp:0.0.0.0:80',
        ok: true,
      },
    ]);
  });

  test('fails where that process has ended, or is another by now', () => {
    const host = machine();
    host.writeFile(`${incus}/devices/c1/proxy.of-profile`, 'pid: 42\n');
    runs(host, 42, 'sshd');

    expect(failed(look(host, 'default/c1').checks)).toEqual([
      'instance default/c1, proxy of-profile: its process forwards tcp:0.0.0.0:80: process 42, which did it, has ended',
    ]);
  });

  test('fails without a record', () => {
    expect(failed(look(machine(), 'default/c1').checks)).toEqual([
      `instance default/c1, proxy of-profile: its process forwards tcp:0.0.0.0:80: ${incus}/devices/c1 has no record of its process`,
    ]);
  });

  test('is not expected of an instance that does not run, or that has put another device in its place', () => {
    expect(look(machine(), 'dev/c2').checks).toEqual([]);
    expect(look(machine()).checks).toEqual([]);
  });

  test('by rules of the firewall is said not to be looked at', () => {
    expect(look(machine(), 'default/c1').notLookedAt).toEqual([
      'firewall rules of proxies with nat: instance default/c1, proxy by-rules',
    ]);
  });
});

describe('a volume of the server', () => {
  const config = { 'storage.images_volume': 'bt/images' };
  const volume = `${incus}/storage-pools/bt/custom/default_images`;
  const look = (host: FakeHost): string[] => failed(daemonVolumeChecks(host, incus, config));
  const link = (host: FakeHost, target: string): void => {
    fs.mkdirSync(host.path(incus), { recursive: true });
    fs.symlinkSync(target, host.path(`${incus}/images`));
  };

  test('is where the link of its folder leads', () => {
    const host = machine();
    fs.mkdirSync(host.path(volume), { recursive: true });
    link(host, volume);

    const checks = daemonVolumeChecks(host, incus, config);

    expect(checks.map(({ id, ok }) => [id, ok])).toEqual([['daemon-volume', true]]);
  });

  test.each<[string, (host: FakeHost) => void, string]>([
    ['where the link leads elsewhere', (host) => link(host, '/var/lib/lxd/x'), 'it leads to /var/lib/lxd/x'],
    ['where the volume is not there', (host) => link(host, volume), 'it leads to nothing'],
    ['where there is no link', () => {}, 'it leads to nothing'],
    [
      'where there is a folder in its place',
      (host) => void fs.mkdirSync(host.path(`${incus}/images`), { recursive: true }),
      'it is a folder of its own, and not a link',
    ],
  ])('fails %s', (_what, make, why) => {
    const host = machine();
    make(host);

    expect(look(host)).toEqual([`storage.images_volume bt/images: ${incus}/images leads to it: ${why}`]);
  });

  test('is not looked for where none is set', () => {
    expect(daemonVolumeChecks(machine(), incus, { 'storage.images_volume': '' })).toEqual([]);
  });
});

describe('what is not looked at', () => {
  test('is named as far as the server has it', () => {
    const lines = notLookedAt(readInventory(populatedDatabase()));

    expect(lines.length).toBeGreaterThan(0);
    expect(lines).toContainEqual(expect.stringMatching(/^what is in custom volumes: /));
  });

  test('is nothing on a server that has nothing', () => {
    expect(notLookedAt(readInventory(lxdDatabase()))).toEqual([]);
  });
});
