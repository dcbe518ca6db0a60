// A running container with very many snapshots, as hourly ones of years that nobody ever expired.
import { editLxdDatabase } from './edit-database.ts';
import type { Machine } from './machine/machine.ts';
import { startSmallMachine } from './small-server.ts';

/** LXD with c1, which runs and has so many snapshots, and an empty Incus beside it. */
export async function startSnapshotsMachine(count: number): Promise<Machine> {
  const machine = await startSmallMachine({ containers: [{ name: 'c1' }], name: 'snapshots' });
  try {
    const folder = '/var/lib/lxd/storage-pools/default/containers-snapshots/c1';
    const make = `mkdir -p ${folder} && cd ${folder} && seq ${count} | sed s/^/auto-/ | xargs mkdir`;
    await machine.exec(['sh', '-c', make]);
    await editLxdDatabase(machine, rows(count), [{ project: 'default', instance: 'c1', status: 'Running' }]);
    return machine;
  } catch (error) {
    await machine.stop();
    throw error;
  }
}

function rows(count: number): string {
  return `
    WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ${count})
    INSERT INTO instances_snapshots (id, instance_id, name, creation_date, stateful, description, expiry_date)
      SELECT 1000 + i, (SELECT id FROM instances WHERE name = 'c1'), 'auto-' || i, '2020-01-01 00:00:00+00:00', 0, '', NULL
      FROM number;
    INSERT INTO instances_snapshots_config (instance_snapshot_id, key, value)
      SELECT snapshot.id, config.key, config.value
      FROM instances_snapshots AS snapshot JOIN instances_config AS config ON config.instance_id = snapshot.instance_id;
    INSERT INTO storage_volumes_snapshots (id, storage_volume_id, name, description, expiry_date)
      SELECT 100000 + id, (SELECT id FROM storage_volumes WHERE name = 'c1' AND type = 0), name, '', NULL
      FROM instances_snapshots;`;
}
