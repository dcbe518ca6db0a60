// What changed in a server's database between two readings, apart from what stopping it changes.
import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { isConfidential, veil } from '../../core/secret.ts';
import { configTables, readConfigRows } from '../catalogue/config-tables.ts';
import { hasTable } from '../catalogue/schema-facts.ts';
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
  return driftSince(before).since(after);
}

/** As `drift`, for several looks at a server of which the same `before` is known: that one is read once. */
export function driftSince(before: Buffer): Drift {
  let unchanged: State | undefined;
  const since = (after: Buffer): string[] => {
    const is = new Database(after);
    try {
      let was = unchanged;
      if (was === undefined || was.hasEphemerals) {
        const db = new Database(before);
        try {
          const hasEphemerals = dropStoppedEphemerals(db, is);
          was = { ...stateOf(db), hasEphemerals };
        } finally {
          db.close();
        }
        unchanged = was;
      }
      return differences(was, stateOf(is));
    } finally {
      is.close();
    }
  };
  return {
    since,
    prepare() {
      if (unchanged === undefined) since(before);
    },
  };
}

export interface Drift {
  /** What differs in a later image. */
  since(after: Buffer): string[];
  /** Reads the earlier one ahead of time. */
  prepare(): void;
}

interface State {
  readonly facts: ReadonlyMap<string, Fact>;
  /** Of tables whose objects have no name here: their rows. */
  readonly rows: ReadonlyMap<string, ReadonlySet<string>>;
  readonly hasEphemerals?: boolean;
}

function stateOf(db: Database.Database): State {
  const { tables: ignored } = migrationRules().changed_by_stop;
  const skipped = new Set([...ignored, ...configTables.map(({ table }) => table)]);
  const tables = tablesOf(db).filter((table) => !skipped.has(table));
  return {
    facts: facts(db),
    rows: new Map(tables.map((table) => [table, rowsOf(db, table, ignoredColumns(table))])),
  };
}

function differences(was: State, is: State): string[] {
  const named = differencesOf(was.facts, is.facts);
  return [
    ...named.map(({ line }) => line),
    ...otherTables(was, is, new Set(named.map(({ table }) => table))),
  ].sort();
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
  /** The key of a configuration row. */
  readonly key?: string;
}

interface Difference {
  readonly table: string;
  readonly line: string;
}

function differencesOf(was: ReadonlyMap<string, Fact>, is: ReadonlyMap<string, Fact>): Difference[] {
  const found: Difference[] = [];
  for (const [name, fact] of is) {
    const former = was.get(name);
    const { table } = fact;
    if (former === undefined) found.push({ table, line: `${name} is new` });
    else if (former.value !== fact.value)
      found.push({ table, line: `${name} changed from ${shown(former)} to ${shown(fact)}` });
  }
  for (const [name, { table }] of was) if (!is.has(name)) found.push({ table, line: `${name} is gone` });
  return found;
}

function facts(db: Database.Database): Map<string, Fact> {
  const found = new Map<string, Fact>();
  for (const { table, sql } of objects) {
    if (!hasTable(db, table)) continue;
    for (const row of db.prepare(sql).all() as { name: string; value: unknown }[]) {
      found.set(row.name, { table, value: String(row.value) });
    }
  }
  for (const { table, object, key, value } of readConfigRows(db)) {
    if (isChangedByStop(key)) continue;
    found.set(`${object}, ${key}`, { table, value: value ?? '', key });
  }
  return found;
}

function shown({ key, value }: Fact): string {
  return key !== undefined && isConfidential(key, value) ? veil(value) : JSON.stringify(value);
}

function isChangedByStop(key: string): boolean {
  const { keys, device_keys: endings } = migrationRules().changed_by_stop;
  return (
    keys.includes(key) ||
    (key.startsWith('volatile.') && endings.some((ending) => key.endsWith(`.${ending}`)))
  );
}

/**
 * Takes out of `was` the ephemeral instances that `is` does not have, with all that belongs to them. Whether `was` had
 * any at all.
 */
function dropStoppedEphemerals(was: Database.Database, is: Database.Database): boolean {
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
  return ephemeral.length > 0;
}

/** Tables whose rows differ though nothing that has a name does: links between objects, columns that are not shown. */
function otherTables(was: State, is: State, named: ReadonlySet<string>): string[] {
  const none: ReadonlySet<string> = new Set();
  return [...was.rows]
    .filter(([table]) => !named.has(table))
    .filter(([table, former]) => {
      const now = is.rows.get(table) ?? none;
      return now.size !== former.size || ![...now].every((row) => former.has(row));
    })
    .map(([table]) => `rows of table ${table} changed`);
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
  const statement = db.prepare(`SELECT * FROM "${table}"`);
  const counted = statement.columns().flatMap(({ name }, at) => (without.includes(name) ? [] : [at]));
  const rows = statement.raw().all() as unknown[][];
  return new Set(rows.map((row) => JSON.stringify(counted.map((at) => row[at]))));
}
