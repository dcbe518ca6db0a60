// The tables of LXD that hold configuration keys: whose they are, and which type of object each row belongs to.
import type { Database } from 'better-sqlite3';
import { hasTable } from './schema-facts.ts';

export type Entity =
  | 'server'
  | 'member'
  | 'project'
  | 'instance'
  | 'device'
  | 'network'
  | 'network-acl'
  | 'network-other'
  | 'storage-pool'
  | 'storage-volume'
  | 'storage-bucket';

interface ConfigTable {
  readonly table: string;
  readonly entity: Entity;
  /** Joins from the alias `c` to what names the object. */
  readonly from: string;
  readonly object: string;
  readonly type: string;
}

// Numeric codes are those of both projects (instance, device, network types).
const instanceType = "CASE i.type WHEN 1 THEN 'vm' ELSE 'container' END";
const deviceType =
  "CASE d.type WHEN 1 THEN 'nic' WHEN 2 THEN 'disk' WHEN 3 THEN 'unix-char' WHEN 4 THEN 'unix-block' WHEN 5 THEN 'usb' WHEN 6 THEN 'gpu' WHEN 7 THEN 'infiniband' WHEN 8 THEN 'proxy' WHEN 9 THEN 'unix-hotplug' WHEN 10 THEN 'tpm' WHEN 11 THEN 'pci' ELSE 'none' END";
const networkType =
  "CASE n.type WHEN 0 THEN 'bridge' WHEN 1 THEN 'macvlan' WHEN 2 THEN 'sriov' WHEN 3 THEN 'ovn' ELSE 'physical' END";
const volumeName = "'volume ' || sp.name || '/' || p.name || '/' || v.name";
const volumeJoins =
  'JOIN storage_pools sp ON sp.id = v.storage_pool_id JOIN projects p ON p.id = v.project_id';
const networkJoins = 'JOIN networks n ON n.id = c.network_id JOIN projects p ON p.id = n.project_id';
const networkName = "p.name || '/' || n.name";

export const configTables: readonly ConfigTable[] = [
  { table: 'config', entity: 'server', from: '', object: "'server'", type: "''" },
  {
    table: 'nodes_config',
    entity: 'member',
    from: 'JOIN nodes m ON m.id = c.node_id',
    object: "'member ' || m.name",
    type: "''",
  },
  {
    table: 'projects_config',
    entity: 'project',
    from: 'JOIN projects p ON p.id = c.project_id',
    object: "'project ' || p.name",
    type: "''",
  },
  {
    table: 'profiles_config',
    entity: 'instance',
    from: 'JOIN profiles f ON f.id = c.profile_id JOIN projects p ON p.id = f.project_id',
    object: "'profile ' || p.name || '/' || f.name",
    type: "'any'",
  },
  {
    table: 'instances_config',
    entity: 'instance',
    from: 'JOIN instances i ON i.id = c.instance_id JOIN projects p ON p.id = i.project_id',
    object: "'instance ' || p.name || '/' || i.name",
    type: instanceType,
  },
  {
    table: 'instances_snapshots_config',
    entity: 'instance',
    from: 'JOIN instances_snapshots s ON s.id = c.instance_snapshot_id JOIN instances i ON i.id = s.instance_id JOIN projects p ON p.id = i.project_id',
    object: "'instance snapshot ' || p.name || '/' || i.name || '/' || s.name",
    type: instanceType,
  },
  {
    table: 'profiles_devices_config',
    entity: 'device',
    from: 'JOIN profiles_devices d ON d.id = c.profile_device_id JOIN profiles f ON f.id = d.profile_id JOIN projects p ON p.id = f.project_id',
    object: "'profile ' || p.name || '/' || f.name || ', device ' || d.name",
    type: deviceType,
  },
  {
    table: 'instances_devices_config',
    entity: 'device',
    from: 'JOIN instances_devices d ON d.id = c.instance_device_id JOIN instances i ON i.id = d.instance_id JOIN projects p ON p.id = i.project_id',
    object: "'instance ' || p.name || '/' || i.name || ', device ' || d.name",
    type: deviceType,
  },
  {
    table: 'instances_snapshots_devices_config',
    entity: 'device',
    from: 'JOIN instances_snapshots_devices d ON d.id = c.instance_snapshot_device_id JOIN instances_snapshots s ON s.id = d.instance_snapshot_id JOIN instances i ON i.id = s.instance_id JOIN projects p ON p.id = i.project_id',
    object: "'instance snapshot ' || p.name || '/' || i.name || '/' || s.name || ', device ' || d.name",
    type: deviceType,
  },
  {
    table: 'networks_config',
    entity: 'network',
    from: networkJoins,
    object: `'network ' || ${networkName}`,
    type: networkType,
  },
  {
    table: 'networks_acls_config',
    entity: 'network-acl',
    from: 'JOIN networks_acls a ON a.id = c.network_acl_id JOIN projects p ON p.id = a.project_id',
    object: "'network ACL ' || p.name || '/' || a.name",
    type: "''",
  },
  {
    table: 'networks_zones_config',
    entity: 'network-other',
    from: 'JOIN networks_zones z ON z.id = c.network_zone_id',
    object: "'network zone ' || z.name",
    type: "''",
  },
  {
    table: 'networks_zones_records_config',
    entity: 'network-other',
    from: 'JOIN networks_zones_records r ON r.id = c.network_zone_record_id JOIN networks_zones z ON z.id = r.network_zone_id',
    object: "'network zone record ' || z.name || '/' || r.name",
    type: "''",
  },
  {
    table: 'networks_forwards_config',
    entity: 'network-other',
    from: 'JOIN networks_forwards w ON w.id = c.network_forward_id JOIN networks n ON n.id = w.network_id JOIN projects p ON p.id = n.project_id',
    object: `'network forward ' || ${networkName} || '/' || w.listen_address`,
    type: "''",
  },
  {
    table: 'networks_load_balancers_config',
    entity: 'network-other',
    from: 'JOIN networks_load_balancers b ON b.id = c.network_load_balancer_id JOIN networks n ON n.id = b.network_id JOIN projects p ON p.id = n.project_id',
    object: `'network load balancer ' || ${networkName} || '/' || b.listen_address`,
    type: "''",
  },
  {
    table: 'networks_peers_config',
    entity: 'network-other',
    from: 'JOIN networks_peers e ON e.id = c.network_peer_id JOIN networks n ON n.id = e.network_id JOIN projects p ON p.id = n.project_id',
    object: `'network peer ' || ${networkName} || '/' || e.name`,
    type: "''",
  },
  {
    table: 'storage_pools_config',
    entity: 'storage-pool',
    from: 'JOIN storage_pools sp ON sp.id = c.storage_pool_id',
    object: "'storage pool ' || sp.name",
    type: 'sp.driver',
  },
  {
    table: 'storage_volumes_config',
    entity: 'storage-volume',
    from: `JOIN storage_volumes v ON v.id = c.storage_volume_id ${volumeJoins}`,
    object: volumeName,
    type: 'sp.driver',
  },
  {
    table: 'storage_volumes_snapshots_config',
    entity: 'storage-volume',
    from: `JOIN storage_volumes_snapshots s ON s.id = c.storage_volume_snapshot_id JOIN storage_volumes v ON v.id = s.storage_volume_id ${volumeJoins}`,
    object: `${volumeName} || '/' || s.name`,
    type: 'sp.driver',
  },
  {
    table: 'storage_buckets_config',
    entity: 'storage-bucket',
    from: 'JOIN storage_buckets k ON k.id = c.storage_bucket_id JOIN storage_pools sp ON sp.id = k.storage_pool_id',
    object: "'storage bucket ' || sp.name || '/' || k.name",
    type: 'sp.driver',
  },
];

export interface RowOfConfig {
  readonly id: number;
  readonly key: string;
  readonly value: string | null;
  readonly object: string;
}

export interface TypedRow extends RowOfConfig {
  readonly table: string;
  readonly entity: Entity;
  readonly type: string;
}

/** Every row of every configuration table that the database has, in the order of the list above. */
export function readConfigRows(db: Database): TypedRow[] {
  return configTables
    .filter(({ table }) => hasTable(db, table))
    .flatMap(({ table, entity, from, object, type }) => {
      const rows = db
        .prepare(
          `SELECT c.id AS id, c.key AS key, c.value AS value, ${object} AS object, ${type} AS type FROM "${table}" c ${from} ORDER BY c.id`,
        )
        .all() as { id: number; key: string; value: string | null; object: string; type: string }[];
      return rows.map((row) => ({ ...row, table, entity }));
    });
}

/** Ids of rows whose owner does not exist, by table: nobody would ever read them. Tables without any are left out. */
export function orphanedRows(db: Database): Map<string, number[]> {
  const found = configTables
    .filter(({ table, from }) => from !== '' && hasTable(db, table))
    .map(({ table, from }) => {
      const ids = db
        .prepare(
          `SELECT id FROM "${table}" WHERE id NOT IN (SELECT c.id FROM "${table}" c ${from}) ORDER BY id`,
        )
        .pluck()
        .all() as number[];
      return [table, ids] as const;
    });
  return new Map(found.filter(([, ids]) => ids.length > 0));
}
