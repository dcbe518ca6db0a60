// Which mounts inside a data directory are the daemon's own, and which are somebody's.
import * as fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { MountInfo } from '../../../src/core/host.ts';
import { loopsInside, mountsInside } from '../../../src/migrate/machine/own-mounts.ts';
import type { PoolFacts } from '../../../src/migrate/model/pool-facts.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

const pools: readonly PoolFacts[] = [
  { name: 'default', driver: 'dir', source: '/var/lib/lxd/storage-pools/default' },
  { name: 'ext', driver: 'dir', source: '/srv/extern' },
  { name: 'bt', driver: 'btrfs', source: '/var/lib/lxd/disks/bt.img' },
  { name: 'sub', driver: 'btrfs', source: '/var/lib/lxd/storage-pools/sub' },
  { name: 'tank', driver: 'zfs', source: 'tank/lxd' },
  { name: 'vg', driver: 'lvm', source: 'vg0' },
];
const directory = { dataDirectory: '/var/lib/lxd', pools };

function machine(...mounts: Partial<MountInfo>[]): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  fs.mkdirSync(host.path('/srv/extern'), { recursive: true });
  host.machine.mounts = [{ path: '/', root: '/' }, ...mounts].map((mount) => ({
    path: '',
    type: 'ext4',
    device: '/dev/sda1',
    root: '/',
    ...mount,
  }));
  return host;
}

function paths(host: FakeHost): { own: string[]; foreign: string[] } {
  const { own, foreign } = mountsInside(host, directory);
  return { own: own.map(({ path }) => path), foreign: foreign.map(({ path }) => path) };
}

const inside = '/var/lib/lxd';
const pool = `${inside}/storage-pools`;

describe('the daemon itself mounts', () => {
  test.each<[string, Partial<MountInfo>]>([
    ['its memory file systems', { path: `${inside}/shmounts`, type: 'tmpfs', device: 'tmpfs' }],
    ['those of Incus 7', { path: `${inside}/devices`, type: 'tmpfs', device: 'tmpfs' }],
    ['a disk of an instance', { path: `${inside}/devices/c1/disk.home`, root: '/home' }],
    ['what is mounted below the source of one', { path: `${inside}/devices/c1/disk.home/deep`, type: 'nfs' }],
    ['what it hands to a container', { path: `${inside}/shmounts/c1/lxdmount_1` }],
    ['a pool of folders elsewhere', { path: `${pool}/ext`, root: '/srv/extern' }],
    ['a btrfs', { path: `${pool}/bt`, type: 'btrfs', device: '/dev/loop3' }],
    [
      'a btrfs in its own directory, onto itself',
      { path: `${pool}/sub`, type: 'btrfs', root: `${pool}/sub` },
    ],
    [
      'a volume on ZFS',
      { path: `${pool}/tank/containers/c1`, type: 'zfs', device: 'tank/lxd/containers/c1' },
    ],
    ['a volume on LVM', { path: `${pool}/vg/custom/default_v`, device: '/dev/vg0/custom_default_v' }],
    ['a snapshot on LVM', { path: `${pool}/vg/containers-snapshots/c1/s0`, device: '/dev/vg0/x' }],
    [
      'a snapshot that it reads, onto itself',
      {
        path: `${pool}/default/containers-snapshots/c1/s0`,
        root: `${pool}/default/containers-snapshots/c1/s0`,
      },
    ],
  ])('%s', (_what, mount) => {
    expect(paths(machine(mount))).toEqual({ own: [mount.path], foreign: [] });
  });
});

describe('somebody else mounts', () => {
  test.each<[string, Partial<MountInfo>]>([
    [
      'a disk on the place of a btrfs in its own directory',
      { path: `${pool}/sub`, type: 'btrfs', device: '/dev/sdb1' },
    ],
    ['inside the files of a container', { path: `${pool}/default/containers/c3/rootfs/mnt/x` }],
    ['on a container', { path: `${pool}/default/containers/c3` }],
    ['on a volume', { path: `${pool}/default/custom/default_data`, type: 'nfs' }],
    ['inside a volume on ZFS', { path: `${pool}/tank/custom/default_v/mine`, type: 'ext4' }],
    ['on a snapshot', { path: `${pool}/default/containers-snapshots/c1/s0`, root: '/elsewhere' }],
    ['on a pool whose folder is the mount point', { path: `${pool}/default`, device: '/dev/sdb1' }],
    ['on a pool in place of its source', { path: `${pool}/ext`, device: 'nas:/x', type: 'nfs' }],
    ['another file system on a btrfs pool', { path: `${pool}/bt`, type: 'ext4' }],
    ['on the place of an LVM pool, which is not mounted', { path: `${pool}/vg`, type: 'ext4' }],
    ['on a folder of no pool', { path: `${pool}/mine` }],
    ['over the links of containers', { path: `${inside}/containers/c1` }],
    ['images', { path: `${inside}/images` }],
    ['inside backups', { path: `${inside}/backups/custom/x` }],
    ['a disk on a memory file system', { path: `${inside}/devlxd`, type: 'ext4' }],
    ['anything else', { path: `${inside}/mine`, type: 'tmpfs' }],
  ])('%s', (_what, mount) => {
    expect(paths(machine(mount))).toEqual({ own: [], foreign: [mount.path] });
  });

  test('over what the daemon mounted', () => {
    const own = { path: `${pool}/bt`, type: 'btrfs', device: '/dev/loop3' };

    const host = machine(own, { path: `${pool}/bt`, type: 'btrfs', device: '/dev/sdc' }, own);

    expect(mountsInside(host, directory).foreign.map(({ device }) => device)).toEqual(['/dev/sdc']);
  });

  test('nothing where it is mounted beside the directory, or on it', () => {
    const host = machine({ path: '/var/lib/lxd-data/x' }, { path: '/var/lib/lxd', device: '/dev/sdb1' });

    expect(paths(host)).toEqual({ own: [], foreign: [] });
  });

  test('whatever lies below a volume of folders, whatever it is called', () => {
    const name = fc.stringMatching(/^[a-z0-9._-]{1,8}$/);
    fc.assert(
      fc.property(
        fc.constantFrom('containers', 'custom', 'images'),
        fc.array(name, { minLength: 2 }),
        (kind, parts) => {
          const path = [pool, 'default', kind, ...parts].join('/');

          expect(paths(machine({ path }))).toEqual({ own: [], foreign: [path] });
        },
      ),
    );
  });
});

test('loop devices are the daemon’s own where a pool is on them', () => {
  const loop = (device: string, backingFile: string) => ({ device, backingFile });

  const { own, foreign } = loopsInside(
    [
      loop('/dev/loop1', '/var/lib/lxd/disks/bt.img'),
      loop('/dev/loop2', '/var/lib/lxd/disks/of-nobody.img'),
      loop('/dev/loop3', `${pool}/default/containers/c1/rootfs/disk.img`),
      loop('/dev/loop4', '/srv/disk.img'),
    ],
    directory,
  );

  expect(own.map(({ device }) => device)).toEqual(['/dev/loop1']);
  expect(foreign.map(({ device }) => device)).toEqual(['/dev/loop2', '/dev/loop3']);
});
