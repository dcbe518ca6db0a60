// What of a data directory runs: instances, helpers, mounts; and nothing that only looks like it.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ProcessInfo } from '../../../src/core/host.ts';
import { clearLeftovers } from '../../../src/migrate/apply/steps/leftovers.ts';
import { powerFromProcesses } from '../../../src/migrate/machine/power-from-processes.ts';
import {
  helperProcesses,
  runningInstances,
  runsStill,
  whatIsLeft,
} from '../../../src/migrate/machine/running.ts';
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
    [
      'a file server',
      '/usr/libexec/virtiofsd',
      ['virtiofsd', '--fd=3', '-o', 'source=/var/lib/lxd/devices/x'],
    ],
    [
      'a file server of Incus',
      '/usr/libexec/virtiofsd',
      ['virtiofsd', '--fd=3', '--shared-dir=/var/lib/lxd/devices/x'],
    ],
    [
      'a share by 9p',
      '/usr/lib/qemu/virtfs-proxy-helper',
      ['virtfs-proxy-helper', '--nodaemon', '--fd', '3', '--path', '/var/lib/lxd/devices/v1/x'],
    ],
    [
      'a TPM',
      '/usr/bin/swtpm',
      ['swtpm', 'socket', '--tpm2', '--tpmstate', 'dir=/var/lib/lxd/devices/v1/tpm'],
    ],
  ])('are %s', (_what, program, argv) => {
    const host = machine({ program, argv });
    host.writeFile('/proc/100/environ', 'PATH=/bin\0');

    expect(helperProcesses(host, lxd)).toHaveLength(1);
  });

  test.each([
    ['LXD_DIR=/srv/lxd\0', 0],
    ['LXD_DIR=\0', 1],
    ['INCUS_DIR=/srv/lxd\0', 1],
    ['LXD_DIR=/srv/link\0', 1],
  ])('of the same program belong to the directory that it was started for: %j', (environment, found) => {
    const host = machine({ program: '/usr/bin/lxd', argv: ['lxd', 'forkproxy', '--', '10', '11'] });
    host.writeFile('/proc/100/environ', environment);
    host.writeFile('/var/lib/lxd/x', '');
    fs.mkdirSync(host.path('/srv'));
    fs.symlinkSync(host.path('/var/lib/lxd'), host.path('/srv/link'));

    expect(helperProcesses(host, lxd)).toHaveLength(found);
  });

  test.each([
    ['the daemon itself', '/usr/bin/lxd', ['/usr/bin/lxd', '--group', 'lxd', '--logfile=/var/lib/lxd/x']],
    ['a dnsmasq of somebody else', '/usr/sbin/dnsmasq', ['dnsmasq', '--conf-file=/etc/dnsmasq.conf']],
    ['a dnsmasq of a neighbour', '/usr/sbin/dnsmasq', ['dnsmasq', '--conf=/var/lib/lxd-data/networks/x']],
    ['a copy of a backup', '/usr/bin/rsync', ['rsync', '-a', '/backup/var/lib/lxd/', '/mnt']],
    ['an editor on a file in it', '/usr/bin/vim', ['vim', '/var/lib/lxd/containers/c1/config']],
    ['a client', '/usr/bin/lxc', ['lxc', 'forkproxy']],
    ['a copy that somebody makes', '/usr/bin/rsync', ['rsync', '-a', '/var/lib/lxd/', '/backup']],
    [
      'an image that somebody converts',
      '/usr/bin/qemu-img',
      ['qemu-img', 'convert', '/var/lib/lxd/disks/p.img', 'x'],
    ],
    [
      'a dnsmasq with a file of its own in it',
      '/usr/sbin/dnsmasq',
      ['dnsmasq', '--conf-file=/var/lib/lxd/mine.conf'],
    ],
    [
      'a file server with its log in it',
      '/usr/libexec/virtiofsd',
      ['virtiofsd', '--log=/var/lib/lxd/x', '--shared-dir=/srv'],
    ],
    [
      'a dnsmasq with its leases in the files of a container',
      '/usr/sbin/dnsmasq',
      ['dnsmasq', '--dhcp-leasefile=/var/lib/lxd/storage-pools/p/containers/c1/rootfs/var/dnsmasq.leases'],
    ],
    [
      'a file server that shows a pool to a machine of somebody',
      '/usr/libexec/virtiofsd',
      ['virtiofsd', '--shared-dir=/var/lib/lxd/storage-pools/p/custom/default_v'],
    ],
    [
      'a TPM of somebody with its state in it',
      '/usr/bin/swtpm',
      ['swtpm', 'socket', '--tpmstate', 'dir=/var/lib/lxd/mine'],
    ],
  ])('are not %s', (_what, program, argv) => {
    const host = machine({ program, argv });
    host.writeFile('/proc/100/environ', '');

    expect(helperProcesses(host, lxd)).toEqual([]);
  });

  test('are not those of an LXD inside a container', () => {
    const argv = ['dnsmasq', '--conf-file=/var/lib/lxd/networks/y/dnsmasq.raw'];

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
      {
        program: '/usr/sbin/dnsmasq',
        argv: ['dnsmasq', '--dhcp-leasefile=/var/lib/lxd/networks/n/dnsmasq.leases'],
      },
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
      'process 101: dnsmasq --dhcp-leasefile=/var/lib/lxd/networks/n/dnsmasq.leases',
      'mount /var/lib/lxd/shmounts',
      'loop device /dev/loop7 on /var/lib/lxd/disks/p.img',
      'process 102 (/sbin/init) lives in /var/lib/lxd/storage-pools/p/containers/c1/rootfs',
    ]);
  });
});

describe('what stands in the way without being ended', () => {
  test('is a copy of the directory that somebody makes', async () => {
    const host = machine({ program: '/usr/bin/rsync', argv: ['rsync', '-a', '/var/lib/lxd', '/backup'] });
    host.onRun(() => ({}));

    await clearLeftovers(host, { ...lxd, bridges: [], interfaces: [], firewallTable: undefined }, () => {});

    expect(host.log.filter(({ kind }) => kind === 'signal')).toEqual([]);
    expect(await whatIsLeft(host, lxd)).toEqual(['process 100: rsync -a /var/lib/lxd /backup']);
  });

  test.each([
    [lxd, ['/usr/bin/lxd', '--group', 'lxd'], ''],
    [lxd, ['lxd'], 'LXD_DIR=/var/lib/lxd\0'],
    [
      { dataDirectory: '/srv/incus', program: undefined },
      ['incusd', '--group', 'x'],
      'A=b\0INCUS_DIR=/srv/incus\0',
    ],
  ])('is a daemon that listens no more: %o %j', async (owner, argv, environment) => {
    const host = machine({ argv });
    host.writeFile('/proc/100/environ', environment);

    expect(await whatIsLeft(host, owner)).toEqual([`process 100: ${argv.join(' ')}`]);
  });

  test.each([
    ['another directory', ['lxd', '--group', 'lxd'], 'LXD_DIR=/srv/lxd\0'],
    ['the other project', ['incusd'], ''],
    ['a command', ['lxd', 'activateifneeded'], ''],
  ])('is no daemon of %s', async (_what, argv, environment) => {
    const host = machine({ argv });
    host.writeFile('/proc/100/environ', environment);

    expect(await whatIsLeft(host, lxd)).toEqual([]);
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
        pools: [{ name: 'p', driver: 'btrfs', source: '/var/lib/lxd/disks/p.img' }],
        bridges: part.bridges ?? [],
        interfaces: part.interfaces ?? [],
        firewallTable: part.firewallTable,
      },
      () => {},
    );
  }
  test.each([
    ['without nftables in the kernel', 'Unable to initialize Netlink socket: Protocol not supported', []],
    [
      'where nft fails',
      'Operation not permitted (you must be root)',
      [expect.stringContaining('firewall tables could not be listed')],
    ],
  ])('of the firewall %s', async (_where, stderr, warned) => {
    const host = machine();
    host.machine.commands.set('nft', '/usr/sbin/nft');
    host.onRun(([command]) => (command === 'nft' ? { status: 1, stderr: Buffer.from(stderr) } : undefined));
    const warnings: string[] = [];

    await clearLeftovers(
      host,
      { ...lxd, bridges: [], interfaces: [], firewallTable: 'lxd' },
      () => {},
      (text) => warnings.push(text),
    );

    expect(warnings).toEqual(warned);
  });

  const commandsOf = (host: FakeHost): string[] =>
    host.log.filter(({ kind }) => kind === 'run' || kind === 'signal').map(({ text }) => text);
  const networkInterface = (host: FakeHost, name: string, kind?: 'bridge' | 'device'): void =>
    void fs.mkdirSync(host.path(join('/sys/class/net', name, kind ?? '')), { recursive: true });

  test('are ended, unmounted and detached, deepest first, and nobody else is touched', async () => {
    const host = machine(
      {
        program: '/usr/sbin/dnsmasq',
        argv: ['dnsmasq', '--dhcp-leasefile=/var/lib/lxd/networks/n/dnsmasq.leases'],
      },
      { program: '/usr/sbin/dnsmasq', argv: ['dnsmasq', '/etc/mine'] },
    );
    host.onSignal((pid) => {
      host.machine.processes = host.machine.processes.filter((process) => process.pid !== pid);
    });
    host.machine.mounts = [
      ['/var/lib/lxd/shmounts', 'tmpfs'],
      ['/var/lib/lxd-data', 'ext4'],
      ['/var/lib/lxd/storage-pools/p', 'btrfs'],
      ['/var/lib/lxd/devices/c1/disk.x', 'ext4'],
    ].map(([path = '', type = '']) => ({ path, type, device: 'x', root: '/' }));
    host.machine.loops = [
      { device: '/dev/loop1', backingFile: '/var/lib/lxd/disks/p.img' },
      { device: '/dev/loop2', backingFile: '/var/lib/lxd-data/p.img' },
    ];

    await cleared(host);

    expect(commandsOf(host)).toEqual([
      'SIGTERM 100',
      'umount -- /var/lib/lxd/devices/c1/disk.x',
      'umount -- /var/lib/lxd/storage-pools/p',
      'umount -- /var/lib/lxd/shmounts',
      'losetup -d /dev/loop1',
    ]);
  });

  test('of others stay: mounts and loop devices that the daemon did not make', async () => {
    const host = machine();
    const mount = (path: string, type: string, device: string) => ({ path, type, device, root: '/' });
    host.machine.mounts = [
      mount('/var/lib/lxd/shmounts', 'tmpfs', 'tmpfs'),
      mount('/var/lib/lxd/storage-pools/p', 'btrfs', '/dev/loop1'),
      // Over what LXD mounted: umount(8) would take the upper one.
      mount('/var/lib/lxd/storage-pools/p', 'ext4', '/dev/sdb'),
      mount('/var/lib/lxd/storage-pools/p/containers/c1/rootfs/mnt', 'nfs', 'nas:/x'),
      mount('/var/lib/lxd/mine', 'tmpfs', 'tmpfs'),
    ];
    host.machine.loops = [{ device: '/dev/loop9', backingFile: '/var/lib/lxd/mine.img' }];

    await cleared(host);

    expect(commandsOf(host)).toEqual(['umount -- /var/lib/lxd/shmounts']);
    expect(await whatIsLeft(host, lxd)).toEqual(
      expect.arrayContaining([
        'mount /var/lib/lxd/storage-pools/p/containers/c1/rootfs/mnt',
        'mount /var/lib/lxd/mine',
        'loop device /dev/loop9 on /var/lib/lxd/mine.img',
      ]),
    );
  });

  test('that are a bridge with a card of the machine in it stay', async () => {
    const host = machine();
    for (const name of ['lxdbr0', 'lxdbr1']) networkInterface(host, name, 'bridge');
    networkInterface(host, 'eth1', 'device');
    for (const port of [
      'lxdbr0/brif/veth01234567',
      'lxdbr0/brif/eth1',
      'lxdbr1/brif/veth89abcdef',
      'lxdbr1/brif/lxdbr1-mtu',
    ])
      fs.mkdirSync(host.path(join('/sys/class/net', port)), { recursive: true });

    await cleared(host, { bridges: ['lxdbr0', 'lxdbr1'] });

    expect(commandsOf(host)).toEqual(['ip link delete dev lxdbr1']);
  });

  test('that are a bridge with an interface of somebody in it stay', async () => {
    const host = machine();
    networkInterface(host, 'lxdbr0', 'bridge');
    fs.mkdirSync(host.path('/sys/class/net/lxdbr0/brif/vnet0'), { recursive: true });

    await cleared(host, { bridges: ['lxdbr0'] });

    expect(commandsOf(host)).toEqual([]);
  });

  test('in the firewall stay where another LXD has its rules in the same table', async () => {
    const lxdOf = (directory: string): FakeHost => {
      const host = machine({ program: '/usr/bin/lxd', argv: ['lxd', '--group', 'lxd'] });
      host.writeFile('/proc/100/environ', `LXD_DIR=${directory}\0`);
      host.machine.commands.set('nft', '/usr/sbin/nft');
      return host;
    };
    const [other, own] = [lxdOf('/srv/lxd'), lxdOf('/var/lib/lxd')];

    await cleared(other, { firewallTable: 'lxd' });
    await cleared(own, { firewallTable: 'lxd' });

    expect(commandsOf(other)).toEqual([]);
    expect(commandsOf(own)).toEqual(['nft list tables']);
  });

  test('that do not end when they are asked to are made to end', async () => {
    const host = machine({
      program: '/usr/sbin/dnsmasq',
      argv: ['dnsmasq', '--dhcp-leasefile=/var/lib/lxd/networks/n/dnsmasq.leases'],
    });
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

test('a monitor that was found runs still only while the same process has its number', () => {
  const host = machine({ pid: 100, ...monitor('/var/lib/lxd', 'c1') });
  const [found] = runningInstances(host, '/var/lib/lxd');
  if (found === undefined) throw new Error('it was not found');
  const cmdline = (content: string): void => host.writeFile('/proc/100/cmdline', content);

  cmdline(`${found.process.argv.join(' ')}\0\0\0`);
  const same = runsStill(host, found);
  cmdline('sleep\x0060\0');
  const another = runsStill(host, found);
  cmdline('');
  const ended = runsStill(host, found);
  fs.rmSync(host.path('/proc/100'), { recursive: true });

  expect([same, another, ended, runsStill(host, found)]).toEqual([true, false, false, false]);
});
