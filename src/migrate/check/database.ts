// Findings about the database of the source: empty, part of a cluster, of an unknown schema, or not sound.
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { firstOf } from '../../core/text.ts';
import { orphanedRows } from '../catalogue/config-tables.ts';
import { hasTable } from '../catalogue/schema-facts.ts';
import { unknownSchema } from '../convert/index.ts';
import type { Finding } from '../model/finding.ts';
import type { CheckContext, OpenDatabase } from './context.ts';

export function checkDatabase(context: CheckContext): Finding[] {
  const { sourceDatabase, targetDatabase, target } = context;
  return [
    ...notReadable(context),
    ...noLocalDatabase(context),
    ...cluster('source', 'This LXD', sourceDatabase),
    ...(targetDatabase === undefined || target === undefined
      ? []
      : cluster('target', 'This Incus', targetDatabase)),
    ...empty(sourceDatabase.db),
    ...soundness(sourceDatabase.db),
  ];
}

/** A plan of somebody who is not root may do without; a migration may not. */
function notReadable({ host, unreadable }: CheckContext): Finding[] {
  if (unreadable.length === 0) return [];
  return [
    {
      id: 'not-readable',
      severity: host.userId() === 0 ? 'blocker' : 'note',
      objects: unreadable,
      what: 'You may not read these, so nothing is said about them; nor can you see which instances run.',
      action: 'The plan is made without them. Plan as root for one that says everything.',
    },
  ];
}

/** The directory of a daemon that ran has one; what belongs to this member alone is in it. */
function noLocalDatabase({
  sourceIsWhole,
  sourceDatabase,
  source,
  unreadable,
  host,
}: CheckContext): Finding[] {
  const path = join(source.dataDirectory, 'database', 'local.db');
  if (!sourceIsWhole || sourceDatabase.local !== undefined || unreadable.includes(host.path(path))) return [];
  return [
    {
      id: 'local-database-missing',
      severity: 'blocker',
      objects: [path],
      what: 'LXD keeps here what belongs to this server alone: its addresses, and what it has done to its data. Without it Incus would take the data for that of a new server.',
      action: 'Put the file back (LXD makes a copy local.db.bak when it is updated), then plan again.',
    },
  ];
}

/** Where this finds something, the tables may mean something else: nothing more is asked of them. */
export function checkSchema({ sourceDatabase: { db } }: CheckContext): Finding[] {
  const unknown = unknownSchema(db);
  if (unknown === undefined) return [];
  const { objects, what, action } = unknown;
  return [{ id: 'schema-unknown', severity: 'blocker', objects, what, action }];
}

function cluster(
  role: 'source' | 'target',
  subject: string,
  { db, local, servers }: OpenDatabase,
): Finding[] {
  const signs = [
    ...(servers.length > 1 ? [`${servers.length} servers in the raft configuration`] : []),
    ...servers.filter(({ address }) => address !== '1').map(({ address }) => `raft address ${address}`),
    ...signOfRow(local, 'SELECT count(*) AS n FROM raft_nodes', (n) => `${n} row(s) in raft_nodes`),
    ...signOfRow(
      local,
      "SELECT count(*) AS n FROM config WHERE key = 'cluster.https_address' AND coalesce(value, '') <> ''",
      () => 'cluster.https_address is set',
    ),
    ...signOfRow(db, 'SELECT count(*) - 1 AS n FROM nodes', (n) => `${n + 1} members`),
  ];
  if (signs.length === 0) return [];
  return [
    {
      id: `cluster-member:${role}`,
      severity: 'blocker',
      objects: signs,
      what: `${subject} is a member of a cluster. Members must be moved together, from one agreed database.`,
      action: 'This version moves standalone servers only; no option overrides this.',
    },
  ];
}

function signOfRow(db: Database | undefined, sql: string, say: (n: number) => string): string[] {
  if (db === undefined) return [];
  const { n } = db.prepare(sql).get() as { n: number };
  return n > 0 ? [say(n)] : [];
}

/** What a server has beyond what it makes by itself at its first start; one line a kind. */
export function contentOf(db: Database): string[] {
  const count = (what: string, sql: string, table: string): string[] => {
    if (!hasTable(db, table)) return [];
    const names = (db.prepare(sql).all() as { name: string }[]).map(({ name }) => name);
    if (names.length === 0) return [];
    return [`${names.length} ${what} (${firstOf(names)})`];
  };
  return [
    ...count('instance(s)', 'SELECT name FROM instances ORDER BY id', 'instances'),
    ...count('storage pool(s)', 'SELECT name FROM storage_pools ORDER BY id', 'storage_pools'),
    ...count(
      'custom volume(s)',
      'SELECT name FROM storage_volumes WHERE type = 2 ORDER BY id',
      'storage_volumes',
    ),
    ...count('storage bucket(s)', 'SELECT name FROM storage_buckets ORDER BY id', 'storage_buckets'),
    ...count('network(s)', 'SELECT name FROM networks ORDER BY id', 'networks'),
    ...count('network ACL(s)', 'SELECT name FROM networks_acls ORDER BY id', 'networks_acls'),
    ...count('network zone(s)', 'SELECT name FROM networks_zones ORDER BY id', 'networks_zones'),
    ...count('image(s)', 'SELECT substr(fingerprint, 1, 12) AS name FROM images ORDER BY id', 'images'),
    ...count('project(s)', "SELECT name FROM projects WHERE name <> 'default' ORDER BY id", 'projects'),
    ...count(
      'profile(s)',
      "SELECT f.name FROM profiles f JOIN projects p ON p.id = f.project_id WHERE NOT (f.name = 'default') ORDER BY f.id",
      'profiles',
    ),
    ...count(
      'device(s) in the default profile',
      "SELECT d.name FROM profiles_devices d JOIN profiles f ON f.id = d.profile_id JOIN projects p ON p.id = f.project_id WHERE f.name = 'default' AND p.name = 'default' ORDER BY d.id",
      'profiles_devices',
    ),
    ...count(
      'trusted certificate(s)',
      'SELECT substr(fingerprint, 1, 12) AS name FROM certificates ORDER BY id',
      'certificates',
    ),
    ...count(
      'server setting(s)',
      "SELECT key AS name FROM config WHERE coalesce(value, '') <> '' AND key NOT LIKE 'volatile.%' ORDER BY id",
      'config',
    ),
  ];
}

function empty(db: Database): Finding[] {
  if (contentOf(db).length > 0) return [];
  return [
    {
      id: 'source-empty',
      severity: 'blocker',
      objects: ['LXD'],
      what: 'This LXD holds nothing: no instance, pool, network, image, project or setting.',
      action: 'There is nothing to move. Use Incus as it is.',
    },
  ];
}

function soundness(db: Database): Finding[] {
  const orphaned = orphanedRows(db);
  const orphans = [...orphaned].map(([table, ids]) => `${ids.length} row(s) of ${table} belong to nothing`);
  // The conversion leaves orphans out, and their broken references with them.
  const broken = (db.pragma('foreign_key_check') as { table: string; rowid: number | null; parent: string }[])
    .filter(({ table, rowid }) => rowid === null || orphaned.get(table)?.includes(rowid) !== true)
    .map(
      ({ table, rowid, parent }) =>
        `${table} row ${rowid ?? '?'} refers to a row of ${parent} that does not exist`,
    );
  const integrity = (db.pragma('integrity_check') as { integrity_check: string }[])
    .map((row) => row.integrity_check)
    .filter((line) => line !== 'ok');
  return [
    ...(integrity.length === 0
      ? []
      : [
          {
            id: 'database-damaged',
            severity: 'blocker' as const,
            objects: integrity.slice(0, 20),
            what: "SQLite's integrity check of the database fails.",
            action: 'Restore the LXD database from a backup first; moving it would carry the damage along.',
          },
        ]),
    ...(broken.length === 0
      ? []
      : [
          {
            id: 'reference-broken',
            severity: 'blocker' as const,
            objects: broken.slice(0, 50),
            what: 'Rows refer to rows that do not exist. Incus checks references when it updates the database, and would not start.',
            action: 'Delete the rows, or restore what they refer to, in LXD (lxd sql global "…").',
          },
        ]),
    ...(orphans.length === 0
      ? []
      : [
          {
            id: 'orphaned-rows',
            severity: 'change' as const,
            objects: orphans,
            what: 'Configuration rows without an owner: nothing reads them, and they would break the update of the database.',
            action: 'They are left out; they stay in the LXD database that is kept.',
          },
        ]),
  ];
}
