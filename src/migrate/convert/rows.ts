// The passes over rows that are not configuration keys: triggers, JSON columns, emptied tables, descriptions, snapshot records.
import type { MigrationRules } from '../rules/migration-rules.ts';
import { type Editor, hasTable } from './change.ts';
import { configTables, type TypedRow } from './config-tables.ts';

/** Drops every trigger but those of the fork point, whatever its name: a left-over one would fail the first delete in Incus. */
export function dropTriggers(editor: Editor, rules: MigrationRules): void {
  const triggers = editor.db
    .prepare("SELECT rowid AS id, name, sql FROM sqlite_master WHERE type = 'trigger'")
    .all() as { id: number; name: string; sql: string }[];
  for (const { id, name, sql } of triggers) {
    if (rules.triggers_kept.includes(name)) continue;
    editor.db.exec(`DROP TRIGGER "${name.replaceAll('"', '""')}"`);
    editor.changes.push({
      table: 'sqlite_master',
      rowId: id,
      object: `trigger ${name}`,
      what: 'sql',
      before: sql,
      after: null,
      rule: 'trigger-of-source',
    });
  }
}

/** incusd's update to schema 62 makes values NOT NULL and fails on NULL, which LXD reads as empty. */
export function fillNullValues(editor: Editor, rows: readonly TypedRow[]): void {
  for (const row of rows) if (row.value === null) editor.setValue(row.table, row, '', 'null-value');
}

export function fillJsonColumns(editor: Editor, rules: MigrationRules): void {
  for (const { table, column } of rules.json_columns) {
    if (!hasTable(editor.db, table)) continue;
    // length() so that text and blobs (LXD stores both) count alike.
    const rows = editor.db
      .prepare(`SELECT id, "${column}" AS value FROM "${table}" WHERE length("${column}") = 0 ORDER BY id`)
      .all() as { id: number }[];
    for (const { id } of rows)
      editor.setColumn(table, id, `${table} row ${id}`, column, '', 'null', 'empty-json');
  }
}

export function emptyTables(editor: Editor, rules: MigrationRules): void {
  for (const { table } of rules.emptied_tables) {
    if (!hasTable(editor.db, table)) continue;
    const rows = editor.db.prepare(`SELECT * FROM "${table}" ORDER BY id`).all() as ({ id: number } & Record<
      string,
      unknown
    >)[];
    if (rows.length === 0) continue;
    editor.db.exec(`DELETE FROM "${table}"`);
    for (const row of rows) {
      editor.changes.push({
        table,
        rowId: row.id,
        object: `${table} row ${row.id}`,
        what: 'row',
        before: JSON.stringify(row),
        after: null,
        rule: `emptied:${table}`,
      });
    }
  }
}

export function renameDescriptions(editor: Editor, rules: MigrationRules): void {
  for (const { table, before, after } of rules.descriptions) {
    const rows = editor.db
      .prepare(`SELECT id, name FROM "${table}" WHERE description = ? ORDER BY id`)
      .all(before) as { id: number; name: string }[];
    for (const { id, name } of rows)
      editor.setColumn(
        table,
        id,
        `${table.replace(/s$/, '')} ${name}`,
        'description',
        before,
        after,
        'default-description',
      );
  }
}

/**
 * Drops repeated entries from id maps, which changes no map. Values that are no list of objects are left alone.
 */
export function normaliseIdmaps(editor: Editor, rows: readonly TypedRow[], rules: MigrationRules): void {
  for (const row of rows) {
    if (row.entity !== 'instance' || row.value === null || !rules.idmap_keys.includes(row.key)) continue;
    const after = withoutRepeatedEntries(row.value);
    if (after !== undefined && after !== row.value)
      editor.setValue(row.table, row, after, 'idmap-repeated-entry');
  }
}

function withoutRepeatedEntries(value: string): string | undefined {
  let entries: unknown;
  try {
    entries = JSON.parse(value);
  } catch {
    return undefined;
  }
  if (!Array.isArray(entries)) return undefined;
  const seen = new Set<string>();
  const kept = entries.filter((entry) => {
    const text = JSON.stringify(entry);
    const isNew = !seen.has(text);
    seen.add(text);
    return isNew;
  });
  return kept.length === entries.length ? value : JSON.stringify(kept);
}

/**
 * The work of incusd's patches storage_missing_snapshot_records and storage_delete_old_snapshot_records: every
 * snapshot of an instance has a record in its volume, and no such record stands among the volumes themselves.
 */
export function repairSnapshotRecords(editor: Editor): void {
  const { db } = editor;
  const hasCreation = (db.pragma('table_info(storage_volumes_snapshots)') as { name: string }[]).some(
    ({ name }) => name === 'creation_date',
  );
  const missing = db
    .prepare(
      `SELECT v.id AS volume, v.name AS volumeName, p.name AS project, s.name AS snapshot, s.creation_date AS created
         FROM instances_snapshots s
         JOIN instances i ON i.id = s.instance_id
         JOIN projects p ON p.id = i.project_id
         JOIN storage_volumes v ON v.name = i.name AND v.project_id = i.project_id AND v.type = CASE i.type WHEN 1 THEN 3 ELSE 0 END
        WHERE NOT EXISTS (SELECT 1 FROM storage_volumes_snapshots r WHERE r.storage_volume_id = v.id AND r.name = s.name)
        ORDER BY s.id`,
    )
    .all() as { volume: number; volumeName: string; project: string; snapshot: string; created: unknown }[];
  const nextId = db.prepare(
    'SELECT max((SELECT coalesce(max(id), 0) FROM storage_volumes), (SELECT coalesce(max(id), 0) FROM storage_volumes_snapshots)) + 1 AS id',
  );
  for (const { volume, volumeName, project, snapshot, created } of missing) {
    const { id } = nextId.get() as { id: number };
    if (hasCreation) {
      db.prepare(
        'INSERT INTO storage_volumes_snapshots (id, storage_volume_id, name, description, creation_date) VALUES (?, ?, ?, ?, ?)',
      ).run(id, volume, snapshot, 'Auto repaired', created);
    } else {
      db.prepare(
        'INSERT INTO storage_volumes_snapshots (id, storage_volume_id, name, description) VALUES (?, ?, ?, ?)',
      ).run(id, volume, snapshot, 'Auto repaired');
    }
    db.prepare(
      'INSERT INTO storage_volumes_snapshots_config (storage_volume_snapshot_id, key, value) SELECT ?, key, value FROM storage_volumes_config WHERE storage_volume_id = ?',
    ).run(id, volume);
    // Volumes and their snapshots share one sequence of ids, which the two triggers of the schema guard.
    db.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'storage_volumes'").run(id);
    editor.changes.push({
      table: 'storage_volumes_snapshots',
      rowId: id,
      object: `volume ${project}/${volumeName}/${snapshot}`,
      what: 'row',
      before: null,
      after: 'Auto repaired',
      rule: 'missing-snapshot-record',
    });
  }
  const old = db
    .prepare(
      `SELECT v.id AS id, v.name AS name FROM storage_volumes v
         JOIN storage_volumes parent ON parent.storage_pool_id = v.storage_pool_id AND parent.project_id = v.project_id AND parent.type = v.type AND parent.node_id IS v.node_id
         JOIN storage_volumes_snapshots r ON r.storage_volume_id = parent.id AND v.name = parent.name || '/' || r.name
        WHERE v.type IN (0, 3) ORDER BY v.id`,
    )
    .all() as { id: number; name: string }[];
  for (const { id, name } of old) {
    db.prepare('DELETE FROM storage_volumes_config WHERE storage_volume_id = ?').run(id);
    db.prepare('DELETE FROM storage_volumes WHERE id = ?').run(id);
    editor.changes.push({
      table: 'storage_volumes',
      rowId: id,
      object: `volume ${name}`,
      what: 'row',
      before: name,
      after: null,
      rule: 'old-snapshot-record',
    });
  }
}

/** Configuration rows whose owner is gone: Incus's schema updates would fail on the broken reference. */
export function deleteOrphans(editor: Editor): void {
  for (const { table, from } of configTables) {
    if (!hasTable(editor.db, table) || from === '') continue;
    const orphans = editor.db
      .prepare(
        `SELECT id, key, value FROM "${table}" WHERE id NOT IN (SELECT c.id FROM "${table}" c ${from}) ORDER BY id`,
      )
      .all() as { id: number; key: string; value: string | null }[];
    for (const orphan of orphans)
      editor.deleteRow(
        table,
        { ...orphan, object: `${table} row ${orphan.id} (its owner does not exist)` },
        'orphaned-row',
      );
  }
}
