// Devices that name a pool, a volume or a network that does not exist, and instances without a root disk.
import type { Database } from 'better-sqlite3';
import type { Finding } from '../finding.ts';
import { effectiveProjects, instanceName, note, objects, profileName } from './broken.ts';

/** Devices of instances and of profiles, with the project that they are in. */
const devices = `devices AS (
  SELECT 'i' || d.id AS id, ${instanceName} || ', device ' || d.name AS object, i.project_id AS project_id, d.type AS type
    FROM instances_devices d JOIN instances i ON i.id = d.instance_id JOIN projects p ON p.id = i.project_id
  UNION ALL SELECT 'p' || d.id, ${profileName} || ', device ' || d.name, f.project_id, d.type
    FROM profiles_devices d JOIN profiles f ON f.id = d.profile_id JOIN projects p ON p.id = f.project_id)`;
const keys = (key: string): string => `(
  SELECT 'i' || instance_device_id AS device, value FROM instances_devices_config WHERE key = '${key}' AND value <> ''
  UNION ALL SELECT 'p' || profile_device_id, value FROM profiles_devices_config WHERE key = '${key}' AND value <> '')`;

export function checkDangling(db: Database): Finding[] {
  return [
    ...note('device-points-nowhere', {
      objects: [...pools(db), ...volumes(db), ...networks(db)],
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

function pools(db: Database): string[] {
  return objects(
    db,
    `WITH ${devices} SELECT d.object || ': storage pool ' || k.value FROM devices d JOIN ${keys('pool')} k ON k.device = d.id
      WHERE d.type = 2 AND k.value NOT IN (SELECT name FROM storage_pools) ORDER BY 1`,
  );
}

/** What stands behind the first `/` is a part of the volume. */
function volumes(db: Database): string[] {
  return objects(
    db,
    `${effectiveProjects('features.storage.volumes')}, ${devices}, used AS (
       SELECT d.object AS object, e.owner_id AS owner_id, k.value AS pool, substr(s.value, 1, instr(s.value || '/', '/') - 1) AS name
         FROM devices d JOIN ${keys('pool')} k ON k.device = d.id JOIN ${keys('source')} s ON s.device = d.id
         JOIN effective e ON e.project_id = d.project_id
        WHERE d.type = 2 AND substr(s.value, 1, 1) <> '/' AND k.value IN (SELECT name FROM storage_pools))
     SELECT object || ': volume ' || pool || '/' || name FROM used
      WHERE (owner_id, pool, name) NOT IN (
        SELECT v.project_id, sp.name, v.name FROM storage_volumes v JOIN storage_pools sp ON sp.id = v.storage_pool_id WHERE v.type = 2)
      ORDER BY 1`,
  );
}

function networks(db: Database): string[] {
  return objects(
    db,
    `${effectiveProjects('features.networks')}, ${devices}
     SELECT d.object || ': network ' || k.value FROM devices d JOIN ${keys('network')} k ON k.device = d.id
       JOIN effective e ON e.project_id = d.project_id
      WHERE d.type = 1 AND (e.owner_id, k.value) NOT IN (SELECT project_id, name FROM networks) ORDER BY 1`,
  );
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
