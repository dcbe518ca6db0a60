// Tables, columns, views, indexes and triggers that neither daemon makes, and holes in the record of schema updates.
import type { Database } from 'better-sqlite3';
import { columnsOf, globalSchema, tablesOf } from '../../convert/schema-facts.ts';
import { migrationRules } from '../../rules/migration-rules.ts';
import type { Finding } from '../finding.ts';
import { blocker, note, objects } from './broken.ts';

export function checkForeignSchema(db: Database): Finding[] {
  const named = foreign(db);
  const made = willBeMade(db);
  const inTheWay = named.filter(({ name }) => made.has(name));
  const others = named.filter((one) => !inTheWay.includes(one));
  return [
    ...blocker('table-in-the-way', {
      objects: inTheWay.map(({ object }) => object),
      what: 'LXD did not make these, and Incus makes something of the same name when it updates the database: now or at a later upgrade it would not start.',
      action: 'Drop or rename them in LXD (lxd sql global "…"), then plan again.',
    }),
    ...note('foreign-schema', {
      objects: [...others.map(({ object }) => object), ...foreignColumns(db)],
      what: 'Neither LXD nor Incus makes these in its database.',
      action:
        'Triggers are left out. The others are carried along; Incus does not read them, and a later upgrade may leave a column out.',
    }),
    ...schemaHoles(db),
  ];
}

interface Named {
  readonly name: string;
  readonly object: string;
}

function foreign(db: Database): Named[] {
  const { known_tables: known, known_views: views, triggers_kept: triggers } = migrationRules();
  const isKnown = (type: string, name: string): boolean =>
    type === 'table' ? Object.hasOwn(known, name) : (type === 'view' ? views : triggers).includes(name);
  const rows = db
    .prepare(
      "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name",
    )
    .all() as { type: string; name: string }[];
  return rows
    .filter(({ type, name }) => !isKnown(type, name))
    .map(({ type, name }) => ({ name, object: `${type} ${name}` }));
}

/** What the updates of incusd make that this database does not have by its own schema. */
function willBeMade(db: Database): ReadonlySet<string> {
  const schema = globalSchema(db);
  const updates = Object.entries(migrationRules().made_by_target);
  return new Set(updates.filter(([update]) => Number(update) > schema).flatMap(([, names]) => names));
}

function foreignColumns(db: Database): string[] {
  const { known_tables: known } = migrationRules();
  return tablesOf(db).flatMap((table) => {
    const { columns, later = {} } = known[table] ?? {};
    if (columns === undefined) return [];
    return columnsOf(db, table)
      .filter((column) => !columns.includes(column) && !Object.hasOwn(later, column))
      .map((column) => `column ${table}.${column}`);
  });
}

/** Both daemons refuse a record with a hole, but for 31 (db/schema/schema.go, queryCurrentVersion). */
function schemaHoles(db: Database): Finding[] {
  const versions = objects(db, 'SELECT version FROM schema ORDER BY version').map(Number);
  const holes = versions.flatMap((version, index) => {
    const next = versions[index + 1];
    const isWhole = next === undefined || next === version + 1 || (version === 30 && next === 32);
    return isWhole ? [] : [`between schema ${version} and ${next}`];
  });
  return blocker('schema-hole', {
    objects: holes,
    what: 'The record of schema updates (table schema) has holes. Incus would not start on it, nor would LXD start again.',
    action:
      'Delete the rows below the last hole in LXD (lxd sql global "DELETE FROM schema WHERE version < …"): the last number is all that counts.',
  });
}
