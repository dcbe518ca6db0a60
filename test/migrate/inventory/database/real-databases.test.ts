// Inventories of databases that real daemons wrote.
import { expect, test } from 'vitest';
import { type DatabaseFixture, readFixtureDump } from '../../../../src/dev/database-fixture.ts';
import { readInventory } from '../../../../src/migrate/inventory/database/read-inventory.ts';
import { image } from '../small-server.ts';

function database(name: DatabaseFixture): Buffer {
  return image(readFixtureDump(name));
}

test('LXD 5.0.2, a populated server', () => {
  const inventory = readInventory(database('lxd-5.0.2-clean'));

  expect(inventory.schema).toBe(60);
  expect(inventory.instances.map(({ project, name }) => `${project}/${name}`)).toEqual([
    'default/c1',
    'default/c2',
    'dev/c3',
  ]);
  expect(inventory.instances[1]).toMatchObject({
    profiles: ['default', 'web'],
    snapshots: [{ name: 'snapA' }, { name: 'snapB' }],
    devices: { vol2: { type: 'disk', pool: 'bt', source: 'vol2', path: '/data' } },
  });
  expect(inventory.pools).toMatchObject([
    { name: 'bt', driver: 'btrfs', state: 'Created', config: { source: '/var/lib/lxd/disks/bt.img' } },
    { name: 'default', driver: 'dir' },
  ]);
  expect(inventory.profiles.find(({ name }) => name === 'web')?.config['user.note']).toBe(
    'it\'s LXD\'s / "quoted" $ ünïcode',
  );
  expect(inventory.acls[0]?.ingress).toEqual([
    { action: 'allow', destination_port: '80', protocol: 'tcp', state: 'enabled' },
  ]);
  expect(inventory.images[0]).toMatchObject({ aliases: [{ name: 'tiny' }], profiles: ['default'] });
  expect(inventory.otherTables).toEqual([]);
});

test('LXD 5.0.2 with 2,001 instances', () => {
  const { instances, internalVolumes } = readInventory(database('lxd-5.0.2-2001-instances'));

  expect(instances.length).toBe(2001);
  expect(internalVolumes.length).toBe(2001);
  expect(instances.every(({ config }) => 'volatile.uuid' in config)).toBe(true);
});

test('LXD 5.0.2, a member of a cluster', () => {
  const { members, instances, pools } = readInventory(database('lxd-5.0.2-cluster-m1'));

  expect(members?.map(({ name, address }) => [name, address])).toEqual([
    ['m1', '10.99.0.1:8443'],
    ['m2', '10.99.0.2:8443'],
    ['m3', '10.99.0.3:8443'],
  ]);
  expect(instances.map(({ name, member }) => [name, member])).toEqual([
    ['k1', 'm1'],
    ['k2', 'm2'],
    ['k3', 'm3'],
  ]);
  expect(pools[0]?.config).toEqual({});
  expect(pools[0]?.memberConfig?.['m2']).toEqual({ source: '/var/lib/lxd/storage-pools/default' });
});

test('Incus 6.0.4, empty', () => {
  const inventory = readInventory(database('incus-6.0.4-running'));

  expect(inventory).toMatchObject({ schema: 73, instances: [], operations: 7, warnings: 3, otherTables: [] });
  expect(inventory.projects).toMatchObject([{ name: 'default', description: 'Default Incus project' }]);
});

test('a SQLite file that is no database of either has an inventory without objects', () => {
  const { projects, instances, otherTables } = readInventory(database('dqlite-1.18.6-killed'));

  expect([projects, instances]).toEqual([[], []]);
  expect(otherTables?.length).toBeGreaterThan(0);
});
