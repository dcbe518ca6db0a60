// A state folder in a place in which it would not stay.
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkStatePlace } from '../../../src/migrate/check/state-place.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { lxdDatabase } from '../lxd-database.ts';
import { machineWith, planOf, writeDatabase } from '../plan/planned.ts';

const disk = { path: '/', type: 'ext4', device: '/dev/vda', root: '/' };
const lxdDisk = { path: '/var/lib/lxd', type: 'ext4', device: '/dev/vdb', root: '/' };
const mounted = (path: string, type: string) => ({ path, type, device: type, root: '/' });

function machine(mounts: FakeHost['machine']['mounts'] = [disk]): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.machine.mounts = mounts;
  fs.mkdirSync(host.path('/var/lib/lxd'), { recursive: true });
  return host;
}

function found(host: FakeHost, state: string, dataDirectory = '/var/lib/lxd'): string[] {
  return checkStatePlace({ host, state, source: { dataDirectory } }).map(
    ({ id, severity, answers = [], objects }) => [severity, id, ...answers, ...objects].join(' | '),
  );
}

const loss = (object: string): string[] => [`loss | state-in-passing-place | accept | ${object}`];

describe('a file system in memory', () => {
  test.each(['tmpfs', 'ramfs'])('%s, also below its mount point and where nothing is yet', (type) => {
    const host = machine([disk, mounted('/mnt/m', type)]);

    expect(found(host, '/mnt/m/deep/state')).toEqual(
      loss(`/mnt/m/deep/state: /mnt/m is in memory (${type})`),
    );
    expect(found(host, '/mnt/m')).toEqual(loss(`/mnt/m: /mnt/m is in memory (${type})`));
    expect(found(host, '/mnt/mine/state')).toEqual([]);
  });

  test('is found behind a link', () => {
    const host = machine([disk, mounted('/mnt/m', 'tmpfs')]);
    fs.mkdirSync(host.path('/mnt/m'), { recursive: true });
    fs.symlinkSync('../../mnt/m', host.path('/var/lib/lxd-to-incus'));

    expect(found(host, '/var/lib/lxd-to-incus/x')).toEqual(
      loss('/var/lib/lxd-to-incus/x: /mnt/m is in memory (tmpfs)'),
    );
  });

  test('is none where a disk is mounted in it', () => {
    const host = machine([disk, mounted('/mnt/m', 'tmpfs'), mounted('/mnt/m/disk', 'ext4')]);

    expect(found(host, '/mnt/m/disk/state')).toEqual([]);
  });

  test('takes nothing away where LXD itself lies in it', () => {
    expect(found(machine([mounted('/', 'tmpfs')]), '/var/lib/lxd-to-incus')).toEqual([]);
    expect(found(machine([mounted('/', 'tmpfs'), lxdDisk]), '/var/lib/lxd-to-incus')).toEqual(
      loss('/var/lib/lxd-to-incus: the root is in memory (tmpfs)'),
    );
  });
});

describe('the layer of an overlay', () => {
  const live = [mounted('/', 'overlay'), mounted('/run/live/overlay', 'tmpfs'), lxdDisk];
  const state = '/var/lib/lxd-to-incus';

  test('whose upper folder is in memory', () => {
    const host = machine(live);
    host.writeFile(
      '/proc/self/mountinfo',
      '30 1 0:27 / / rw,noatime shared:1 - overlay overlay rw,lowerdir=/run/live/rootfs/,upperdir=/run/live/overlay/rw,workdir=/run/live/overlay/work\n',
    );

    expect(found(host, state)).toEqual(loss(`${state}: the root is a layer in memory (overlay)`));
  });

  test.each([
    ['boot=live components quiet', true],
    ['boot=casper quiet', true],
    ['root=live:CDLABEL=x rd.live.image', true],
    ['overlayroot=tmpfs:recurse=0', true],
    ['boot=live persistence', false],
    ['root=/dev/vda1 ro quiet', false],
  ])('of a system booted with %s: %s', (commandLine, isLive) => {
    const host = machine(live);
    host.writeFile('/proc/cmdline', `BOOT_IMAGE=/vmlinuz ${commandLine}\n`);

    expect(found(host, state).length).toBe(isLive ? 1 : 0);
  });

  test('on a disk stays', () => {
    const host = machine([...live, mounted('/disk', 'ext4')]);
    host.writeFile(
      '/proc/self/mountinfo',
      '30 1 0:27 / / rw - overlay overlay rw,lowerdir=/ro,upperdir=/disk/upper,workdir=/disk/work\n',
    );

    expect(found(host, state)).toEqual([]);
  });
});

describe('a folder that is emptied', () => {
  test.each([
    ['/tmp/state', '/tmp/state: /tmp is emptied'],
    ['/var/tmp/x/state', '/var/tmp/x/state: /var/tmp is emptied'],
    ['/run/state', '/run/state: /run is emptied'],
    ['/media/usb/state', '/media/usb/state: what is below /media can be taken out'],
  ])('%s', (state, object) => {
    expect(found(machine(), state)).toEqual(loss(object));
  });

  test('is none where it is another one, a disk is mounted in it, or LXD is in it', () => {
    const host = machine([disk, mounted('/tmp/disk', 'ext4')]);

    expect(found(host, '/tmpfiles/state')).toEqual([]);
    expect(found(host, '/tmp/disk/state')).toEqual([]);
    expect(found(host, '/tmp/state', '/tmp/lxd')).toEqual([]);
  });
});

describe('a plan', () => {
  const ids = async (host: FakeHost, lxdDir?: string): Promise<string[]> => {
    const { plan } = await planOf(host, lxdDir === undefined ? {} : { lxdDir });
    return plan.findings.map(({ id }) => id);
  };
  const inMemory = [disk, mounted('/var/lib/lxd-to-incus', 'tmpfs')];

  test('says it of a server of this machine', async () => {
    const host = machineWith(lxdDatabase());
    host.machine.mounts = [...host.machine.mounts, ...inMemory];

    expect(await ids(host)).toContain('state-in-passing-place');
  });

  test('says nothing of it for a copy, which is never moved', async () => {
    const host = machineWith(lxdDatabase());
    writeDatabase(host, '/srv/copy', lxdDatabase());
    host.machine.mounts = [...host.machine.mounts, ...inMemory];

    expect(await ids(host, '/srv/copy')).not.toContain('state-in-passing-place');
  });
});
