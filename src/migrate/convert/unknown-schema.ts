// Why a database cannot be taken for one of a schema that this version moves: its number, or tables that do not go with it.
import type { Database } from 'better-sqlite3';
import { columnsOf, globalSchema, hasTable, tablesOf } from '../catalogue/schema-facts.ts';
import { migrationRules } from '../rules/migration-rules.ts';

export interface UnknownSchema {
  readonly schema: number;
  /** What tells, by name. */
  readonly objects: readonly string[];
  readonly what: string;
  readonly action: string;
}

/** LXD made it with schema 70, which brought most of what Incus has no place for. */
const signOfLaterSchema = 'identities';

/** @returns undefined where number and tables are those of a schema that can be moved */
export function unknownSchema(db: Database): UnknownSchema | undefined {
  const { oldest, fork_point: newest } = migrationRules().schemas;
  const schema = globalSchema(db);
  if (schema < oldest || schema > newest)
    return {
      schema,
      objects: [`schema ${schema}`],
      what: `The database has schema ${schema}; this version moves schemas ${oldest} to ${newest} (LXD 4.24 and 5.0 to 5.20).`,
      action: 'Other versions of LXD need a newer lxd-to-incus.',
    };
  return laterTables(db, schema) ?? missingParts(db, schema);
}

function laterTables(db: Database, schema: number): UnknownSchema | undefined {
  const { known_tables: known, tables_of_later_source: later } = migrationRules();
  const promised = tablesOf(db).filter(
    (table) => Object.hasOwn(known, table) && (known[table]?.since ?? 0) > schema,
  );
  const found = hasTable(db, signOfLaterSchema) ? tablesOf(db).filter((table) => later.includes(table)) : [];
  const tables = [...promised, ...found];
  if (tables.length === 0) return undefined;
  const drop = tables.map((table) => `DROP TABLE ${table}`).join('; ');
  return {
    schema,
    objects: tables.map((table) => `table ${table}`),
    what: `The database says that it has schema ${schema}, but it has tables that only later versions of LXD make. They were made by hand, or the number was changed: what the other tables mean is not sure.`,
    action: `If a person or another tool made them on an LXD of schema ${schema}, drop them in LXD (lxd sql global "${drop}"), then plan again.`,
  };
}

function missingParts(db: Database, schema: number): UnknownSchema | undefined {
  const { known_tables: known, known_views: views } = migrationRules();
  const present = new Set(tablesOf(db));
  const missing = Object.entries(known)
    .filter(([, { since = 0 }]) => since <= schema)
    .flatMap(([table, { columns, later = {} }]) => {
      if (!present.has(table)) return [`table ${table}`];
      const wanted = [...columns, ...Object.keys(later).filter((column) => (later[column] ?? 0) <= schema)];
      const has = columnsOf(db, table);
      return wanted
        .filter((column) => !has.includes(column))
        .map((column) => `table ${table}, column ${column}`);
    });
  const named = db.prepare("SELECT name FROM sqlite_master WHERE type = 'view'").pluck().all();
  const objects = [
    ...missing,
    ...views.filter((view) => !named.includes(view)).map((view) => `view ${view}`),
  ];
  if (objects.length === 0) return undefined;
  return {
    schema,
    objects,
    what: `The database says that it has schema ${schema}, and lacks parts that every LXD of that schema has. Incus would not start on it.`,
    action:
      'Restore the LXD database from a backup, or make them again in LXD as its own schema has them, then plan again.',
  };
}
