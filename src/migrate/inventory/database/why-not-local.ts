// Why bytes are not a local.db of either daemon; undefined where they are one.
import Database from 'better-sqlite3';
import { systemErrorCode } from '../../../core/failure.ts';

/** What is read and written here; both daemons have more columns and tables than these. */
const tables = {
  config: { id: 'integer', key: 'text', value: 'text' },
  patches: { id: 'integer', name: 'text' },
  raft_nodes: { id: 'integer', address: 'text' },
} as const;

export function whyNotLocal(image: Buffer): string | undefined {
  if (image.length === 0) return 'it is empty';
  if (image.subarray(0, 16).toString('latin1') !== 'SQLite format 3\0') return 'it is no SQLite database';
  try {
    const db = new Database(image);
    try {
      return whyNotRead(db);
    } finally {
      db.close();
    }
  } catch (error) {
    if (!(error instanceof Error) || systemErrorCode(error)?.startsWith('SQLITE_') !== true) throw error;
    return `SQLite says: ${error.message}`;
  }
}

interface SchemaRow {
  readonly type: unknown;
  readonly name: unknown;
  readonly sql: unknown;
}

/** The statements of the schema are looked at first: whatever is asked afterwards makes SQLite obey them. */
function whyNotRead(db: Database.Database): string | undefined {
  const schema = db.prepare<[], SchemaRow>('SELECT type, name, sql FROM sqlite_schema').all();
  for (const { type, name, sql } of schema) {
    if (type === 'trigger' || type === 'view') return `it has a ${type}, and that of a daemon has none`;
    if (typeof sql === 'string' && computes(sql))
      return `${String(type)} ${String(name)} computes something, and that of a daemon has nothing that does`;
  }
  const damage = db.pragma('integrity_check(1)', { simple: true });
  if (damage !== 'ok') return `it is damaged: ${String(damage)}`;
  const present = new Set(schema.flatMap(({ type, name }) => (type === 'table' ? [name] : [])));
  for (const [table, columns] of Object.entries(tables)) {
    if (!present.has(table)) return `it has no table ${table}, so it is of something else than LXD or Incus`;
    const known = new Set(db.prepare<[string]>('SELECT name FROM pragma_table_info(?)').pluck().all(table));
    for (const [column, type] of Object.entries(columns)) {
      if (!known.has(column)) return `its table ${table} has no column ${column}`;
      const odd = db
        .prepare(`SELECT 1 FROM "${table}" WHERE typeof("${column}") NOT IN (?, 'null') LIMIT 1`)
        .get(type);
      if (odd !== undefined)
        return `column ${column} of its table ${table} holds something else than ${type}`;
    }
  }
  const nameless = db
    .prepare('SELECT 1 FROM config WHERE key IS NULL UNION ALL SELECT 1 FROM patches WHERE name IS NULL')
    .get();
  if (nameless !== undefined) return 'a row of its tables config and patches has no name';
  return whyNotWritten(db);
}

/** In memory only: both daemons write down there what they have done, and so does the conversion. */
function whyNotWritten(db: Database.Database): string | undefined {
  try {
    const insert = db.prepare('INSERT INTO patches (name, applied_at) VALUES (?, 0)');
    for (const name of ['lxd-to-incus, first', 'lxd-to-incus, second']) insert.run(name);
    db.exec('UPDATE config SET value = value');
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || systemErrorCode(error)?.startsWith('SQLITE_') !== true) throw error;
    return `it takes no row as a daemon writes it: ${error.message}`;
  }
}

/** Virtual tables, computed columns, checks, defaults and indexes that are expressions; `(255)` and lists of columns are none. */
function computes(sql: string): boolean {
  return /^\s*CREATE\s+VIRTUAL\b|\b(?:CHECK|AS|DEFAULT|WHERE)\s*\(|\bWHERE\b|\bCREATE\s+(?:UNIQUE\s+)?INDEX\b[^(]*\([^)]*\(/i.test(
    sql,
  );
}
