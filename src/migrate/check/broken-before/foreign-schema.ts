// Tables, columns, views, indexes and triggers that neither daemon makes, and holes in the record of schema updates.
import type { Database } from 'better-sqlite3';
import { columnsOf, globalSchema, tablesOf } from '../../catalogue/schema-facts.ts';
import type { Finding } from '../../model/finding.ts';
import { type ByUpdate, type KnownTable, migrationRules } from '../../rules/migration-rules.ts';
import { blocker, note, objects } from './broken.ts';

export function checkForeignSchema(db: Database): Finding[] {
  const {
    known_tables: tables,
    known_views: view,
    known_indexes: index,
    triggers_kept: trigger,
  } = migrationRules();
  const { made_by_target: made, copied_by_target: copied } = migrationRules();
  const { inTheWay, columnsInTheWay, others } = foreignParts(
    db,
    { table: Object.keys(tables), view, index, trigger },
    { tables, made, copied, schema: globalSchema(db) },
  );
  return [
    ...blocker('table-in-the-way', {
      objects: inTheWay,
      what: 'LXD did not make these, and Incus makes something of the same name when it updates the database: now or at a later upgrade it would not start.',
      action: 'Drop or rename them in LXD (lxd sql global "…"), then plan again.',
    }),
    ...blocker('column-in-the-way', {
      objects: columnsInTheWay,
      what: 'LXD did not make these columns. Incus copies their tables whole when it updates the database, which a column more ends: it would not start.',
      action: 'Drop them in LXD (lxd sql global "ALTER TABLE … DROP COLUMN …"), then plan again.',
    }),
    ...note('foreign-schema', {
      objects: others,
      what: 'Neither LXD nor Incus makes these in its database.',
      action:
        'Triggers are left out. The others are carried along; Incus does not read them, and a later upgrade may leave a column out.',
    }),
    ...schemaHoles(db),
  ];
}

export interface ForeignParts {
  /** What has a name that an update of incusd's makes. */
  readonly inTheWay: string[];
  /** Columns of tables that an update copies whole. */
  readonly columnsInTheWay: string[];
  readonly others: string[];
}

type Kind = 'table' | 'view' | 'index' | 'trigger';

/** What the schema of a database has that neither project makes. Names of SQLite are the same in capitals. */
export function foreignParts(
  db: Database,
  known: Readonly<Record<Kind, readonly string[]>>,
  updates: {
    readonly tables: Readonly<Record<string, KnownTable>>;
    readonly made: ByUpdate;
    readonly copied: ByUpdate;
    readonly schema: number;
  },
): ForeignParts {
  const made = stillToDo(updates.made, updates.schema);
  const named = foreign(db, known, made);
  const copied = stillToDo(updates.copied, updates.schema);
  const columns = foreignColumns(db, updates.tables);
  const [inTheWay, rest] = split(named, ({ name }) => made.has(name.toLowerCase()));
  const [columnsInTheWay, otherColumns] = split(columns, ({ name }) => copied.has(name));
  const objectOf = ({ object }: Named): string => object;
  return {
    inTheWay: inTheWay.map(objectOf),
    columnsInTheWay: columnsInTheWay.map(objectOf),
    others: [...rest, ...otherColumns].map(objectOf),
  };
}

interface Named {
  readonly name: string;
  readonly object: string;
}

function split(list: readonly Named[], isFirst: (one: Named) => boolean): [Named[], Named[]] {
  return [list.filter(isFirst), list.filter((one) => !isFirst(one))];
}

/** An index of a foreign table is a part of it. */
function foreign(
  db: Database,
  known: Readonly<Record<Kind, readonly string[]>>,
  made: ReadonlySet<string>,
): Named[] {
  const rows = db
    .prepare<[], { type: Kind; name: string; owner: string }>(
      "SELECT type, name, tbl_name AS owner FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type = 'index', type, name",
    )
    .all();
  const tables = new Set(known.table.map((name) => name.toLowerCase()));
  const isForeign = ({ type, name, owner }: (typeof rows)[number]): boolean =>
    made.has(name.toLowerCase()) ||
    (!known[type].includes(name) && (type !== 'index' || tables.has(owner.toLowerCase())));
  return rows.filter(isForeign).map(({ type, name, owner }) => ({
    name,
    object: type === 'index' ? `index ${name} of ${owner}` : `${type} ${name}`,
  }));
}

/** Names of the updates of incusd that this database does not have by its own schema. */
function stillToDo(updates: ByUpdate, schema: number): ReadonlySet<string> {
  return new Set(
    Object.entries(updates)
      .filter(([update]) => Number(update) > schema)
      .flatMap(([, names]) => names),
  );
}

/** Each with the name of its table. */
function foreignColumns(db: Database, known: Readonly<Record<string, KnownTable>>): Named[] {
  return tablesOf(db).flatMap((table) => {
    const { columns, later = {} } = known[table] ?? {};
    if (columns === undefined) return [];
    return columnsOf(db, table)
      .filter((column) => !columns.includes(column) && !Object.hasOwn(later, column))
      .map((column) => ({ name: table, object: `column ${table}.${column}` }));
  });
}

function schemaHoles(db: Database): Finding[] {
  return blocker('schema-hole', {
    objects: holes(objects(db, 'SELECT version FROM schema ORDER BY version').map(Number)),
    what: 'The record of schema updates (table schema) has holes. Incus would not start on it, nor would LXD start again.',
    action:
      'Delete the rows below the last hole in LXD (lxd sql global "DELETE FROM schema WHERE version < …"): the last number is all that counts.',
  });
}

/**
 * Both daemons refuse a record with a hole, but for 31 (db/schema/schema.go, queryCurrentVersion).
 * @param versions in their order
 */
export function holes(versions: readonly number[]): string[] {
  return versions.flatMap((version, index) => {
    const next = versions[index + 1];
    const isWhole = next === undefined || next === version + 1 || (version === 30 && next === 32);
    return isWhole ? [] : [`between schema ${version} and ${next}`];
  });
}
