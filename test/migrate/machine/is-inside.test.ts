import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { isInside } from '../../../src/migrate/machine/is-inside.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

let host: FakeHost;
beforeEach(() => {
  const made = fakeHost();
  onTestFinished(() => made.dispose());
  made.writeFile('/var/lib/lxd/database/local.db', '');
  made.writeFile('/var/lib/lxd-data/file', '');
  made.writeFile('/srv/file', '');
  host = made;
});
const lxd = '/var/lib/lxd';
const mount = (path: string, root: string, deviceNumber: string) => ({
  path,
  root,
  deviceNumber,
  type: 'ext4',
  device: '/dev/vda1',
});

describe('by its path', () => {
  test.each([
    ['/var/lib/lxd', true],
    ['/var/lib/lxd/', true],
    ['/var/lib/lxd/state', true],
    ['/var/lib/lxd/not/there/yet', true],
    ['/var/lib/lxd/../lxd/x', true],
    ['/var/lib', false],
    ['/var/lib/lxd-data/state', false],
    ['/var/lib/lxd2', false],
    ['/var/lib/lxd/../x', false],
    ['/srv', false],
    ['/', false],
  ])('%s: %s', (path, inside) => {
    expect(isInside(host, path, lxd)).toBe(inside);
  });

  test('a folder that does not exist has nothing in it but what would be below it', () => {
    expect(isInside(host, '/opt/incus/state', '/opt/incus')).toBe(true);
    expect(isInside(host, '/opt/state', '/opt/incus')).toBe(false);
  });

  test('whatever names there are', () => {
    const names = fc.array(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(names, (parts) => {
        expect(isInside(host, join(lxd, ...parts), lxd)).toBe(true);
        expect(isInside(host, join('/srv', ...parts), lxd)).toBe(false);
        expect(isInside(host, lxd, join(lxd, ...parts))).toBe(false);
      }),
    );
  });
});

describe('through a link', () => {
  test.each([
    ['to the folder', '../var/lib/lxd'],
    ['to what is below it', '../var/lib/lxd/database'],
    ['to another link', 'second'],
  ])('%s', (_name, destination) => {
    fs.symlinkSync('../var/lib/lxd', host.path('/srv/second'));
    fs.symlinkSync(destination, host.path('/srv/link'));

    expect(isInside(host, '/srv/link', lxd)).toBe(true);
    expect(isInside(host, '/srv/link/not/there', lxd)).toBe(true);
  });

  test('inside the folder that leads out of it', () => {
    fs.symlinkSync('../../../srv', host.path('/var/lib/lxd/out'));

    expect(isInside(host, '/var/lib/lxd/out/state', lxd)).toBe(false);
  });

  test('where the folder itself is one', () => {
    fs.symlinkSync('lxd', host.path('/var/lib/other-name'));

    expect(isInside(host, '/var/lib/lxd/state', '/var/lib/other-name')).toBe(true);
  });
});

describe('through a bind mount', () => {
  test('of the folder, of what is below it, and not of its neighbour', () => {
    // Arrange
    for (const name of ['whole', 'part', 'neighbour']) fs.mkdirSync(host.path(join('/srv', name)));
    host.machine.mounts = [
      mount('/', '/', '8:1'),
      mount('/srv/whole', '/var/lib/lxd', '8:1'),
      mount('/srv/part', '/var/lib/lxd/images', '8:1'),
      mount('/srv/neighbour', '/var/lib/lxd-data', '8:1'),
    ];

    // Act
    const inside = (name: string): boolean => isInside(host, join('/srv', name, 'not/there'), lxd);

    // Assert
    expect(['whole', 'part', 'neighbour'].map(inside)).toEqual([true, true, false]);
  });

  test('the same path on another file system is another place', () => {
    fs.mkdirSync(host.path('/srv/disk'));
    host.machine.mounts = [mount('/', '/', '8:1'), mount('/srv/disk', '/var/lib/lxd', '8:2')];

    expect(isInside(host, '/srv/disk/state', lxd)).toBe(false);
  });

  test('where the data directory is a mount of its own', () => {
    fs.mkdirSync(host.path('/srv/again'));
    host.machine.mounts = [
      mount('/', '/', '8:1'),
      mount(lxd, '/@lxd', '8:2'),
      mount('/srv/again', '/@lxd/images', '8:2'),
    ];

    expect(isInside(host, '/srv/again/state', lxd)).toBe(true);
    expect(isInside(host, '/srv/state', lxd)).toBe(false);
  });

  test('mounts whose file system is not known tell nothing', () => {
    const { deviceNumber: _number, ...unknown } = mount('/srv', '/var/lib/lxd', '');
    host.machine.mounts = [unknown];

    expect(isInside(host, '/srv/state', lxd)).toBe(false);
  });
});
