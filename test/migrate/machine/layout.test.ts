// How the data gets to its new place, and what of /etc/fstab and of names of mount units is understood.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fstabMountPoints, fstabWith, layoutOf, mountUnitName } from '../../../src/migrate/machine/layout.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

function machine(...mounted: string[]): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  for (const path of ['/var/lib/lxd', '/etc/systemd/system'])
    fs.mkdirSync(host.path(path), { recursive: true });
  host.machine.mounts = mounted.map((path) => ({ path, type: 'ext4', device: '/dev/sdb', root: '/' }));
  return host;
}

describe('the data', () => {
  test('is renamed on one file system', () => {
    expect(layoutOf(machine('/var/lib/lxd-data'), '/var/lib/lxd', '/var/lib/incus')).toEqual({
      kind: 'rename',
    });
  });

  test.each([
    ['fstab', (host: FakeHost) => host.writeFile('/etc/fstab', '/dev/sdb /var/lib/lxd/ ext4\n')],
    ['unit', (host: FakeHost) => host.writeFile('/etc/systemd/system/var-lib-lxd.mount', '')],
    ['nothing', () => {}],
  ] as const)('moves with its mount, which %s mounts at boot', (boot, make) => {
    const host = machine('/var/lib/lxd');
    make(host);

    expect(layoutOf(host, '/var/lib/lxd', '/var/lib/incus')).toEqual({ kind: 'move-mount', boot });
  });

  test.each([[['/var/lib/incus']], [['/var/lib/lxd', '/var/lib/incus']]])(
    'is copied into a mount (%j)',
    (mounts) => {
      expect(layoutOf(machine(...mounts), '/var/lib/lxd', '/var/lib/incus')).toEqual({
        kind: 'copy',
        intoMount: true,
      });
    },
  );

  test('is copied to another file system', () => {
    const host = machine();
    fs.symlinkSync('/proc', host.path('/elsewhere'));

    expect(layoutOf(host, '/var/lib/lxd', '/elsewhere/incus')).toEqual({ kind: 'copy', intoMount: false });
  });
});

describe('/etc/fstab', () => {
  const text =
    '# /dev/sda /var/lib/lxd ext4\n\nUUID=1\t/var/lib/lxd/\text4 noatime\t0 2 # /var/lib/lxd\n/srv/a\\040b /mnt/a\\040b none bind\nshort\n';

  test('names mount points as they are', () => {
    const host = machine();
    host.writeFile('/etc/fstab', text);

    expect(fstabMountPoints(host)).toEqual(['/var/lib/lxd', '/mnt/a b']);
    expect(fstabMountPoints(machine())).toEqual([]);
  });

  test('that is a pipe is a failure that names it, and nobody waits', () => {
    const host = machine();
    execFileSync('mkfifo', [host.path('/etc/fstab')]);

    expect(() => fstabMountPoints(host)).toThrow(/this is a named pipe/);
  });

  test('is changed in one field of one line', () => {
    expect(fstabWith(text, '/var/lib/lxd', '/var/lib/incus')).toBe(
      text.replace('UUID=1\t/var/lib/lxd/\t', 'UUID=1\t/var/lib/incus\t'),
    );
    expect(fstabWith(text, '/mnt/a b', '/mnt/ü b')).toContain(
      `/srv/a\\040b ${Buffer.from('/mnt/ü').toString('latin1')}\\040b none bind`,
    );
    expect(fstabWith(text, '/var/lib', '/x')).toBe(text);
  });
});

test.each([
  ['/var/lib/lxd', 'var-lib-lxd.mount'],
  ['/srv/my-data/.x', 'srv-my\\x2ddata-.x.mount'],
  ['/ä', '\\xc3\\xa4.mount'],
])('the unit of %s is %s', (path, name) => {
  expect(mountUnitName(path)).toBe(name);
});
