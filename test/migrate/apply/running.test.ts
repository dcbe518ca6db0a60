// What of a data directory runs: instances, helpers, mounts; and nothing that only looks like it.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ProcessInfo } from '../../../src/core/host.ts';
import { powerFromProcesses } from '../../../src/migrate/apply/power.ts';
import { helperProcesses, runningInstances, whatIsLeft } from '../../../src/migrate/apply/running.ts';
import { clearLeftovers } from '../../../src/migrate/apply/steps/leftovers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

const lxd = { dataDirectory: '/var/lib/lxd', program: '/usr/bin/lxd' };

function machine(...processes: Partial<ProcessInfo>[]): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
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

const monitor = (path: string, name: string): Partial<ProcessInfo> => ({
  argv: [`[lxc monitor] ${path}/containers ${name}`],
  program: '/usr/bin/lxd',
});

describe('running instances', () => {
  test('are those with a monitor on the directory, by project and name', () => {
    const host = machine(monitor('/var/lib/lxd', 'c1'), monitor('/var/lib/lxd', 'dev_c-2'));

    expect(powerFromProcesses(host, '/var/lib/lxd')).toEqual({
      running: ['default/c1', 'dev/c-2'],
      frozen: [],
    });
  });

  test.each([
    ['another directory', monitor('/var/lib/lxd-data', 'c1')],
    ['the directory of Incus', monitor('/var/lib/incus', 'c1')],
    ['an LXD inside a container', { ...monitor('/var/lib/lxd', 'c1'), samePidNamespace: false }],
    ['a process that is only called so', { argv: ['vim', '[lxc monitor] /var/lib/lxd/containers c1'] }],
    ['plain LXC', { argv: ['[lxc monitor] /var/lib/lxc c1'] }],
  ])('are not those of %s', (_what, process) => {
    expect(runningInstances(machine(process), '/var/lib/lxd')).toEqual([]);
  });

  test('are virtual machines too, by the name that qemu was given', () => {
    const qemu = (directory: string): Partial<ProcessInfo> => ({
      program: '/usr/bin/qemu-system-x86_64',
      argv: [
        'qemu-system-x86_64',
        '-name',
        'dev_v1',
        '-readconfig',
        `/var/log/lxd/v1/qemu.conf`,
        '-pidfile',
        `${directory}/x`,
      ],
    });

    expect(powerFromProcesses(machine(qemu('/var/lib/lxd')), '/var/lib/lxd').running).toEqual(['dev/v1']);
    expect(powerFromProcesses(machine(qemu('/srv/mine')), '/var/lib/lxd').running).toEqual([]);
  });

  test.each([
    ['/sys/fs/cgroup/lxc.payload.c1/cgroup.freeze', '1\n'],
    ['/sys/fs/cgroup/unified/lxc.payload.c1/cgroup.freeze', '1\n'],
    ['/sys/fs/cgroup/freezer/lxc.payload.c1/freezer.state', 'FROZEN\n'],
  ])('are frozen by %s', (path, content) => {
    const host = machine(monitor('/var/lib/lxd', 'c1'));
    host.writeFile(path, content);

    expect(powerFromProcesses(host, '/var/lib/lxd')).toEqual({ running: [], frozen: ['default/c1'] });
  });
});

describe('helpers', () => {
  test.each([
    [
      'a dnsmasq',
      '/usr/sbin/dnsmasq',
      ['dnsmasq', '--dhcp-leasefile=/var/lib/lxd/networks/lxdbr0/dnsmasq.leases'],
    ],
    [
      'a proxy between two ports, which names no directory',
      '/usr/bin/lxd',
      ['lxd', 'forkproxy', '--', '10', '11'],
    ],
    [
      'a proxy of a program that was removed',
      '/usr/bin/lxd',
      ['/usr/bin/lxd', 'forkproxy', '/var/lib/lxd/containers'],
    ],
    ['a file server', '/usr/libexec/virtiofsd', ['virtiofsd', '--socket-path=/var/lib/lxd/devices/x']],
  ])('are %s', (_what, program, argv) => {
    expect(helperProcesses(machine({ program, argv }), lxd)).toHaveLength(1);
  });

  test.each([
    ['the daemon itself', '/usr/bin/lxd', ['/usr/bin/lxd', '--group', 'lxd', '--logfile=/var/lib/lxd/x']],
    ['a dnsmasq of somebody else', '/usr/sbin/dnsmasq', ['dnsmasq', '--conf-file=/etc/dnsmasq.conf']],
    ['a dnsmasq of a neighbour', '/usr/sbin/dnsmasq', ['dnsmasq', '--conf=/var/lib/lxd-data/networks/x']],
    ['a copy of a backup', '/usr/bin/rsync', ['rsync', '-a', '/backup/var/lib/lxd/', '/mnt']],
    ['an editor on a file in it', '/usr/bin/vim', ['vim', '/var/lib/lxd/containers/c1/config']],
    ['a client', '/usr/bin/lxc', ['lxc', 'forkproxy']],
  ])('are not %s', (_what, program, argv) => {
    expect(helperProcesses(machine({ program, argv }), lxd)).toEqual([]);
  });

  test('are not those of an LXD inside a container', () => {
    const argv = ['dnsmasq', '--x=/var/lib/lxd/networks/y'];

    expect(
      helperProcesses(machine({ program: '/usr/sbin/dnsmasq', argv, samePidNamespace: false }), lxd),
    ).toEqual([]);
  });
});

describe('what is left', () => {
  test('of a quiet directory is nothing', async () => {
    const host = machine({ program: '/bin/sh', argv: ['sh'] });
    host.machine.mounts = [{ path: '/var/lib/lxd-data', type: 'ext4', device: '/dev/sdb', root: '/' }];
    host.machine.loops = [{ device: '/dev/loop7', backingFile: '/var/lib/lxd-data/x.img' }];

    expect(await whatIsLeft(host, lxd)).toEqual([]);
  });

  test('is named, all of it', async () => {
    const host = machine(
      monitor('/var/lib/lxd', 'c1'),
      { program: '/usr/sbin/dnsmasq', argv: ['dnsmasq', '/var/lib/lxd/networks/n'] },
      { argv: ['/sbin/init'], sameMountNamespace: false, samePidNamespace: false },
    );
    host.machine.mounts = [{ path: '/var/lib/lxd/shmounts', type: 'tmpfs', device: 'tmpfs', root: '/' }];
    host.machine.loops = [{ device: '/dev/loop7', backingFile: '/var/lib/lxd/disks/p.img' }];
    host.writeFile(
      '/proc/102/mountinfo',
      '1 2 0:1 /var/lib/lxd/storage-pools/p/containers/c1/rootfs / rw - ext4 /dev/sda rw\n',
    );

    expect(await whatIsLeft(host, lxd)).toEqual([
      'instance default/c1 runs (process 100)',
      'process 101: dnsmasq /var/lib/lxd/networks/n',
      'mount /var/lib/lxd/shmounts',
      'loop device /dev/loop7 on /var/lib/lxd/disks/p.img',
      'process 102 (/sbin/init) lives in /var/lib/lxd/storage-pools/p/containers/c1/rootfs',
    ]);
  });
});

describe('leftovers', () => {
  function cleared(
    host: FakeHost,
    part: { bridges?: string[]; interfaces?: string[]; firewallTable?: string } = {},
  ) {
    host.onRun(() => ({}));
    return clearLeftovers(
      host,
      {
        ...lxd,
        bridges: part.bridges ?? [],
        interfaces: part.interfaces ?? [],
        firewallTable: part.firewallTable,
      },
      () => {},
    );
  }
  const commandsOf = (host: FakeHost): string[] =>
    host.log.filter(({ kind }) => kind === 'run' || kind === 'signal').map(({ text }) => text);
  const networkInterface = (host: FakeHost, name: string, kind?: 'bridge' | 'device'): void =>
    void fs.mkdirSync(host.path(join('/sys/class/net', name, kind ?? '')), { recursive: true });

  test('are ended, unmounted and detached, deepest first, and nobody else is touched', async () => {
    const host = machine(
      { program: '/usr/sbin/dnsmasq', argv: ['dnsmasq', '/var/lib/lxd/networks/n'] },
      { program: '/usr/sbin/dnsmasq', argv: ['dnsmasq', '/etc/mine'] },
    );
    host.onSignal((pid) => {
      host.machine.processes = host.machine.processes.filter((process) => process.pid !== pid);
    });
    host.machine.mounts = ['/var/lib/lxd/a', '/var/lib/lxd-data', '/var/lib/lxd/a/b'].map((path) => ({
      path,
      type: 'ext4',
      device: 'x',
      root: '/',
    }));
    host.machine.loops = [
      { device: '/dev/loop1', backingFile: '/var/lib/lxd/disks/p.img' },
      { device: '/dev/loop2', backingFile: '/var/lib/lxd-data/p.img' },
    ];

    await cleared(host);

    expect(commandsOf(host)).toEqual([
      'SIGTERM 100',
      'umount -- /var/lib/lxd/a/b',
      'umount -- /var/lib/lxd/a',
      'losetup -d /dev/loop1',
    ]);
  });

  test('that do not end when they are asked to are made to end', async () => {
    const host = machine({ program: '/usr/sbin/dnsmasq', argv: ['dnsmasq', '/var/lib/lxd/networks/n'] });
    host.onSignal((_pid, signal) => {
      if (signal === 'SIGKILL') host.machine.processes = [];
    });

    await cleared(host);

    expect(commandsOf(host)).toEqual(['SIGTERM 100', 'SIGKILL 100']);
  });

  test('on the network are the interfaces and bridges of the database, and only where they are what it says', async () => {
    const host = machine();
    networkInterface(host, 'lxdbr0', 'bridge');
    networkInterface(host, 'lan', 'device');
    networkInterface(host, 'notabridge');
    networkInterface(host, 'veth1234');
    networkInterface(host, 'br-of-mine', 'bridge');

    await cleared(host, {
      bridges: ['lxdbr0', 'lan', 'notabridge', 'gone', '../../../etc', ''],
      interfaces: ['veth1234', 'br-of-mine', 'gone2'],
    });

    expect(commandsOf(host)).toEqual(['ip link delete dev veth1234', 'ip link delete dev lxdbr0']);
  });

  test('in the firewall are the tables of the daemon, in every family, and no others', async () => {
    const host = machine();
    host.machine.commands.set('nft', '/usr/sbin/nft');
    const running = cleared(host, { firewallTable: 'lxd' });
    host.onRun(([, verb]) =>
      verb === 'list'
        ? { stdout: Buffer.from('table inet lxd\ntable bridge lxd\ntable inet lxd-mine\ntable ip filter\n') }
        : undefined,
    );
    await running;

    expect(commandsOf(host)).toEqual([
      'nft list tables',
      'nft delete table inet lxd',
      'nft delete table bridge lxd',
    ]);
  });
});
