// Reproduces what `sqlite3 FILE .dump` (shell 3.40) prints, to compare databases exactly without that program.
import Database from 'better-sqlite3';

interface SchemaRow {
  readonly name: string;
  readonly sql: string;
}

export function dumpDatabase(image: Buffer): string {
  const db = new Database(image);
  try {
    const lines = ['PRAGMA foreign_keys=OFF;', 'BEGIN TRANSACTION;'];
    const tables = db
      .prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOT NULL ORDER BY name = 'sqlite_sequence', rowid",
      )
      .all() as SchemaRow[];
    for (const { name, sql } of tables) {
      if (name === 'sqlite_sequence') lines.push('DELETE FROM sqlite_sequence;');
      else lines.push(`${sql.replace(/^CREATE TABLE (?=["'])/, 'CREATE TABLE IF NOT EXISTS ')};`);
      const target = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
      const rows = db
        .prepare(`SELECT * FROM "${name.replaceAll('"', '""')}"`)
        .safeIntegers()
        .raw();
      for (const row of rows.iterate() as Iterable<unknown[]>)
        lines.push(`INSERT INTO ${target} VALUES(${row.map(literal).join(',')});`);
    }
    const others = db
      .prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger', 'view') AND sql NOT NULL ORDER BY rowid",
      )
      .all() as SchemaRow[];
    lines.push(...others.map(({ sql }) => `${sql};`), 'COMMIT;', '');
    return lines.join('\n');
  } finally {
    db.close();
  }
}

function literal(value: unknown): string {
  if (value === null) return 'NULL';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (Buffer.isBuffer(value)) return `X'${value.toString('hex')}'`;
  throw new Error(`no literal for ${typeof value}`);
}

/** The shell keeps line breaks out of its output. */
function quoted(value: string): string {
  const plain = `'${value.replaceAll("'", "''")}'`;
  const breaks = [
    ['\n', '\\n', 'char(10)'],
    ['\r', '\\r', 'char(13)'],
  ] as const;
  return breaks.reduce(
    (text, [character, shown, code]) =>
      text.includes(character) ? `replace(${text.replaceAll(character, shown)},'${shown}',${code})` : text,
    plain,
  );
}
