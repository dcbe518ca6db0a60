// What changed in a server's database between two readings, apart from what stopping it changes.
import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { isConfidential, veil } from '../../core/secret.ts';
import { hasTable } from '../convert/change.ts';
import { configTables, readConfigRows } from '../convert/config-tables.ts';
import { migrationRules } from '../rules/migration-rules.ts';

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
    sql: "SELECT 'volume ' || s.name || '/' || p.name || '/' || v.type || '/' || v.name AS name, v.content_type || ' ' || v.description AS value FROM storage_volumes v JOIN storage_pools s ON s.id = v.storage_pool_id JOIN projects p ON p.id = v.project_id",
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
  {
    table: 'certificates_projects',
    sql: "SELECT 'projects of certificate ' || c.fingerprint AS name, group_concat(p.name ORDER BY p.name) AS value FROM certificates_projects cp JOIN certificates c ON c.id = cp.certificate_id JOIN projects p ON p.id = cp.project_id GROUP BY c.id",
  },
  {
    table: 'instances_profiles',
    sql: "SELECT 'profiles of instance ' || p.name || '/' || i.name AS name, group_concat(f.name ORDER BY ip.apply_order, ip.id) AS value FROM instances_profiles ip JOIN instances i ON i.id = ip.instance_id JOIN profiles f ON f.id = ip.profile_id JOIN projects p ON p.id = i.project_id GROUP BY i.id",
  },
  {
    table: 'instances_devices',
    sql: "SELECT 'device ' || p.name || '/' || i.name || '/' || d.name AS name, 'type ' || d.type AS value FROM instances_devices d JOIN instances i ON i.id = d.instance_id JOIN projects p ON p.id = i.project_id",
  },
  {
    table: 'profiles_devices',
    sql: "SELECT 'device of profile ' || p.name || '/' || f.name || '/' || d.name AS name, 'type ' || d.type AS value FROM profiles_devices d JOIN profiles f ON f.id = d.profile_id JOIN projects p ON p.id = f.project_id",
  },
  {
    table: 'networks_peers',
    sql: "SELECT 'network peer ' || p.name || '/' || n.name || '/' || e.name AS name, coalesce(e.target_network_project, '') || '/' || coalesce(e.target_network_name, '') || coalesce(t.name, '') AS value FROM networks_peers e JOIN networks n ON n.id = e.network_id JOIN projects p ON p.id = n.project_id LEFT JOIN networks t ON t.id = e.target_network_id",
  },
  {
    table: 'networks_zones_records',
    sql: "SELECT 'network zone record ' || z.name || '/' || r.name AS name, r.entries AS value FROM networks_zones_records r JOIN networks_zones z ON z.id = r.network_zone_id",
  },
  {
    table: 'storage_buckets',
    sql: "SELECT 'storage bucket ' || s.name || '/' || p.name || '/' || b.name AS name, b.description AS value FROM storage_buckets b JOIN storage_pools s ON s.id = b.storage_pool_id JOIN projects p ON p.id = b.project_id",
  },
];

/**
 * Lines for a person, in a stable order; no confidential value. What a stop changes is left out (rules/migration/stop.yaml),
 * and so are ephemeral instances that are gone: LXD deletes them when they stop, and the person has accepted that.
 */
export function drift(before: Buffer, after: Buffer): string[] {
  const [was, is] = [new Database(before), new Database(after)];
  try {
    dropStoppedEphemerals(was, is);
    const named = differencesOf(facts(was), facts(is));
    return [
      ...named.map(({ line }) => line),
      ...otherTables(was, is, new Set(named.map(({ table }) => table))),
    ].sort();
  } finally {
    was.close();
    is.close();
  }
}

/**
 * A digest of each table, for a plan that is kept: what differs between two of these is more than what a daemon notes by
 * itself, and than what a stop or a start of an instance changes.
 */
export function contentsOf(image: Buffer): Record<string, string> {
  const db = new Database(image);
  try {
    const { tables: ignored } = migrationRules().changed_by_stop;
    const config = new Set(configTables.map(({ table }) => table));
    const lines = new Map<string, string[]>();
    for (const table of tablesOf(db))
      if (!ignored.includes(table))
        lines.set(table, config.has(table) ? [] : [...rowsOf(db, table, ignoredColumns(table))]);
    for (const { table, object, key, value } of readConfigRows(db))
      if (!isChangedByStop(key)) lines.get(table)?.push(JSON.stringify([object, key, value]));
    return Object.fromEntries(
      [...lines].map(([table, rows]) => [
        table,
        createHash('sha256').update(rows.sort().join('\n')).digest('hex'),
      ]),
    );
  } finally {
    db.close();
  }
}

interface Fact {
  readonly table: string;
  readonly value: string;
  readonly shown: string;
}

interface Difference {
  readonly table: string;
  readonly line: string;
}

function differencesOf(was: ReadonlyMap<string, Fact>, is: ReadonlyMap<string, Fact>): Difference[] {
  const found: Difference[] = [];
  for (const [name, { table, value, shown }] of is) {
    const former = was.get(name);
    if (former === undefined) found.push({ table, line: `${name} is new` });
    else if (former.value !== value)
      found.push({ table, line: `${name} changed from ${former.shown} to ${shown}` });
  }
  for (const [name, { table }] of was) if (!is.has(name)) found.push({ table, line: `${name} is gone` });
  return found;
}

function facts(db: Database.Database): Map<string, Fact> {
  const found = new Map<string, Fact>();
  for (const { table, sql } of objects) {
    if (!hasTable(db, table)) continue;
    for (const row of db.prepare(sql).all() as { name: string; value: unknown }[]) {
      const value = String(row.value);
      found.set(row.name, { table, value, shown: JSON.stringify(value) });
    }
  }
  for (const { table, object, key, value } of readConfigRows(db)) {
    if (isChangedByStop(key)) continue;
    const text = value ?? '';
    found.set(`${object}, ${key}`, {
      table,
      value: text,
      shown: isConfidential(key, text) ? veil(text) : JSON.stringify(text),
    });
  }
  return found;
}

function isChangedByStop(key: string): boolean {
  const { keys, device_keys: endings } = migrationRules().changed_by_stop;
  return (
    keys.includes(key) ||
    (key.startsWith('volatile.') && endings.some((ending) => key.endsWith(`.${ending}`)))
  );
}

/** Takes out of `was` the ephemeral instances that `is` does not have, with all that belongs to them. */
function dropStoppedEphemerals(was: Database.Database, is: Database.Database): void {
  const key = (row: { project: string; name: string }): string => `${row.project}/${row.name}`;
  const left = new Set(
    (
      is
        .prepare(
          'SELECT p.name AS project, i.name AS name FROM instances i JOIN projects p ON p.id = i.project_id',
        )
        .all() as {
        project: string;
        name: string;
      }[]
    ).map(key),
  );
  const ephemeral = was
    .prepare(
      'SELECT i.id, i.project_id AS projectId, p.name AS project, i.name AS name FROM instances i JOIN projects p ON p.id = i.project_id WHERE i.ephemeral = 1',
    )
    .all() as { id: number; projectId: number; project: string; name: string }[];
  was.pragma('foreign_keys = ON');
  for (const row of ephemeral.filter((one) => !left.has(key(one)))) {
    // The volume of a container or virtual machine has its name (types 0 and 3, both projects).
    was
      .prepare('DELETE FROM storage_volumes WHERE type IN (0, 3) AND project_id = ? AND name = ?')
      .run(row.projectId, row.name);
    was.prepare('DELETE FROM instances WHERE id = ?').run(row.id);
  }
}

/** Tables whose rows differ though nothing that has a name does: links between objects, columns that are not shown. */
function otherTables(was: Database.Database, is: Database.Database, named: ReadonlySet<string>): string[] {
  const { tables: ignored } = migrationRules().changed_by_stop;
  const skipped = new Set([...ignored, ...named, ...configTables.map(({ table }) => table)]);
  return tablesOf(was)
    .filter((table) => !skipped.has(table))
    .flatMap((table) => {
      const without = ignoredColumns(table);
      const rows = (db: Database.Database): Set<string> =>
        hasTable(db, table) ? rowsOf(db, table, without) : new Set();
      const [former, now] = [rows(was), rows(is)];
      const same = now.size === former.size && [...now].every((row) => former.has(row));
      return same ? [] : [`rows of table ${table} changed`];
    });
}

function tablesOf(db: Database.Database): string[] {
  return db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .pluck()
    .all() as string[];
}

function ignoredColumns(table: string): string[] {
  const { columns } = migrationRules().changed_by_stop;
  return columns.filter((rule) => rule.table === table).map(({ column }) => column);
}

function rowsOf(db: Database.Database, table: string, without: readonly string[]): Set<string> {
  const rows = db.prepare(`SELECT * FROM "${table}"`).all() as Record<string, unknown>[];
  return new Set(
    rows.map((row) => JSON.stringify(Object.entries(row).filter(([column]) => !without.includes(column)))),
  );
}
