// Converts local.db, the database that belongs to one server: its own keys, and which patches count as done.
import Database from 'better-sqlite3';
import type { Change } from '../model/change.ts';
import type { Finding } from '../model/finding.ts';
import type { MigrationRules } from '../rules/migration-rules.ts';
import { keyLost, patternOf } from './config-keys.ts';
import { openEditor } from './editor.ts';

export interface LocalConversion {
  readonly image: Buffer;
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
}

const object = 'server (local)';

/** What the source has, as far as it decides whether a patch has work to do. */
export interface PatchFacts {
  readonly zfs: boolean;
  readonly buckets: boolean;
}

/** @param image a whole SQLite file (rollback journal, as LXD keeps it) */
export function convertLocal(
  image: Buffer,
  rules: MigrationRules,
  facts: PatchFacts,
  now: Date,
): LocalConversion {
  const db = new Database(image);
  try {
    const editor = openEditor(db);
    const config = db.prepare('SELECT id, key, value FROM config ORDER BY id').all() as {
      id: number;
      key: string;
      value: string | null;
    }[];
    for (const row of config) {
      const rule = rules.keys.find(
        (candidate) =>
          candidate.entity === 'server' && candidate.action === 'drop' && patternOf(candidate).test(row.key),
      );
      if (rule !== undefined) {
        editor.deleteRow('config', { ...row, object }, rule.id);
        if (rule.severity === 'loss') editor.findings.push(keyLost(rule, object));
      } else if (row.value === null) editor.setValue('config', { ...row, object }, '', 'null-value');
    }
    const done = new Set(
      (db.prepare('SELECT name FROM patches').all() as { name: string }[]).map(({ name }) => name),
    );
    const insert = db.prepare('INSERT INTO patches (name, applied_at) VALUES (?, ?)');
    for (const patch of rules.patches) {
      if (done.has(patch.name) || (patch.unless !== undefined && facts[patch.unless])) continue;
      const { lastInsertRowid } = insert.run(patch.name, Math.floor(now.getTime() / 1000));
      editor.changes.push({
        table: 'patches',
        rowId: Number(lastInsertRowid),
        object,
        what: patch.name,
        before: null,
        after: 'done',
        rule: `patch:${patch.work}`,
      });
    }
    return { image: db.serialize(), changes: editor.changes, findings: editor.findings };
  } finally {
    db.close();
  }
}
