// Paths move by component, whatever their neighbours are called, and only those of the LXD directory.
import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mapPath, mapPathsInText, type PathMap } from '../../../src/migrate/convert/path-map.ts';

const map: PathMap = {
  from: '/var/lib/lxd',
  to: '/var/lib/incus',
  renamedFolders: [
    { from: 'snapshots', to: 'containers-snapshots' },
    { from: 'devlxd', to: 'guestapi' },
  ],
};

/** A component that could be mistaken for others, but is none of the special ones. */
const component = fc
  .oneof(
    fc.constantFrom(
      'lxd',
      'lxd-data',
      'lxd.old',
      'incus',
      'storage-pools',
      'snapshots',
      'devlxd',
      'a b',
      'ü',
      '...',
    ),
    fc.stringMatching(/^[A-Za-z0-9._ -]{1,8}$/),
  )
  .filter((name) => name !== '.' && name !== '..');

const separator = fc.constantFrom('/', '//', '/./', '/x/../');

describe('mapPath', () => {
  test.each([
    ['/var/lib/lxd', '/var/lib/incus'],
    ['/var/lib/lxd/', '/var/lib/incus/'],
    ['/var/lib/lxd/disks/default.img', '/var/lib/incus/disks/default.img'],
    ['/var/lib/lxd/containers/', '/var/lib/incus/containers/'],
    ['/var/lib/lxd/snapshots/c1', '/var/lib/incus/containers-snapshots/c1'],
    ['/var/lib/lxd/devlxd', '/var/lib/incus/guestapi'],
    ['/var/lib/lxd/snapshots-of-mine/c1', '/var/lib/incus/snapshots-of-mine/c1'],
    ['/var/lib/lxd/storage-pools/p/snapshots/x', '/var/lib/incus/storage-pools/p/snapshots/x'],
    ['/var/lib//lxd/./disks', '/var/lib/incus/disks'],
    ['/var/lib/other/../lxd/disks', '/var/lib/incus/disks'],
    ['/var/lib/lxd/lxd', '/var/lib/incus/lxd'],
  ])('%s becomes %s', (path, moved) => {
    expect(mapPath(map, path)).toBe(moved);
  });

  test.each([
    '/var/lib/lxd-data',
    '/var/lib/lxd-data/x',
    '/var/lib/lxd.old',
    '/var/lib/lxd2',
    '/var/lib/lx',
    '/var/lib',
    '/',
    '',
    'var/lib/lxd',
    './var/lib/lxd',
    '/var/lib/lxd/../lxd-data',
    '/var/lib/lxd/../../etc/passwd',
    '/srv/var/lib/lxd/disks',
    '/var/lib/snapd/hostfs/var/lib/lxd',
    '/var/lib/LXD',
    'vol1',
  ])('%j is not inside', (path) => {
    expect(mapPath(map, path)).toBeUndefined();
  });

  test('a path below the directory keeps its components, but for a renamed first one', () => {
    fc.assert(
      fc.property(fc.array(component, { minLength: 1 }), fc.array(separator), (components, separators) => {
        const path = components.reduce(
          (text, name, index) => `${text}${separators[index] ?? '/'}${name}`,
          '/var/lib/lxd',
        );
        const [first = '', ...rest] = components;
        const renamed = map.renamedFolders.find(({ from }) => from === first)?.to ?? first;

        expect(mapPath(map, path)).toBe(['/var/lib/incus', renamed, ...rest].join('/'));
      }),
    );
  });

  test('a path outside of the directory is none, however alike', () => {
    const elsewhere = fc
      .array(component, { minLength: 1 })
      .map((parts) => `/${parts.join('/')}`)
      .filter((path) => `${posix.normalize(path)}/`.startsWith('/var/lib/lxd/') === false);
    const neighbour = fc
      .tuple(component, fc.array(component))
      .map(([end, rest]) => `/var/lib/lxd${end}/${rest.join('/')}`);

    fc.assert(
      fc.property(fc.oneof(elsewhere, neighbour), (path) => {
        expect(mapPath(map, path)).toBeUndefined();
        // In a text, a blank ends a path.
        if (!path.includes(' ')) expect(mapPathsInText(map, path)).toBe(path);
      }),
    );
  });

  test('mapping twice is mapping once', () => {
    fc.assert(
      fc.property(fc.array(component), (components) => {
        const once = mapPath(map, ['/var/lib/lxd', ...components].join('/')) ?? '';

        expect(mapPath(map, once)).toBeUndefined();
        expect(mapPathsInText(map, once)).toBe(once);
      }),
    );
  });

  test('mapping back gives the path again, where folders keep their names', () => {
    const there: PathMap = { from: '/var/lib/lxd', to: '/var/lib/incus', renamedFolders: [] };
    const back: PathMap = { from: '/var/lib/incus', to: '/var/lib/lxd', renamedFolders: [] };

    fc.assert(
      fc.property(fc.array(component), (components) => {
        const path = ['/var/lib/lxd', ...components].join('/');

        expect(mapPath(back, mapPath(there, path) ?? '')).toBe(path);
      }),
    );
  });
});

describe('mapPathsInText', () => {
  test.each([
    ['unix:/var/lib/lxd/unix.socket', 'unix:/var/lib/incus/unix.socket'],
    ['unix:@/var/lib/lxd/containers/c1/command', 'unix:@/var/lib/incus/containers/c1/command'],
    [
      'lxc.mount.entry = /var/lib/lxd/disks mnt none bind,ro 0 0',
      'lxc.mount.entry = /var/lib/incus/disks mnt none bind,ro 0 0',
    ],
    ['"/var/lib/lxd/a b",/var/lib/lxd/c', '"/var/lib/incus/a b",/var/lib/incus/c'],
    ["'/var/lib/lxd'", "'/var/lib/incus'"],
    ['path=/var/lib/lxd/snapshots/x;', 'path=/var/lib/incus/containers-snapshots/x;'],
    ['-drive file=/var/lib/lxd/x.img,if=none', '-drive file=/var/lib/incus/x.img,if=none'],
    ['/var/lib/lxd:/var/lib/lxd/x:/mnt', '/var/lib/incus:/var/lib/incus/x:/mnt'],
    ['  /var/lib/lxd/** rwk,\n  /var/lib/lxd/ r,\n', '  /var/lib/incus/** rwk,\n  /var/lib/incus/ r,\n'],
    ['/var/lib/lxd{,/**} r,', '/var/lib/incus{,/**} r,'],
    ['(/var/lib/lxd)[/var/lib/lxd/y]', '(/var/lib/incus)[/var/lib/incus/y]'],
    ['a=/var/lib/lxd\nb=/var/lib/lxd', 'a=/var/lib/incus\nb=/var/lib/incus'],
    ['file:///var/lib/lxd/x', 'file:///var/lib/incus/x'],
  ])('%j becomes %j', (text, moved) => {
    expect(mapPathsInText(map, text)).toBe(moved);
  });

  test.each([
    '/var/lib/lxd-data',
    'x=/var/lib/lxd-data/a,/var/lib/lxd.old',
    '/srv/var/lib/lxd/x',
    '../var/lib/lxd/x',
    'relative var/lib/lxd/x',
    '/var/lib/lxdé',
    '/var/lib/lxd+more',
    '/var/lib/lxd~',
    '/var/lib/lxd@1/x',
    'é/var/lib/lxd',
    '/var/lib/lxd/../lxd-data/x',
    '',
  ])('%j stays as it is', (text) => {
    expect(mapPathsInText(map, text)).toBe(text);
  });

  test('rewrites every path of a text and nothing between them', () => {
    const plain = fc.stringMatching(/^[A-Za-z0-9=:,; "'\n]{0,10}$/).map((text) => `${text} `);
    const inside = fc.array(fc.stringMatching(/^[a-z0-9_-]{1,6}$/)).map((parts) => ['', ...parts].join('/'));

    fc.assert(
      fc.property(fc.array(fc.tuple(plain, inside)), (parts) => {
        const make = (root: string): string => parts.map(([text, path]) => `${text}${root}${path} `).join('');

        expect(mapPathsInText({ ...map, renamedFolders: [] }, make('/var/lib/lxd'))).toBe(
          make('/var/lib/incus'),
        );
      }),
    );
  });
});
