// What a daemon says about itself is what its database says.
import { expect, test } from 'vitest';
import { inventoryFromApi } from '../../../../src/migrate/inventory/api/from-api.ts';
import { readInventory } from '../../../../src/migrate/inventory/database/read-inventory.ts';
import type { Inventory } from '../../../../src/migrate/model/inventory.ts';
import { recordedDaemon } from '../../../fakes/recorded-daemon.ts';

/** What the API does not show, taken away from an inventory read from a database; and the other way round. */
function comparable(inventory: Inventory): unknown {
  const instances = inventory.instances.map(({ expires: _expires, status: _status, ...instance }) => ({
    ...instance,
    snapshots: instance.snapshots?.map(({ description: _description, ...snapshot }) => snapshot),
  }));
  const images = inventory.images.map(({ members: _members, ...image }) => image);
  const certificates = inventory.certificates.map(({ description: _description, ...rest }) => rest);
  // Equal to their defaults, so that the API leaves them out.
  const { 'images.auto_update_interval': _interval, ...config } = inventory.server.config;
  const { origin, schema, members, clusterGroups, operations, warnings, otherTables, server, ...rest } =
    inventory;
  return { ...rest, instances, images, certificates, config };
}

test.each(['lxd-5.0.2', 'incus-6.0.4', 'incus-7.0.2'] as const)(
  '%s: the API and the database give the same inventory',
  async (name) => {
    const { client, image, localDatabase } = recordedDaemon(name);

    const asked = await inventoryFromApi(client);
    const read = readInventory(image, { localDatabase });

    expect(asked.instances.length).toBeGreaterThanOrEqual(8);
    expect(asked.instances.flatMap(({ snapshots }) => snapshots ?? []).length).toBeGreaterThan(3);
    expect(comparable(asked)).toEqual(comparable(read));
  },
);

test('backups are asked for only where they are expected, and unknown elsewhere', async () => {
  const { client, image } = recordedDaemon('incus-6.0.4');

  const { instances } = await inventoryFromApi(client, { expected: () => readInventory(image) });

  expect(instances.find(({ name }) => name === 'c2')?.backups).toMatchObject([{ name: 'b0' }]);
  expect(instances.find(({ name }) => name === 'c1')?.backups).toBeUndefined();
});

test('Incus 7 lists no snapshots of volumes, so those that are expected are asked for and the others are unknown', async () => {
  const { client, image } = recordedDaemon('incus-7.0.2');

  const { instances, internalVolumes } = await inventoryFromApi(client, {
    expected: () => readInventory(image),
  });

  const named = (wanted: string) => ({
    instance: instances.find(({ name }) => name === wanted)?.snapshots?.map(({ name }) => name),
    volume: internalVolumes.find(({ name }) => name === wanted)?.snapshots?.map(({ name }) => name),
  });
  expect(named('c2')).toEqual({ instance: ['snapA', 'snapB'], volume: ['snapA', 'snapB'] });
  expect(named('p1')).toEqual({ instance: undefined, volume: undefined });
});

test("an instance's status is the daemon's word", async () => {
  const { instances } = await inventoryFromApi(recordedDaemon('incus-6.0.4').client);

  expect(new Set(instances.map(({ status }) => status))).toEqual(new Set(['Running', 'Stopped']));
});
