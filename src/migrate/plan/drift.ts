// What changed in a server's database between two readings, apart from what stopping it changes.
import Database from 'better-sqlite3';
import { isConfidential, veil } from '../../core/secret.ts';
import { hasTable } from '../convert/change.ts';
import { readConfigRows } from '../convert/config-tables.ts';

/** Objects by kind: how each table's rows are named. */
const objects: readonly { readonly table: string; readonly sql: string }[] = [
  { table: 'projects', sql: "SELECT 'project ' || name AS name, description AS value FROM projects" },
  {
    table: 'profiles',
    sql: "SELECT 'profile ' || p.name || '/' || f.name AS name, f.description AS value FROM profiles f JOIN projects p ON p.id = f.project_id",
  },
  {
    table: 'instances',
    sql: "SELECT 'instance ' || p.name || '/' || i.name AS name, i.description || ' ' || i.ephemeral AS value FROM instances i JOIN projects p ON p.id = i.project_id",
  },
  {
    table: 'instances_snapshots',
    sql: "SELECT 'instance snapshot ' || p.name || '/' || i.name || '/' || s.name AS name, s.description AS value FROM instances_snapshots s JOIN instances i ON i.id = s.instance_id JOIN projects p ON p.id = i.project_id",
  },
  {
    table: 'storage_pools',
    sql: "SELECT 'storage pool ' || name AS name, driver AS value FROM storage_pools",
  },
  {
    table: 'storage_volumes',
    sql: "SELECT 'volume ' || s.name || '/' || p.name || '/' || v.type || '/' || v.name AS name, v.description AS value FROM storage_volumes v JOIN storage_pools s ON s.id = v.storage_pool_id JOIN projects p ON p.id = v.project_id",
  },
  {
    table: 'storage_volumes_snapshots',
    sql: "SELECT 'volume snapshot ' || p.name || '/' || v.type || '/' || v.name || '/' || s.name AS name, s.description AS value FROM storage_volumes_snapshots s JOIN storage_volumes v ON v.id = s.storage_volume_id JOIN projects p ON p.id = v.project_id",
  },
  {
    table: 'networks',
    sql: "SELECT 'network ' || p.name || '/' || n.name AS name, n.type AS value FROM networks n JOIN projects p ON p.id = n.project_id",
  },
  {
    table: 'networks_acls',
    sql: "SELECT 'network ACL ' || p.name || '/' || a.name AS name, a.ingress || a.egress AS value FROM networks_acls a JOIN projects p ON p.id = a.project_id",
  },
  {
    table: 'networks_zones',
    sql: "SELECT 'network zone ' || name AS name, description AS value FROM networks_zones",
  },
  {
    table: 'networks_forwards',
    sql: "SELECT 'network forward ' || n.name || '/' || f.listen_address AS name, f.ports AS value FROM networks_forwards f JOIN networks n ON n.id = f.network_id",
  },
  {
    table: 'images',
    sql: "SELECT 'image ' || p.name || '/' || i.fingerprint AS name, i.public AS value FROM images i JOIN projects p ON p.id = i.project_id",
  },
  {
    table: 'images_aliases',
    sql: "SELECT 'image alias ' || p.name || '/' || a.name AS name, a.image_id AS value FROM images_aliases a JOIN projects p ON p.id = a.project_id",
  },
  {
    table: 'certificates',
    sql: "SELECT 'certificate ' || fingerprint AS name, name || restricted AS value FROM certificates",
  },
];

/**
 * Lines for a person, in a stable order; no confidential value. Ephemeral instances that are gone are none: LXD deletes
 * them when they stop, and a finding has asked about them.
 */
export function drift(before: Buffer, after: Buffer): string[] {
  const remaining = new Set(instanceNames(after, ''));
  const gone = instanceNames(before, 'WHERE i.ephemeral = 1').filter((name) => !remaining.has(name));
  const [was, is] = [facts(before, gone), facts(after)];
  const lines: string[] = [];
  for (const [name, value] of is) {
    const former = was.get(name);
    if (former === undefined) lines.push(`${name} is new`);
    else if (former.value !== value.value)
      lines.push(`${name} changed from ${former.shown} to ${value.shown}`);
  }
  for (const name of was.keys()) if (!is.has(name)) lines.push(`${name} is gone`);
  return lines.sort();
}

interface Fact {
  readonly value: string;
  readonly shown: string;
}

function instanceNames(image: Buffer, where: string): string[] {
  const db = new Database(image);
  try {
    return db
      .prepare(
        `SELECT p.name || '/' || i.name FROM instances i JOIN projects p ON p.id = i.project_id ${where}`,
      )
      .pluck()
      .all() as string[];
  } finally {
    db.close();
  }
}

/** @param without instances (`project/name`) of which nothing is said, nor of what belongs to them */
function facts(image: Buffer, without: readonly string[] = []): Map<string, Fact> {
  const db = new Database(image);
  try {
    for (const name of without) remove(db, name);
    const found = new Map<string, Fact>();
    for (const { table, sql } of objects) {
      if (!hasTable(db, table)) continue;
      for (const row of db.prepare(sql).all() as { name: string; value: unknown }[]) {
        const value = String(row.value);
        found.set(row.name, { value, shown: JSON.stringify(value) });
      }
    }
    for (const { object, key, value } of readConfigRows(db)) {
      // What daemons write about instances that start and stop.
      if (key.startsWith('volatile.')) continue;
      const text = value ?? '';
      found.set(`${object}, ${key}`, {
        value: text,
        shown: isConfidential(key, text) ? veil(text) : JSON.stringify(text),
      });
    }
    return found;
  } finally {
    db.close();
  }
}

/** As LXD deletes an instance, with its volume; the rest goes by the references of the tables. */
function remove(db: Database.Database, instance: string): void {
  const [project, name] = instance.split('/');
  db.pragma('foreign_keys = ON');
  const ofProject = '(SELECT id FROM projects WHERE name = ?)';
  db.prepare(`DELETE FROM instances WHERE project_id = ${ofProject} AND name = ?`).run(project, name);
  db.prepare(
    `DELETE FROM storage_volumes WHERE project_id = ${ofProject} AND name = ? AND type IN (0, 3)`,
  ).run(project, name);
}
