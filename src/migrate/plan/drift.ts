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

/** Lines for a person, in a stable order; no confidential value. */
export function drift(before: Buffer, after: Buffer): string[] {
  const [was, is] = [facts(before), facts(after)];
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

function facts(image: Buffer): Map<string, Fact> {
  const db = new Database(image);
  try {
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
