// Names that Incus would not take for a new object, and those by which nothing can be asked for.
import type { Database } from 'better-sqlite3';
import { hasTable } from '../../catalogue/schema-facts.ts';
import { compareVersions } from '../../model/compare-versions.ts';
import type { Finding } from '../../model/finding.ts';
import { blocker, instanceName, note, profileName, volumeJoins, volumeName } from './broken.ts';

interface Kind {
  readonly table: string;
  /** Columns `object` and `name`. */
  readonly sql: string;
  /** A `/` in it, or no name at all, leads to another place of the API. */
  readonly isPartOfPath?: true;
  readonly isRefused: (name: string, targetVersion: string | undefined) => boolean;
}

/** shared/validate, IsHostname, of every Incus. */
function isNoHostName(name: string): boolean {
  return !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(name) || /^[0-9]+$/.test(name);
}

/** shared/validate, IsAPIName, which Incus 7.0.1 and later ask of what is made or renamed. */
function isNoApiName(name: string, targetVersion: string | undefined): boolean {
  if (targetVersion === undefined || compareVersions(targetVersion, '7.0.1') < 0) return false;
  return (
    Buffer.byteLength(name) > 64 || /[\s$?&+"'`*/]/.test(name) || !/^[a-z0-9](.*[a-z0-9])?$/is.test(name)
  );
}

const kinds: readonly Kind[] = [
  {
    table: 'instances',
    sql: `SELECT ${instanceName} AS object, i.name AS name FROM instances i JOIN projects p ON p.id = i.project_id`,
    isPartOfPath: true,
    isRefused: isNoHostName,
  },
  {
    table: 'instances_snapshots',
    sql: `SELECT 'instance snapshot ' || p.name || '/' || i.name || '/' || s.name AS object, s.name AS name FROM instances_snapshots s
            JOIN instances i ON i.id = s.instance_id JOIN projects p ON p.id = i.project_id`,
    isPartOfPath: true,
    isRefused: isNoApiName,
  },
  {
    table: 'storage_volumes',
    sql: `SELECT ${volumeName} AS object, v.name AS name FROM storage_volumes v ${volumeJoins} WHERE v.type = 2`,
    isPartOfPath: true,
    isRefused: isNoApiName,
  },
  {
    table: 'storage_volumes_snapshots',
    sql: `SELECT ${volumeName} || '/' || s.name AS object, s.name AS name FROM storage_volumes_snapshots s
            JOIN storage_volumes v ON v.id = s.storage_volume_id ${volumeJoins} WHERE v.type = 2`,
    isPartOfPath: true,
    isRefused: isNoApiName,
  },
  {
    table: 'profiles',
    sql: `SELECT ${profileName} AS object, f.name AS name FROM profiles f JOIN projects p ON p.id = f.project_id`,
    isRefused: isNoApiName,
  },
  {
    table: 'projects',
    sql: "SELECT 'project ' || name AS object, name FROM projects",
    isRefused: isNoApiName,
  },
  {
    table: 'storage_pools',
    sql: "SELECT 'storage pool ' || name AS object, name FROM storage_pools",
    isRefused: isNoApiName,
  },
  {
    table: 'networks',
    sql: "SELECT 'network ' || p.name || '/' || n.name AS object, n.name AS name FROM networks n JOIN projects p ON p.id = n.project_id",
    isRefused: isNoApiName,
  },
  {
    table: 'networks_acls',
    sql: "SELECT 'network ACL ' || p.name || '/' || a.name AS object, a.name AS name FROM networks_acls a JOIN projects p ON p.id = a.project_id",
    isRefused: isNoApiName,
  },
  {
    table: 'storage_buckets',
    sql: "SELECT 'storage bucket ' || sp.name || '/' || k.name AS object, k.name AS name FROM storage_buckets k JOIN storage_pools sp ON sp.id = k.storage_pool_id",
    isRefused: isNoApiName,
  },
];

export function checkNames(db: Database, targetVersion: string | undefined): Finding[] {
  const refused: string[] = [];
  const unusable: string[] = [];
  for (const { table, sql, isPartOfPath, isRefused } of kinds) {
    if (!hasTable(db, table)) continue;
    const rows = db.prepare(`${sql} ORDER BY 1`).all() as { object: string; name: string }[];
    for (const { object, name } of rows) {
      if (isPartOfPath === true && (name === '' || name.includes('/'))) unusable.push(object);
      else if (isRefused(name, targetVersion)) refused.push(object);
    }
  }
  return [
    ...blocker('name-unusable', {
      objects: unusable,
      what: 'These have no name, or a name with "/". Neither LXD nor Incus can be asked for them by it.',
      action:
        'Rename or delete the rows, with those of the volumes behind them, in LXD (lxd sql global "…"), then plan again.',
    }),
    ...note('name', {
      objects: refused,
      what: 'Incus would not take these names for something new. What has one goes on working; to rename or copy it takes another name.',
      action: 'They are moved as they are. Rename them in LXD if that matters to you.',
    }),
  ];
}
