// Looks for what would make incusd fail on a converted database, without starting one; the image itself is not changed.
import Database from 'better-sqlite3';
import { globalSchema, hasTable } from '../catalogue/schema-facts.ts';
import type { Finding } from '../model/finding.ts';
import { migrationRules } from '../rules/migration-rules.ts';

const listed = 50;

export function checkCopy(image: Buffer): Finding[] {
  const db = new Database(image);
  try {
    return [
      finding(
        'integrity',
        integrity(db),
        "SQLite's integrity check of the converted database fails.",
        'Restore the LXD database from a backup first.',
      ),
      finding(
        'references',
        references(db),
        'Rows of the converted database refer to rows that do not exist. Incus checks references when it updates the database, and would not start.',
        'Delete the rows, or restore what they refer to, in LXD (lxd sql global "…").',
      ),
      finding(
        'statements',
        statements(db),
        'Tables, views or triggers of the converted database name something that does not exist. The first statement that meets one would fail, and Incus with it.',
        'Drop them in LXD (lxd sql global "DROP TRIGGER …").',
      ),
      finding(
        'duplicate-keys',
        duplicateKeys(db),
        'The same configuration key stands twice for one object, and which value counts is chance.',
        'Set the key anew in LXD, or delete one of the rows (lxd sql global "…").',
      ),
      finding(
        'schema',
        schema(db),
        'The database says that it was written by a version newer than the one that this tool converts to; Incus would refuse it.',
        'See which LXD wrote it last, and move with that one.',
      ),
    ].flat();
  } finally {
    db.close();
  }
}

function finding(detail: string, objects: readonly string[], what: string, action: string): Finding[] {
  if (objects.length === 0) return [];
  const more = objects.length > listed ? [`… and ${objects.length - listed} more`] : [];
  const shown = [...objects.slice(0, listed), ...more];
  return [{ id: `rehearsal:${detail}`, severity: 'blocker', objects: shown, what, action }];
}

function integrity(db: Database.Database): string[] {
  const rows = db.pragma('integrity_check') as { integrity_check: string }[];
  return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
}

function references(db: Database.Database): string[] {
  const rows = db.pragma('foreign_key_check') as { table: string; rowid: number | null; parent: string }[];
  return rows.map(({ table, rowid, parent }) => `${table} row ${rowid ?? '?'} → ${parent}`);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** SQLite compiles the triggers of a table and of its cascades only with a statement that would fire them. */
function statements(db: Database.Database): string[] {
  const objects = db
    .prepare(
      "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .all() as { type: string; name: string }[];
  db.pragma('foreign_keys = ON');
  return objects.flatMap(({ type, name }) => {
    const table = quoted(name);
    const selects = attempt(`${type} ${name}`, () => db.prepare(`SELECT * FROM ${table}`));
    if (type === 'view' || selects.length > 0) return selects;
    const columns = (db.pragma(`table_info(${table})`) as { name: string }[]).map((one) => quoted(one.name));
    const compiles = [
      `EXPLAIN DELETE FROM ${table}`,
      `EXPLAIN INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => 'NULL').join(', ')})`,
      `EXPLAIN UPDATE ${table} SET ${columns.map((column) => `${column} = ${column}`).join(', ')}`,
    ].flatMap((sql) => attempt(`${type} ${name}`, () => compile(db, sql)));
    return [...new Set([...compiles, ...trialDelete(db, name)])];
  });
}

/**
 * The daemons' SQLite takes "text" in double quotes for a string where no column has that name (SQLITE_DQS, see
 * sqlite.org/quirks.html), and LXD's own triggers rely on it; ours does not. In this copy they get the other quotes.
 */
function compile(db: Database.Database, sql: string): void {
  for (;;) {
    try {
      db.prepare(sql);
      return;
    } catch (error) {
      const text =
        error instanceof Database.SqliteError
          ? /^no such column: "(.*)" - should this be a string literal/s.exec(error.message)?.[1]
          : undefined;
      if (text === undefined || !requote(db, text)) throw error;
    }
  }
}

function requote(db: Database.Database, text: string): boolean {
  const triggers = db
    .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND instr(sql, ?) > 0")
    .all(quoted(text)) as { name: string; sql: string }[];
  for (const { name, sql } of triggers) {
    db.exec(`DROP TRIGGER ${quoted(name)}`);
    db.exec(sql.replaceAll(quoted(text), `'${text.replaceAll("'", "''")}'`));
  }
  return triggers.length > 0;
}

/** Deletes a row and takes that back: what only shows when a trigger runs. A rule that refuses is none of our business. */
function trialDelete(db: Database.Database, name: string): string[] {
  const table = quoted(name);
  db.exec('SAVEPOINT trial');
  try {
    return attempt(`table ${name}`, () =>
      db.prepare(`DELETE FROM ${table} WHERE rowid = (SELECT max(rowid) FROM ${table})`).run(),
    );
  } finally {
    // A trigger that says RAISE(ROLLBACK) has ended the savepoint already.
    if (db.inTransaction) db.exec('ROLLBACK TO trial; RELEASE trial');
  }
}

function attempt(where: string, work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    return error.code.startsWith('SQLITE_CONSTRAINT') ? [] : [`${where}: ${error.message}`];
  }
}

/** Not every schema had an index against it; UNIQUE alone does not hold for NULL, as which rows of all members are written. */
function duplicateKeys(db: Database.Database): string[] {
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all() as {
    name: string;
  }[];
  return tables.flatMap(({ name }) => {
    const columns = (db.pragma(`table_info(${quoted(name)})`) as { name: string }[]).map((one) => one.name);
    if (!columns.includes('key') || !columns.includes('value')) return [];
    const owner = columns.filter((column) => !['id', 'key', 'value'].includes(column)).map(quoted);
    const rows = db
      .prepare(
        `SELECT key, count(*) AS n FROM ${quoted(name)} GROUP BY ${[...owner, 'key'].join(', ')} HAVING n > 1 ORDER BY key`,
      )
      .all() as { key: string; n: number }[];
    return rows.map(({ key, n }) => `${name}: ${key} stands ${n} times for one object`);
  });
}

function schema(db: Database.Database): string[] {
  const newest = migrationRules().schemas.fork_point;
  const own = globalSchema(db);
  const members = hasTable(db, 'nodes')
    ? (db.prepare('SELECT name, schema FROM nodes WHERE schema > ? ORDER BY id').all(newest) as {
        name: string;
        schema: number;
      }[])
    : [];
  return [
    ...(own > newest ? [`schema ${own}, where ${newest} is the newest`] : []),
    ...members.map(({ name, schema: version }) => `member ${name} with schema ${version}`),
  ];
}
