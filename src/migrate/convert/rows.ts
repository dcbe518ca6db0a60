// The passes over rows that are not configuration keys: triggers, JSON columns, emptied tables, descriptions, snapshot records.

import { orphanedRows, type TypedRow } from '../catalogue/config-tables.ts';
import { hasTable } from '../catalogue/schema-facts.ts';
import type { MigrationRules } from '../rules/migration-rules.ts';
import type { Editor } from './editor.ts';

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
    const rows = editor.db.prepare(`SELECT id FROM "${table}" ORDER BY id`).all() as { id: number }[];
    for (const { id } of rows) editor.dropRow(table, id, `${table} row ${id}`, `emptied:${table}`);
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
  addMissingSnapshotRecords(editor);
  dropOldSnapshotRecords(editor);
}

interface MissingRecord {
  readonly volume: number;
  readonly object: string;
  readonly snapshot: string;
  readonly created: unknown;
}

function addMissingSnapshotRecords(editor: Editor): void {
  const { db } = editor;
  const missing = db
    .prepare(
      `SELECT v.id AS volume, 'volume ' || sp.name || '/' || p.name || '/' || v.name || '/' || s.name AS object, s.name AS snapshot, s.creation_date AS created
         FROM instances_snapshots s
         JOIN instances i ON i.id = s.instance_id
         JOIN projects p ON p.id = i.project_id
         JOIN storage_volumes v ON v.name = i.name AND v.project_id = i.project_id AND v.type = CASE i.type WHEN 1 THEN 3 ELSE 0 END
         JOIN storage_pools sp ON sp.id = v.storage_pool_id
        WHERE NOT EXISTS (SELECT 1 FROM storage_volumes_snapshots r WHERE r.storage_volume_id = v.id AND r.name = s.name)
        ORDER BY s.id`,
    )
    .all() as MissingRecord[];
  if (missing.length === 0) return;
  const hasCreation = (db.pragma('table_info(storage_volumes_snapshots)') as { name: string }[]).some(
    ({ name }) => name === 'creation_date',
  );
  // Volumes and their snapshots share one sequence of ids, as the daemons count (CreateStorageVolumeSnapshot).
  const nextId = db
    .prepare("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'storage_volumes' RETURNING seq")
    .pluck();
  const rule = 'missing-snapshot-record';
  withoutIdTrigger(editor, () => {
    for (const { volume, object, snapshot, created } of missing) {
      const id = nextId.get() as number;
      editor.insertRow(
        'storage_volumes_snapshots',
        {
          id,
          storage_volume_id: volume,
          name: snapshot,
          description: 'Auto repaired',
          // "Never", as the daemons write it; they cannot read NULL everywhere (GetStorageVolumeSnapshotExpiry).
          expiry_date: '0001-01-01 00:00:00+00:00',
          ...(hasCreation ? { creation_date: created } : {}),
        },
        object,
        rule,
      );
      const config = db
        .prepare('SELECT key, value FROM storage_volumes_config WHERE storage_volume_id = ? ORDER BY id')
        .all(volume) as { key: string; value: string | null }[];
      const owner = { column: 'storage_volume_snapshot_id', id };
      for (const { key, value } of config)
        editor.addRow('storage_volumes_snapshots_config', owner, object, key, value ?? '', rule);
    }
  });
}

/**
 * The trigger that guards the ids quotes its message with double quotes, which SQLite takes for a column where it is
 * built without that leniency, as ours is: no row could be inserted. It is put back as it was.
 */
function withoutIdTrigger({ db }: Editor, work: () => void): void {
  const triggers = db
    .prepare(
      "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'storage_volumes_snapshots' ORDER BY name",
    )
    .all() as { name: string; sql: string }[];
  for (const { name } of triggers) db.exec(`DROP TRIGGER "${name.replaceAll('"', '""')}"`);
  work();
  for (const { sql } of triggers) db.exec(sql);
}

function dropOldSnapshotRecords(editor: Editor): void {
  const old = editor.db
    .prepare(
      `SELECT v.id AS id, 'volume ' || sp.name || '/' || p.name || '/' || v.name AS object FROM storage_volumes v
         JOIN storage_pools sp ON sp.id = v.storage_pool_id
         JOIN projects p ON p.id = v.project_id
         JOIN storage_volumes parent ON parent.storage_pool_id = v.storage_pool_id AND parent.project_id = v.project_id AND parent.type = v.type AND parent.node_id IS v.node_id
         JOIN storage_volumes_snapshots r ON r.storage_volume_id = parent.id AND v.name = parent.name || '/' || r.name
        WHERE v.type IN (0, 3) ORDER BY v.id`,
    )
    .all() as { id: number; object: string }[];
  for (const { id, object } of old) {
    const config = editor.db
      .prepare('SELECT id FROM storage_volumes_config WHERE storage_volume_id = ? ORDER BY id')
      .all(id) as { id: number }[];
    for (const row of config) editor.dropRow('storage_volumes_config', row.id, object, 'old-snapshot-record');
    editor.dropRow('storage_volumes', id, object, 'old-snapshot-record');
  }
}

/** Configuration rows whose owner is gone: Incus's schema updates would fail on the broken reference. */
export function deleteOrphans(editor: Editor): void {
  for (const [table, ids] of orphanedRows(editor.db))
    for (const id of ids)
      editor.dropRow(table, id, `${table} row ${id} (its owner does not exist)`, 'orphaned-row');
}
