// Mounts in other namespaces and open files below a data directory are found; what only looks like it is not.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { heldElsewhere } from '../../../src/migrate/machine/held-elsewhere.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

/** The host has /var on a volume of its own: paths of the file system are not those of the host. */
const hostMounts = '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /var rw - ext4 /dev/sda2 rw\n';

function machine(
  process: { sameMountNamespace: boolean; program?: string },
  files: Readonly<Record<string, string>> = {},
): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.machine.processes = [
    {
      pid: 7,
      parent: 1,
      argv: ['worker', '-x'],
      program: process.program,
      sameMountNamespace: process.sameMountNamespace,
      samePidNamespace: true,
    },
  ];
  host.writeFile('/proc/self/mountinfo', hostMounts);
  for (const [path, content] of Object.entries(files)) host.writeFile(path, content);
  return host;
}

function opened(host: FakeHost, number: number, path: string, mount: number): void {
  const link = host.path(`/proc/7/fd/${number}`);
  fs.mkdirSync(dirname(link), { recursive: true });
  fs.symlinkSync(path, link);
  host.writeFile(`/proc/7/fdinfo/${number}`, `pos:\t0\nflags:\t0100002\nmnt_id:\t${mount}\n`);
}

test.each([
  ['a file that is open', '/var/lib/lxd/images/x', ['process 7 (worker -x) has /var/lib/lxd/images/x open']],
  [
    'one that was deleted',
    '/var/lib/lxd/images/x (deleted)',
    ['process 7 (worker -x) has /var/lib/lxd/images/x open'],
  ],
  ['a file of a neighbour', '/var/lib/lxd-data/x', []],
  ['a socket', 'socket:[123]', []],
  ['a folder', '/', []],
])('on the host: %s', (_what, path, found) => {
  const host = machine({ sameMountNamespace: true });
  opened(host, 3, path, 2);

  expect(heldElsewhere(host, '/var/lib/lxd')).toEqual(found);
});

test('a program that runs from the directory is one', () => {
  const host = machine({ sameMountNamespace: true, program: '/var/lib/lxd/bin/x' });

  expect(heldElsewhere(host, '/var/lib/lxd')).toEqual(['process 7 (worker -x) has /var/lib/lxd/bin/x open']);
});

test.each([
  [
    'a mount that a service kept',
    `${hostMounts}3 2 7:0 / /var/lib/lxd/storage-pools/bt rw - btrfs /dev/loop0 rw\n`,
    ['mount /var/lib/lxd/storage-pools/bt in the mount namespace of process 7 (worker -x)'],
  ],
  [
    'a part of the directory that is bound into a container',
    '1 0 0:40 / / rw - overlay overlay rw\n2 1 8:2 /lib/lxd/images /mnt rw - ext4 /dev/sda2 rw\n',
    ['mount /mnt in the mount namespace of process 7 (worker -x)'],
  ],
  [
    'a container that lives on',
    '1 0 8:2 /lib/lxd/storage-pools/default/containers/c1/rootfs / rw - ext4 /dev/sda2 rw\n',
    ['process 7 (worker -x) lives in /lib/lxd/storage-pools/default/containers/c1/rootfs'],
  ],
  [
    'an LXD of its own in a container at the same path',
    '1 0 0:40 / / rw - overlay overlay rw\n2 1 0:41 / /var/lib/lxd/shmounts rw - tmpfs tmpfs rw\n',
    [],
  ],
  ['the same path on another file system', '1 0 8:9 /lib/lxd/images / rw - ext4 /dev/sdb rw\n', []],
])('in another mount namespace: %s', (_what, mountinfo, found) => {
  const host = machine({ sameMountNamespace: false }, { '/proc/7/mountinfo': mountinfo });

  expect(heldElsewhere(host, '/var/lib/lxd')).toEqual(found);
});

test('a file that a service in its own namespace has open is found by its mount, not by its name', () => {
  const mountinfo =
    '11 0 8:1 / / rw - ext4 /dev/sda1 rw\n12 11 8:2 / /var rw - ext4 /dev/sda2 rw\n13 11 0:50 / /var/lib/lxd rw - tmpfs x rw\n';
  const host = machine(
    { sameMountNamespace: false },
    { '/proc/7/mountinfo': mountinfo.split('13 ')[0] ?? '' },
  );
  opened(host, 3, '/var/lib/lxd/disks/p.img', 12);
  opened(host, 4, '/var/lib/lxd/elsewhere', 99);

  expect(heldElsewhere(host, '/var/lib/lxd')).toEqual([
    'process 7 (worker -x) has /var/lib/lxd/disks/p.img open',
  ]);
});
