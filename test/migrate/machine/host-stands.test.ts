// What status says of the machine: in plain words what runs, and what a daemon that died left.
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ProcessInfo } from '../../../src/core/host.ts';
import { hostStands } from '../../../src/migrate/machine/host-stands.ts';
import type { Plan } from '../../../src/migrate/model/plan.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

const plan = {
  source: { dataDirectory: '/var/lib/lxd', program: '/usr/bin/lxd', sockets: ['/var/lib/lxd/unix.socket'] },
  target: {
    dataDirectory: '/var/lib/incus',
    program: '/usr/libexec/incus/incusd',
    sockets: ['/run/incus/unix.socket'],
  },
} as unknown as Plan;

function machine(...processes: Partial<ProcessInfo>[]): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  fs.mkdirSync(host.path('/var/lib/lxd'), { recursive: true });
  fs.mkdirSync(host.path('/sys/class/net'), { recursive: true });
  host.machine.processes = processes.map((process, index) => ({
    pid: 100 + index,
    parent: 1,
    argv: [],
    program: undefined,
    sameMountNamespace: true,
    samePidNamespace: true,
    ...process,
  }));
  return host;
}

const monitor = (directory: string, name: string): Partial<ProcessInfo> => ({
  argv: [`[lxc monitor] ${directory}/containers ${name}`],
});

describe('hostStands', () => {
  test('says which daemon runs, and how many of its instances', async () => {
    const host = machine(monitor('/var/lib/lxd', 'c1'), monitor('/var/lib/lxd', 'c2'));
    host.machine.listeners.set('/var/lib/lxd/unix.socket', 7);

    expect(await hostStands(host, plan)).toEqual([
      'LXD runs, and 2 of its instances do.',
      'Incus does not run; there is no /var/lib/incus.',
    ]);
  });

  test('says that instances outlived their daemon', async () => {
    const host = machine(monitor('/var/lib/lxd', 'c1'));

    expect((await hostStands(host, plan))[0]).toBe('LXD does not run, but 1 of its instances does.');
  });

  test('names what a dead daemon left, and nothing of one that lives', async () => {
    const dnsmasq = (directory: string): Partial<ProcessInfo> => ({
      program: '/usr/sbin/dnsmasq',
      argv: ['dnsmasq', `--dhcp-leasefile=${directory}/networks/br0/dnsmasq.leases`],
    });
    const host = machine(dnsmasq('/var/lib/lxd'), dnsmasq('/var/lib/incus'));
    host.machine.listeners.set('/var/lib/lxd/unix.socket', 7);
    fs.mkdirSync(host.path('/var/lib/incus'));
    for (const [name, own, other] of [
      ['veth00000001', '1', '2'],
      ['veth00000002', '2', '1'],
    ] as const) {
      host.writeFile(`/sys/class/net/${name}/ifindex`, `${own}\n`);
      host.writeFile(`/sys/class/net/${name}/iflink`, `${other}\n`);
    }

    expect(await hostStands(host, plan)).toEqual([
      'LXD runs; none of its instances does.',
      'Incus does not run.',
      'Left over, and cleared by resume and rollback before a daemon starts:',
      expect.stringMatching(/^ {2}process 101: dnsmasq .*\/var\/lib\/incus/),
      '  interface veth00000001',
      '  interface veth00000002',
    ]);
  });
});
