// local.db: parts that neither daemon makes or that are missing, and updates of LXD's that it does not record.
import type { Database } from 'better-sqlite3';
import { columnsOf, globalSchema, tablesOf } from '../../catalogue/schema-facts.ts';
import type { Finding } from '../../model/finding.ts';
import { migrationRules } from '../../rules/migration-rules.ts';
import { blocker, note, objects } from './broken.ts';
import { foreignParts, holes } from './foreign-schema.ts';

export function checkLocalSchema(local: Database): Finding[] {
  const { tables, made_by_target: made, copied_by_target: copied } = migrationRules().local_database;
  const { inTheWay, columnsInTheWay, others } = foreignParts(
    local,
    // One with a view or a trigger is refused when it is read.
    { table: Object.keys(tables), view: [], index: [], trigger: [] },
    { tables, made, copied, schema: globalSchema(local) },
  );
  return [
    ...blocker('local-schema', {
      objects: [...missing(local), ...number(local), ...inTheWay, ...columnsInTheWay],
      what: 'local.db, the database of this server alone, is not as LXD makes it. Incus would not start on it.',
      action:
        'Mend what is named in LXD (lxd sql local "…"), or restore local.db from a backup, then plan again.',
    }),
    ...note('local-foreign-schema', {
      objects: others,
      what: 'Neither LXD nor Incus makes these in local.db, the database of this server alone.',
      action:
        'They are carried along as they are, with their rows, and Incus does not read them. A rollback brings back the file of LXD.',
    }),
    ...note('patches-missing', {
      objects: missingPatches(local),
      what: 'local.db does not say that LXD has done these updates, though it has done later ones. LXD would do them at its next start.',
      action:
        'Incus does those that it has too at its first start, as LXD would. One that must not be done again is recorded in LXD: lxd sql local "INSERT INTO patches (name, applied_at) VALUES (…, 0)".',
    }),
  ];
}

function missing(local: Database): string[] {
  const present = tablesOf(local);
  return Object.entries(migrationRules().local_database.tables).flatMap(([table, { columns }]) => {
    if (!present.includes(table)) return [`local.db: table ${table} is missing`];
    const has = columnsOf(local, table);
    return columns
      .filter((column) => !has.includes(column))
      .map((column) => `local.db: column ${table}.${column} is missing`);
  });
}

/** A number that Incus does not know it refuses; from an older one, or none, it would make again what is there. */
function number(local: Database): string[] {
  const { oldest, newest } = migrationRules().local_database.schemas;
  if (!columnsOf(local, 'schema').includes('version')) return [];
  const versions = objects(local, 'SELECT version FROM schema ORDER BY version');
  const last = versions.at(-1) ?? 'unknown';
  const isKnown = Number(last) >= oldest && Number(last) <= newest;
  return [
    ...(isKnown ? [] : [`local.db: schema ${last}, and Incus takes ${oldest} to ${newest}`]),
    ...holes(versions.map(Number)).map((hole) => `local.db: updates are missing ${hole}`),
  ];
}

function missingPatches(local: Database): string[] {
  const done = new Set(objects(local, 'SELECT name FROM patches'));
  const { patches_in_order: all } = migrationRules();
  const last = all.findLastIndex((name) => done.has(name));
  return all
    .slice(0, last + 1)
    .filter((name) => !done.has(name))
    .map((name) => `patch ${name}`);
}
