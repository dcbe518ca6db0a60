// The formats of the journal: each former one is brought to the next by a step of its own; of a newer one the version that wrote
// it is named.
import type { Database } from 'better-sqlite3';
import SqliteDatabase from 'better-sqlite3';
import * as z from 'zod';
import { toolVersion } from '../../core/version.ts';
import { migrateFailure } from '../problem.ts';

/** Kept in SQLite's user_version; the first format had none. */
export const journalFormat = 2;

const firstTables = `
  CREATE TABLE run (id TEXT PRIMARY KEY, begun_at TEXT NOT NULL, ended_at TEXT, outcome TEXT, plan TEXT NOT NULL) STRICT;
  CREATE TABLE step (run TEXT NOT NULL REFERENCES run (id), position INTEGER NOT NULL, value TEXT NOT NULL, state TEXT NOT NULL, memo TEXT, changed_at TEXT NOT NULL, PRIMARY KEY (run, position)) STRICT;
  CREATE TABLE note (run TEXT NOT NULL REFERENCES run (id), name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, name)) STRICT;
`;

/**
 * Runs were ordered by the wall clock, and a rollback that was under way had no state: a finished run of which a step was
 * undone is one. Rows were only ever added, so that rowid tells their order.
 */
const toSecond = `
  ALTER TABLE run ADD COLUMN number INTEGER;
  ALTER TABLE run ADD COLUMN phase TEXT;
  ALTER TABLE run ADD COLUMN failed TEXT;
  ALTER TABLE run ADD COLUMN tool_version TEXT;
  ALTER TABLE run ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
  UPDATE run SET number = rowid,
    tool_version = CASE WHEN json_valid(plan) THEN json_extract(plan, '$.toolVersion') END,
    phase = CASE
      WHEN outcome = 'undone' THEN 'rolled-back'
      WHEN outcome = 'purged' THEN 'purged'
      WHEN EXISTS (SELECT 1 FROM step WHERE step.run = run.id AND step.state = 'undone') THEN 'rolling-back'
      WHEN outcome = 'finished' THEN 'done'
      WHEN outcome = 'failed' AND NOT EXISTS (SELECT 1 FROM step WHERE step.run = run.id AND step.state <> 'done') THEN 'done'
      ELSE 'applying' END,
    failed = CASE WHEN outcome = 'failed' THEN 'see the log of the run' END;
  CREATE UNIQUE INDEX run_number ON run (number);
  ALTER TABLE run DROP COLUMN outcome;
`;

/** @throws {Failure<MigrateProblem>} journal-unreadable */
export function upgradeJournal(path: string, db: Database): void {
  const upgrade = db.transaction(() => {
    const format = formatOf(db);
    if (format > journalFormat) throw newer(path, db, format);
    requireOwn(path, hasForeignParts(db));
    bringUp(db, format);
    requireOwn(path, partsOf(db) !== ownParts());
  });
  if (formatOf(db) !== journalFormat) upgrade.exclusive();
  else requireOwn(path, partsOf(db) !== ownParts());
}

function bringUp(db: Database, format: number): void {
  if (format < 1) db.exec(firstTables);
  if (format < 2) db.exec(toSecond);
  if (format < journalFormat) db.pragma(`user_version = ${journalFormat}`);
}

let known: string | undefined;

/** Tables, their columns and indexes of the present format. */
function ownParts(): string {
  known ??= partsOfNew();
  return known;
}

function partsOfNew(): string {
  const db = new SqliteDatabase(':memory:');
  try {
    bringUp(db, 0);
    return partsOf(db);
  } finally {
    db.close();
  }
}

function partsOf(db: Database): string {
  const objects = db
    .prepare('SELECT type, name, tbl_name FROM sqlite_master ORDER BY type, name')
    .raw()
    .all();
  const columns = ['run', 'step', 'note'].map((table) =>
    db.prepare('SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)').raw().all(table),
  );
  return JSON.stringify([objects, columns]);
}

/** What acts by itself when something is written: no version makes any. */
function hasForeignParts(db: Database): boolean {
  return db.prepare("SELECT 1 FROM sqlite_master WHERE type NOT IN ('table', 'index')").get() !== undefined;
}

function requireOwn(path: string, isForeign: boolean): void {
  if (!isForeign) return;
  throw migrateFailure({
    code: 'journal-unreadable',
    path,
    what: 'the journal',
    why: 'its tables are others than any version makes',
    writtenBy: undefined,
  });
}

/** 0: there is nothing in it yet. */
function formatOf(db: Database): number {
  const version = z.number().parse(db.pragma('user_version', { simple: true }));
  const isEmpty = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'run'").get() === undefined;
  return version > 0 ? version : isEmpty ? 0 : 1;
}

function newer(path: string, db: Database, format: number): Error {
  return migrateFailure({
    code: 'journal-unreadable',
    path,
    what: 'the journal',
    why: `it has format ${format}, and lxd-to-incus ${toolVersion} knows formats up to ${journalFormat}`,
    writtenBy: lastWriter(db),
  });
}

const writerRow = z.looseObject({ version: z.string() });

function lastWriter(db: Database): string | undefined {
  const columns = db.prepare("SELECT name FROM pragma_table_info('run')").pluck().all();
  if (!columns.includes('tool_version') || !columns.includes('number')) return undefined;
  const row = db
    .prepare(
      'SELECT tool_version AS version FROM run WHERE tool_version IS NOT NULL ORDER BY number DESC LIMIT 1',
    )
    .get();
  const parsed = writerRow.safeParse(row);
  return parsed.success ? parsed.data.version : undefined;
}
