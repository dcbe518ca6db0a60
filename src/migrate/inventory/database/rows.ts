// Reads tables of which nobody knows in advance whether they, and their columns, exist.
import type { Database } from 'better-sqlite3';
import { deviceTypeName } from '../../catalogue/codes.ts';
import type { Config, Devices } from '../../model/inventory.ts';
import { compareText, sortKeys } from '../order.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface Tables {
  /** Every row; a column that does not exist is undefined, a table that does not exist is empty. */
  rows(table: string, columns: readonly string[]): Row[];
  /** Configuration by owner, from a table of keys and values; the one kind of table that is large. */
  configs(table: string, owner: string): Map<number, Config>;
  /** Whether there is such a table and, where a column is given, whether it has that one. */
  has(table: string, column?: string): boolean;
  /** Tables that exist and were not asked for. */
  unread(): string[];
  count(table: string): number;
}

export function openTables(db: Database): Tables {
  // Only real tables: a view can cost anything.
  const names = db
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
    )
    .pluck()
    .all() as string[];
  const present = new Set(names);
  const read = new Set<string>();
  return {
    rows: (table, columns) => {
      read.add(table);
      if (!present.has(table)) return [];
      const known = columnsOf(db, table);
      const wanted = columns.filter((column) => known.has(column));
      if (wanted.length === 0) return [];
      const list = wanted.map(quote).join(', ');
      return db.prepare(`SELECT ${list} FROM ${quote(table)}`).all() as Row[];
    },
    configs: (table, owner) => {
      read.add(table);
      const groups = new Map<number, Record<string, string>>();
      if (!present.has(table)) return groups;
      const sql = `SELECT ${quote(owner)}, key, value FROM ${quote(table)} ORDER BY ${quote(owner)}, key`;
      for (const [id, key, value] of db.prepare(sql).raw().all() as [unknown, unknown, unknown][]) {
        let config = groups.get(number(id));
        if (config === undefined) {
          config = emptyConfig();
          groups.set(number(id), config);
        }
        config[text(key)] = text(value);
      }
      return groups;
    },
    has: (table, column) => present.has(table) && (column === undefined || columnsOf(db, table).has(column)),
    unread: () => names.filter((table) => !read.has(table)),
    count: (table) => {
      read.add(table);
      return present.has(table)
        ? (db
            .prepare(`SELECT count(*) FROM ${quote(table)}`)
            .pluck()
            .get() as number)
        : 0;
    },
  };
}

function columnsOf(db: Database, table: string): ReadonlySet<string> {
  return new Set(db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[]);
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text of a cell; SQLite keeps what it was given, whatever the column says. */
export function text(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  return Buffer.isBuffer(cell) ? cell.toString('utf8') : String(cell);
}

export function number(cell: unknown): number {
  const value = Number(cell ?? 0);
  return Number.isFinite(value) ? value : 0;
}

export function flag(cell: unknown): boolean {
  return number(cell) !== 0;
}

/** Rows by the number in one of their columns. */
export function groupBy(rows: readonly Row[], column: string): Map<number, Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const owner = number(row[column]);
    const group = groups.get(owner);
    if (group === undefined) groups.set(owner, [row]);
    else group.push(row);
  }
  return groups;
}

/** Values of a column by id. */
export function names(tables: Tables, table: string, column = 'name'): Map<number, string> {
  return new Map(tables.rows(table, ['id', column]).map((row) => [number(row['id']), text(row[column])]));
}

/** Configuration of every owner of a table of keys and values. */
export function configs(tables: Tables, table: string, owner: string): (id: unknown) => Config {
  const groups = tables.configs(table, owner);
  return (id) => groups.get(number(id)) ?? {};
}

export function toConfig(rows: readonly Row[]): Config {
  const config = emptyConfig();
  for (const row of rows) config[text(row['key'])] = text(row['value']);
  return sortKeys(config);
}

/** Without a prototype, so that a key called `__proto__` is a key like any other. */
function emptyConfig(): Record<string, string> {
  return Object.create(null) as Record<string, string>;
}

/** Devices of every owner; like both daemons, the type in the row of the device counts. */
export function devices(tables: Tables, table: string, owner: string): (id: unknown) => Devices {
  const groups = groupBy(tables.rows(table, ['id', owner, 'name', 'type']), owner);
  const config = configs(tables, `${table}_config`, `${owner.slice(0, -'_id'.length)}_device_id`);
  return (id) =>
    Object.fromEntries(
      (groups.get(number(id)) ?? [])
        .map((row): [string, Config] => [
          text(row['name']),
          sortKeys({ ...config(row['id']), type: deviceTypeName(number(row['type'])) }),
        ])
        .sort(([a], [b]) => compareText(a, b)),
    );
}
