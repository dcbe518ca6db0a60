// What others use inside a data directory, as far as this process and other mount namespaces show it.
import * as fs from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { swapsInside, usedByOthers } from '../../../src/migrate/machine/used-by-others.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

const directory = { dataDirectory: '/var/lib/lxd', pools: [] };

function machine(): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  return host;
}

const line = (id: number, root: string, path: string, device = '8:1'): string =>
  `${id} 1 ${device} ${root} ${path} rw - ext4 /dev/sda1 rw\n`;

function processIn(
  host: FakeHost,
  pid: number,
  namespace: string,
  mountinfo: string,
  container = false,
): void {
  host.writeFile(`/proc/${pid}/mountinfo`, mountinfo);
  fs.mkdirSync(host.path(`/proc/${pid}/ns`), { recursive: true });
  fs.symlinkSync(namespace, host.path(`/proc/${pid}/ns/mnt`));
  host.machine.processes.push({
    pid,
    parent: 1,
    argv: ['/usr/bin/service', '--of-somebody'],
    program: '/usr/bin/service',
    sameMountNamespace: false,
    samePidNamespace: !container,
  });
}

test('swap space is found by its file, whatever blanks are in its name', () => {
  const host = machine();
  host.writeFile(
    '/proc/swaps',
    'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sda2 partition\t1\t0\t-2\n/var/lib/lxd/my\\040swap file\t1\t0\t-3\n/var/lib/lxd-swap file 1 0 -4\n',
  );

  expect(swapsInside(host, '/var/lib/lxd')).toEqual(['/var/lib/lxd/my swap']);
});

test('a machine without swap space has none', () => {
  expect(swapsInside(machine(), '/var/lib/lxd')).toEqual([]);
});

test('a mount that only a service sees is found, once, with its process', () => {
  const host = machine();
  const own = line(1, '/', '/') + line(2, '/', '/var/lib/lxd/devlxd', '0:30');
  host.writeFile('/proc/self/mountinfo', own);
  const theirs = `${own}${line(3, '/srv/nfs', '/var/lib/lxd/images/x')}`;
  processIn(host, 10, 'mnt:[1]', theirs);
  processIn(host, 11, 'mnt:[1]', theirs);

  const { mounts } = usedByOthers(host, directory, []);

  expect(mounts).toEqual([
    '/var/lib/lxd/images/x in the mount namespace of process 10 (/usr/bin/service --of-somebody)',
  ]);
});

test('what a container, or a service in a tree of its own, has there is none', () => {
  const host = machine();
  host.writeFile('/proc/self/mountinfo', line(1, '/', '/'));
  const inside = line(3, '/', '/var/lib/lxd/devlxd', '0:99');
  processIn(host, 10, 'mnt:[1]', `${line(1, '/', '/')}${inside}`, true);
  processIn(host, 11, 'mnt:[2]', `${line(1, '/other-root', '/')}${inside}`);

  expect(usedByOthers(host, directory, [])).toEqual({ mounts: [], files: [] });
});

test('a loop device of somebody is a file in use', () => {
  const loops = [{ device: '/dev/loop5', backingFile: '/var/lib/lxd/backups/disk.img' }];

  expect(usedByOthers(machine(), directory, loops).files).toEqual([
    '/var/lib/lxd/backups/disk.img (loop device /dev/loop5)',
  ]);
});
