// Where a value may hold a path of the LXD directory, it follows the move; where the user wrote it, it is pointed out.
import { describe, expect, test } from 'vitest';
import { ask } from '../lxd-database.ts';
import { config, converted, instance } from './converted.ts';

const device = (type: number): string => `
  ${instance(1, 'c1')} INSERT INTO instances_devices VALUES (1, 1, 'd', ${type});
`;

function valueUnder(image: Buffer, table: string, key: string): unknown {
  return ask(image, `SELECT value FROM ${table} WHERE key = ?`, key)[0]?.['value'];
}

describe('a value that is a path', () => {
  test('of a pool moves, its initial source too', () => {
    const { image } = converted(`
      INSERT INTO storage_pools VALUES (1, 'p', 'btrfs', '', 1);
      ${config('storage_pools_config', 1, { source: '/var/lib/lxd/disks/p.img', 'volatile.initial_source': '/var/lib//lxd/disks/p.img' })}
    `);

    expect(valueUnder(image, 'storage_pools_config', 'source')).toBe('/var/lib/incus/disks/p.img');
    expect(valueUnder(image, 'storage_pools_config', 'volatile.initial_source')).toBe(
      '/var/lib/incus/disks/p.img',
    );
  });

  test.each([
    ['disk', 2],
    ['unix-char', 3],
    ['unix-block', 4],
  ])('of a device of type %s moves', (_name, type) => {
    const { image, changes } = converted(
      `${device(type)} ${config('instances_devices_config', 1, { source: '/var/lib/lxd/snapshots/x' })}`,
    );

    expect(valueUnder(image, 'instances_devices_config', 'source')).toBe(
      '/var/lib/incus/containers-snapshots/x',
    );
    expect(changes).toContainEqual(
      expect.objectContaining({
        object: 'instance default/c1, device d',
        what: 'source',
        before: '/var/lib/lxd/snapshots/x',
        after: '/var/lib/incus/containers-snapshots/x',
        rule: 'path-of-source',
      }),
    );
  });

  test('moves in profiles and in snapshots as well', () => {
    const { image } = converted(`
      ${instance(1, 'c1')} INSERT INTO instances_snapshots VALUES (1, 1, 's0', 0, 0, '', NULL);
      INSERT INTO instances_snapshots_devices VALUES (1, 1, 'd', 2); INSERT INTO profiles_devices VALUES (1, 1, 'd', 2);
      ${config('instances_snapshots_devices_config', 1, { source: '/var/lib/lxd/images' })}
      ${config('profiles_devices_config', 1, { source: '/var/lib/lxd' })}
    `);

    expect(valueUnder(image, 'instances_snapshots_devices_config', 'source')).toBe('/var/lib/incus/images');
    expect(valueUnder(image, 'profiles_devices_config', 'source')).toBe('/var/lib/incus');
  });

  test.each([
    ['the name of a volume', 'vol1'],
    ['a neighbour of the directory', '/var/lib/lxd-data/x'],
    ['a path that leaves the directory', '/var/lib/lxd/../lxd-data'],
    ['a path of the snap', '/var/lib/snapd/hostfs/var/lib/lxd/x'],
  ])('stays where it is %s', (_what, source) => {
    const { image, changes } = converted(`${device(2)} ${config('instances_devices_config', 1, { source })}`);

    expect(valueUnder(image, 'instances_devices_config', 'source')).toBe(source);
    expect(changes.filter(({ rule }) => rule === 'path-of-source')).toEqual([]);
  });

  test('is one only under the keys of the rules: where a disk appears in the guest does not move', () => {
    const { image } = converted(
      `${device(2)} ${config('instances_devices_config', 1, { source: '/srv', path: '/var/lib/lxd' })}`,
    );

    expect(valueUnder(image, 'instances_devices_config', 'path')).toBe('/var/lib/lxd');
  });
});

describe('a proxy', () => {
  const socket = 'unix:/var/lib/lxd/unix.socket';
  const moved = 'unix:/var/lib/incus/unix.socket';

  test.each([
    ['listens on the host unless told', undefined, moved, socket],
    ['listens on the host', 'host', moved, socket],
    ['listens in the guest', 'instance', socket, moved],
    ['listens in the guest, by the word of old', 'container', socket, moved],
    ['listens in the guest, by another word', 'guest', socket, moved],
  ])('that %s has only the path of the host moved', (_how, bind, listen, connect) => {
    const { image, findings } = converted(
      `${device(8)} ${config('instances_devices_config', 1, {
        ...(bind === undefined ? {} : { bind }),
        listen: socket,
        connect: socket,
      })}`,
    );

    expect(valueUnder(image, 'instances_devices_config', 'listen')).toBe(listen);
    expect(valueUnder(image, 'instances_devices_config', 'connect')).toBe(connect);
    expect(findings).toEqual([]);
  });

  test('is judged by its own device and not by another of the same name', () => {
    const { image } = converted(`
      ${device(8)} INSERT INTO profiles_devices VALUES (1, 1, 'd', 8);
      ${config('instances_devices_config', 1, { bind: 'host', connect: socket })}
      ${config('profiles_devices_config', 1, { bind: 'instance', connect: socket })}
    `);

    expect(valueUnder(image, 'instances_devices_config', 'connect')).toBe(socket);
    expect(valueUnder(image, 'profiles_devices_config', 'connect')).toBe(moved);
  });
});

describe('a text that holds paths', () => {
  test.each(['raw.lxc', 'raw.apparmor', 'raw.seccomp', 'raw.qemu', 'raw.qemu.conf'])(
    'under %s has all of them moved',
    (key) => {
      const { image } = converted(
        `${instance(1, 'c1')} ${config('instances_config', 1, { [key]: 'a=/var/lib/lxd/x,"/var/lib/lxd-data" /var/lib/lxd' })}`,
      );

      expect(valueUnder(image, 'instances_config', key)).toBe(
        'a=/var/lib/incus/x,"/var/lib/lxd-data" /var/lib/incus',
      );
    },
  );

  test('of networks and projects is moved too', () => {
    const { image } = converted(`
      INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0);
      ${config('networks_config', 1, { 'raw.dnsmasq': 'addn-hosts=/var/lib/lxd/networks/hosts' })}
      ${config('projects_config', 2, { 'restricted.devices.disk.paths': '/srv,/var/lib/lxd/shared' })}
    `);

    expect(valueUnder(image, 'networks_config', 'raw.dnsmasq')).toBe(
      'addn-hosts=/var/lib/incus/networks/hosts',
    );
    expect(valueUnder(image, 'projects_config', 'restricted.devices.disk.paths')).toBe(
      '/srv,/var/lib/incus/shared',
    );
  });
});

describe('a path in a value of the user', () => {
  test('is left, and every object that has one is named once', () => {
    const { image, findings } = converted(`
      ${instance(1, 'c1')} ${instance(2, 'c2', { project: 2 })}
      ${config('instances_config', 1, { 'user.user-data': 'mount /var/lib/lxd/disks' })}
      ${config('instances_config', 2, { 'user.user-data': '/var/lib/lxd' })}
    `);

    expect(valueUnder(image, 'instances_config', 'user.user-data')).toBe('mount /var/lib/lxd/disks');
    expect(findings).toMatchObject([
      {
        id: 'path-left:user.user-data',
        severity: 'note',
        objects: ['instance default/c1', 'instance dev/c2'],
      },
    ]);
    expect(JSON.stringify(findings)).not.toContain('mount');
  });

  test('that only looks like one is not worth a word', () => {
    const { findings } = converted(
      `${instance(1, 'c1')} ${config('instances_config', 1, { 'user.note': 'see /var/lib/lxd-data' })}`,
    );

    expect(findings).toEqual([]);
  });
});

test('an LXD in another directory is found by that directory', () => {
  const sql = `INSERT INTO storage_pools VALUES (1, 'p', 'dir', '', 1), (2, 'q', 'dir', '', 1);
    ${config('storage_pools_config', 1, { source: '/opt/lxd.d/storage-pools/p' })}
    ${config('storage_pools_config', 2, { source: '/optXlxd.d/storage-pools/q' })}`;

  const { image } = converted(sql, { sourceDirectory: '/opt/lxd.d', targetDirectory: '/srv/incus' });

  expect(ask(image, 'SELECT value FROM storage_pools_config ORDER BY id').map(({ value }) => value)).toEqual([
    '/srv/incus/storage-pools/p',
    '/optXlxd.d/storage-pools/q',
  ]);
});
