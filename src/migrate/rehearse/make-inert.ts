// Makes a converted database harmless to start a daemon on: nothing starts, listens, expires or leaves the machine.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { readConfigRows, type TypedRow } from '../catalogue/config-tables.ts';
import { hasTable } from '../catalogue/schema-facts.ts';
import { type Editor, openEditor } from '../convert/editor.ts';
import type { Change } from '../model/change.ts';
import { type MigrationRules, migrationRules, type RehearsalKeyRule } from '../rules/migration-rules.ts';

export interface InertDatabase {
  readonly image: Buffer;
  readonly local: Buffer;
  /** Everything that was changed; the rule of each is the reason. */
  readonly changes: readonly Change[];
  /** Names of the pools that stand in for the real ones. */
  readonly pools: readonly string[];
}

/** How both projects write "never" (Go's zero time). */
const never = '0001-01-01 00:00:00+00:00';

/** @param directory the data directory of the trial */
export function makeInert(image: Buffer, local: Buffer, directory: string): InertDatabase {
  const rules = migrationRules();
  const db = new Database(image);
  const localDb = new Database(local);
  try {
    const editor = openEditor(db);
    const localEditor = openEditor(localDb);
    const pools = db.transaction(() => {
      removeKeys(editor, rules);
      holdInstances(editor, rules);
      removeExpiries(editor, rules);
      return standInPools(editor, directory);
    })();
    localDb.transaction(() => {
      removeLocalKeys(localEditor, rules);
      markPatches(localEditor, rules);
    })();
    return {
      image: db.serialize(),
      local: localDb.serialize(),
      changes: [...editor.changes, ...localEditor.changes],
      pools,
    };
  } finally {
    db.close();
    localDb.close();
  }
}

function matches(rule: RehearsalKeyRule, key: string): boolean {
  return rule.keys.some((pattern) =>
    pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern,
  );
}

/** Of the server and of this member: both tables hold keys of the same names. */
function entityOf({ entity }: Pick<TypedRow, 'entity'>): string {
  return entity === 'member' ? 'server' : entity;
}

function removeKeys(editor: Editor, { rehearsal }: MigrationRules): void {
  const rows = readConfigRows(editor.db);
  for (const row of rows) {
    const rule = rehearsal.keys.find((one) => one.entity === entityOf(row) && matches(one, row.key));
    if (rule === undefined) continue;
    if (rule.value === undefined) editor.deleteRow(row.table, row, rule.because);
    else if (row.value !== rule.value) editor.setValue(row.table, row, rule.value, rule.because);
  }
  for (const rule of rehearsal.keys) {
    if (rule.value === undefined || rule.entity !== 'server') continue;
    const present = new Set(rows.filter(({ entity }) => entity === 'server').map(({ key }) => key));
    for (const key of rule.keys)
      if (!present.has(key)) editor.addRow('config', undefined, 'server', key, rule.value, rule.because);
  }
}

function holdInstances(editor: Editor, { rehearsal }: MigrationRules): void {
  const instances = editor.db
    .prepare(
      "SELECT i.id AS id, 'instance ' || p.name || '/' || i.name AS object FROM instances i JOIN projects p ON p.id = i.project_id ORDER BY i.id",
    )
    .all() as { id: number; object: string }[];
  const rowOf = editor.db.prepare(
    'SELECT id, key, value FROM instances_config WHERE instance_id = ? AND key = ?',
  );
  for (const { id, object } of instances) {
    for (const { key, value, because } of rehearsal.instances) {
      const row = rowOf.get(id, key) as { id: number; key: string; value: string | null } | undefined;
      if (row === undefined)
        editor.addRow('instances_config', { column: 'instance_id', id }, object, key, value, because);
      else if (row.value !== value) editor.setValue('instances_config', { ...row, object }, value, because);
    }
  }
}

function removeExpiries(editor: Editor, { rehearsal }: MigrationRules): void {
  for (const { table, column } of rehearsal.expiries) {
    if (!hasTable(editor.db, table)) continue;
    const rows = editor.db
      .prepare(
        `SELECT id, CAST("${column}" AS TEXT) AS value FROM "${table}" WHERE "${column}" IS NOT NULL AND "${column}" <> ? ORDER BY id`,
      )
      .all(never) as { id: number; value: string }[];
    for (const { id, value } of rows)
      editor.setColumn(table, id, `${table} row ${id}`, column, value, never, 'The trial deletes nothing.');
  }
}

/** Each pool becomes a folder of the trial; one that is a folder of the data directory already stays as it is. */
function standInPools(editor: Editor, directory: string): string[] {
  const because = 'The trial has none of the storage.';
  const pools = editor.db.prepare('SELECT id, name, driver FROM storage_pools ORDER BY id').all() as {
    id: number;
    name: string;
    driver: string;
  }[];
  const sources = editor.db.prepare(
    "SELECT id, key, value FROM storage_pools_config WHERE storage_pool_id = ? AND key = 'source'",
  );
  for (const { id, name, driver } of pools) {
    const object = `storage pool ${name}`;
    const source = join(directory, 'storage-pools', name);
    if (driver !== 'dir') editor.setColumn('storage_pools', id, object, 'driver', driver, 'dir', because);
    const rows = sources.all(id) as { id: number; key: string; value: string | null }[];
    for (const row of rows)
      if (row.value !== source) editor.setValue('storage_pools_config', { ...row, object }, source, because);
    if (rows.length === 0)
      editor.addRow(
        'storage_pools_config',
        { column: 'storage_pool_id', id },
        object,
        'source',
        source,
        because,
      );
  }
  return pools.map(({ name }) => name);
}

function removeLocalKeys(editor: Editor, { rehearsal }: MigrationRules): void {
  const rows = editor.db.prepare('SELECT id, key, value FROM config ORDER BY id').all() as {
    id: number;
    key: string;
    value: string | null;
  }[];
  for (const row of rows) {
    const rule = rehearsal.keys.find((one) => one.entity === 'server' && matches(one, row.key));
    if (rule !== undefined) editor.deleteRow('config', { ...row, object: 'server (local)' }, rule.because);
  }
}

function markPatches(editor: Editor, { rehearsal }: MigrationRules): void {
  const done = new Set(
    (editor.db.prepare('SELECT name FROM patches').all() as { name: string }[]).map(({ name }) => name),
  );
  const insert = editor.db.prepare('INSERT INTO patches (name, applied_at) VALUES (?, 0)');
  for (const { name, because } of rehearsal.patches) {
    if (done.has(name)) continue;
    const { lastInsertRowid } = insert.run(name);
    editor.changes.push({
      table: 'patches',
      rowId: Number(lastInsertRowid),
      object: 'server (local)',
      what: name,
      before: null,
      after: 'done',
      rule: because,
    });
  }
}
