// Findings about cells of the database that hold another type than their column says: LXD itself fails on such a row, and
// nothing that comes after looks at types again.
import type { Database } from 'better-sqlite3';
import type { Finding } from '../model/finding.ts';
import { migrationRules } from '../rules/migration-rules.ts';
import type { CheckContext } from './context.ts';

/** Tables of both daemons; what else is in a database is nobody's business here. */
const ours =
  /^(certificates|cluster|config|images|instances|networks|nodes|operations|profiles|projects|schema|storage|warnings)(_|$)/;

interface Column {
  readonly name: string;
  /** As SQLite's `typeof` has it. */
  readonly types: readonly string[];
}

/** Where this finds something, no row is believed: nothing more is asked of the database. */
export function checkCells({ sourceDatabase: { db } }: CheckContext): Finding[] {
  const objects = tablesOf(db).flatMap((table) => oddCells(db, table));
  if (objects.length === 0) return [];
  return [
    {
      id: 'database-cell',
      severity: 'blocker',
      objects,
      what: 'Cells of the database hold another type than their column says. LXD fails when it reads them, and Incus would.',
      action: 'Mend or delete these rows in LXD (lxd sql global "…"), then plan again.',
    },
  ];
}

function tablesOf(db: Database): string[] {
  const names = db
    .prepare<[], unknown>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
    )
    .pluck()
    .all();
  return names.filter((name): name is string => typeof name === 'string' && ours.test(name));
}

function oddCells(db: Database, table: string): string[] {
  const columns = columnsOf(db, table);
  if (columns.length === 0) return [];
  const counts = columns.map(
    ({ name, types }) =>
      `total(typeof(${quoted(name)}) NOT IN (${types.map((type) => `'${type}'`).join(', ')}))`,
  );
  const row =
    db
      .prepare<[], unknown[]>(`SELECT ${counts.join(', ')} FROM ${quoted(table)}`)
      .raw()
      .get() ?? [];
  return columns.flatMap(({ name, types: [type] }, at) => {
    const count = Number(row[at]);
    return count > 0 ? [`${table}.${name}: ${count} cell(s) that are no ${type}`] : [];
  });
}

/** By what the schema declares; of dates LXD has written texts as well as numbers, and its driver JSON as blobs. */
function columnsOf(db: Database, table: string): Column[] {
  const json = migrationRules().json_columns;
  const rows = db
    .prepare<[string], { name: unknown; type: unknown }>('SELECT name, type FROM pragma_table_info(?)')
    .all(table);
  return rows.flatMap(({ name, type }) => {
    if (typeof name !== 'string' || typeof type !== 'string') return [];
    if (/INT/i.test(type)) return [{ name, types: ['integer', 'null'] }];
    if (!/CHAR|TEXT/i.test(type)) return [];
    const mayBeBlob = json.some((one) => one.table === table && one.column === name);
    return [{ name, types: mayBeBlob ? ['text', 'null', 'blob'] : ['text', 'null'] }];
  });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
