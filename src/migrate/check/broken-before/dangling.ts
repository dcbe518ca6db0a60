// Devices that name a pool, a volume or a network that does not exist, and instances without a root disk.
import type { Database } from 'better-sqlite3';
import type { Finding } from '../../model/finding.ts';
import { effectiveProjects, instanceName, note, objects, profileName } from './broken.ts';
import { deviceValues } from './device-values.ts';

export function checkDangling(db: Database): Finding[] {
  const all = devices(db);
  return [
    ...note('device-points-nowhere', {
      objects: [...pools(db, all), ...volumes(db, all), ...networks(db, all)],
      what: 'These devices name something that does not exist. An instance with such a device could not be started in LXD either, and cannot in Incus.',
      action:
        'They are moved as they are. Make what they name, or change or remove the devices, before or after the move.',
    }),
    ...note('instance-without-root-disk', {
      objects: withoutRoot(db),
      what: 'Neither these instances nor their profiles have a root disk. They could not be started in LXD either, and cannot in Incus.',
      action: 'They are moved as they are. Give them a disk device with path=/ and the pool of their volume.',
    }),
  ];
}

interface Device {
  readonly object: string;
  /** The project that it is in. */
  readonly project: number;
  readonly type: number;
  /** pool, source and network, where they are set. */
  readonly values: ReadonlyMap<string, string>;
}

const codes = { nic: 1, disk: 2 } as const;

/** Of instances and of profiles. Put together here: a join of texts goes over all rows for each. */
function devices(db: Database): Device[] {
  const rows = db
    .prepare<[], [string, string, number, number]>(
      `SELECT 'i' || d.id, ${instanceName} || ', device ' || d.name, i.project_id, d.type
         FROM instances_devices d JOIN instances i ON i.id = d.instance_id JOIN projects p ON p.id = i.project_id
       UNION ALL SELECT 'p' || d.id, ${profileName} || ', device ' || d.name, f.project_id, d.type
         FROM profiles_devices d JOIN profiles f ON f.id = d.profile_id JOIN projects p ON p.id = f.project_id`,
    )
    .raw()
    .all();
  const values = deviceValues(db, ['pool', 'source', 'network']);
  return rows.map(([key, object, project, type]) => ({
    object,
    project,
    type,
    values: values.get(key) ?? new Map<string, string>(),
  }));
}

/** For each project the one whose objects it uses; none where there is no project default. */
function ownersOf(db: Database, feature: string): ReadonlyMap<number, number> {
  return new Map(
    db
      .prepare<[], [number, number]>(
        `${effectiveProjects(feature)} SELECT project_id, owner_id FROM effective`,
      )
      .raw()
      .all(),
  );
}

function pools(db: Database, all: readonly Device[]): string[] {
  const known = new Set(objects(db, 'SELECT name FROM storage_pools'));
  return all
    .flatMap(({ type, object, values }) => {
      const pool = values.get('pool');
      return type !== codes.disk || pool === undefined || known.has(pool)
        ? []
        : [`${object}: storage pool ${pool}`];
    })
    .toSorted();
}

/** What stands behind the first `/` is a part of the volume. */
function volumes(db: Database, all: readonly Device[]): string[] {
  const owners = ownersOf(db, 'features.storage.volumes');
  const knownPools = new Set(objects(db, 'SELECT name FROM storage_pools'));
  const known = new Set(
    objects(
      db,
      "SELECT v.project_id || ' ' || sp.name || '/' || v.name FROM storage_volumes v JOIN storage_pools sp ON sp.id = v.storage_pool_id WHERE v.type = 2",
    ),
  );
  return all
    .flatMap(({ type, object, project, values }) => {
      const [pool, source] = [values.get('pool'), values.get('source')];
      if (type !== codes.disk || pool === undefined || source === undefined) return [];
      if (source.startsWith('/') || !knownPools.has(pool)) return [];
      const volume = `${pool}/${source.split('/')[0]}`;
      const owner = owners.get(project);
      return owner === undefined || known.has(`${owner} ${volume}`) ? [] : [`${object}: volume ${volume}`];
    })
    .toSorted();
}

function networks(db: Database, all: readonly Device[]): string[] {
  const owners = ownersOf(db, 'features.networks');
  const known = new Set(objects(db, "SELECT project_id || ' ' || name FROM networks"));
  return all
    .flatMap(({ type, object, project, values }) => {
      const [network, owner] = [values.get('network'), owners.get(project)];
      if (type !== codes.nic || network === undefined || owner === undefined) return [];
      return known.has(`${owner} ${network}`) ? [] : [`${object}: network ${network}`];
    })
    .toSorted();
}

/** A device of the instance takes the place of one of its profiles with the same name. */
function withoutRoot(db: Database): string[] {
  return objects(
    db,
    `WITH roots AS (
       SELECT d.instance_id AS instance_id FROM instances_devices d
         JOIN instances_devices_config c ON c.instance_device_id = d.id AND c.key = 'path' AND c.value = '/' WHERE d.type = 2
       UNION SELECT ip.instance_id FROM instances_profiles ip
         JOIN profiles_devices d ON d.profile_id = ip.profile_id
         JOIN profiles_devices_config c ON c.profile_device_id = d.id AND c.key = 'path' AND c.value = '/'
        WHERE d.type = 2 AND (ip.instance_id, d.name) NOT IN (SELECT instance_id, name FROM instances_devices))
     SELECT ${instanceName} FROM instances i JOIN projects p ON p.id = i.project_id
      WHERE i.id NOT IN (SELECT instance_id FROM roots) ORDER BY 1`,
  );
}
