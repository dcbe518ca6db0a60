// Converts a small server of a test.
import { type Conversion, type ConversionInput, convert } from '../../../src/migrate/convert/index.ts';
import { lxdDatabase } from '../lxd-database.ts';

export const nothingRan = { running: new Set<string>(), frozen: new Set<string>() };

export function convertImage(image: Buffer, options: Partial<ConversionInput> = {}): Conversion {
  return convert({
    image,
    local: undefined,
    sourceDirectory: '/var/lib/lxd',
    targetDirectory: '/var/lib/incus',
    targetVersion: '6.0.4',
    pinsFromHost: new Map(),
    power: nothingRan,
    now: new Date('2026-11-24T00:00:00Z'),
    ...options,
  });
}

/** @param sql rows beyond those that every server has */
export function converted(sql: string, options: Partial<ConversionInput> = {}): Conversion {
  return convertImage(lxdDatabase(sql), options);
}

/** `(id, node, name, …)` of an instance; ids of projects: 1 default, 2 dev. */
export function instance(
  id: number,
  name: string,
  { project = 1, type = 0 }: { project?: number; type?: number } = {},
): string {
  return `INSERT INTO instances VALUES (${id}, 1, '${name}', 2, ${type}, 0, '2026-11-23 15:23:28+00:00', 0, NULL, '', ${project}, NULL);`;
}

/** Rows of a configuration table: `owner` is the value of its foreign key. */
export function config(
  table: string,
  owner: number,
  values: Readonly<Record<string, string | null>>,
): string {
  const column = owners[table];
  return Object.entries(values)
    .map(
      ([key, value]) =>
        `INSERT INTO ${table} (${column}, key, value) VALUES (${owner}, ${quoted(key)}, ${value === null ? 'NULL' : quoted(value)});`,
    )
    .join('\n');
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const owners: Readonly<Record<string, string>> = {
  projects_config: 'project_id',
  profiles_config: 'profile_id',
  profiles_devices_config: 'profile_device_id',
  instances_config: 'instance_id',
  instances_devices_config: 'instance_device_id',
  instances_snapshots_config: 'instance_snapshot_id',
  instances_snapshots_devices_config: 'instance_snapshot_device_id',
  networks_config: 'network_id',
  networks_acls_config: 'network_acl_id',
  storage_pools_config: 'storage_pool_id',
  storage_volumes_config: 'storage_volume_id',
  storage_volumes_snapshots_config: 'storage_volume_snapshot_id',
};
