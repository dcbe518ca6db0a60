// convert: an image of LXD's database becomes one that Incus takes over, every change on record.
import Database from 'better-sqlite3';
import { readConfigRows } from '../catalogue/config-tables.ts';
import { hasTable } from '../catalogue/schema-facts.ts';
import type { Change } from '../model/change.ts';
import type { Finding } from '../model/finding.ts';
import type { Held, PowerRecord } from '../model/power.ts';
import { migrateFailure } from '../problem.ts';
import { migrationRules } from '../rules/migration-rules.ts';
import { applyKeyRules } from './config-keys.ts';
import { openEditor } from './editor.ts';
import { convertLocal } from './local.ts';
import type { PathMap } from './path-map.ts';
import { rewritePaths } from './paths.ts';
import { pinDefaults } from './pins.ts';
import { writePower } from './power.ts';
import {
  deleteOrphans,
  dropTriggers,
  emptyTables,
  fillJsonColumns,
  fillNullValues,
  normaliseIdmaps,
  renameDescriptions,
  repairSnapshotRecords,
} from './rows.ts';
import { unknownSchema } from './unknown-schema.ts';

export { startedByItself } from './power.ts';
export { type UnknownSchema, unknownSchema } from './unknown-schema.ts';

export interface ConversionInput {
  /** A whole SQLite file of the global database. */
  readonly image: Buffer;
  /** local.db, where it is at hand. */
  readonly local: Buffer | undefined;
  readonly sourceDirectory: string;
  readonly targetDirectory: string;
  /** For instance `6.0.4`. */
  readonly targetVersion: string;
  /** What only the host knows: `<network>/<key>` → value. */
  readonly pinsFromHost: ReadonlyMap<string, string>;
  readonly power: PowerRecord;
  readonly now: Date;
}

export interface Conversion {
  readonly image: Buffer;
  readonly local: Buffer | undefined;
  readonly changes: readonly Change[];
  readonly localChanges: readonly Change[];
  readonly findings: readonly Finding[];
  readonly held: readonly Held[];
}

/**
 * Converts a copy in memory; nothing outside is read or written.
 * @throws {Failure<MigrateProblem>} schema-unknown where number or tables are of no schema that can be moved
 */
export function convert(input: ConversionInput): Conversion {
  const rules = migrationRules();
  const db = new Database(input.image);
  try {
    const unknown = unknownSchema(db);
    if (unknown !== undefined) throw migrateFailure({ code: 'schema-unknown', ...unknown });
    // Half-way states may break references; whether they hold is checked before (check/database.ts).
    db.pragma('foreign_keys = OFF');
    const editor = openEditor(db);
    const held = db.transaction(() => {
      const map: PathMap = {
        from: input.sourceDirectory,
        to: input.targetDirectory,
        renamedFolders: rules.renamed_folders,
      };
      dropTriggers(editor, rules);
      deleteOrphans(editor);
      repairSnapshotRecords(editor);
      const kept = applyKeyRules(editor, readConfigRows(db), rules, input.targetVersion);
      rewritePaths(editor, kept, rules, map);
      normaliseIdmaps(editor, kept, rules);
      const power = writePower(editor, kept, input.power);
      fillNullValues(editor, readConfigRows(db));
      fillJsonColumns(editor, rules);
      emptyTables(editor, rules);
      renameDescriptions(editor, rules);
      pinDefaults(editor, rules, input.targetVersion, input.pinsFromHost);
      return power;
    })();
    const facts = {
      zfs: has(db, "SELECT 1 FROM storage_pools WHERE driver = 'zfs'"),
      buckets: hasTable(db, 'storage_buckets') && has(db, 'SELECT 1 FROM storage_buckets'),
    };
    const local = input.local === undefined ? undefined : convertLocal(input.local, rules, facts, input.now);
    return {
      image: db.serialize(),
      local: local?.image,
      changes: editor.changes,
      localChanges: local?.changes ?? [],
      findings: [...editor.findings, ...(local?.findings ?? [])],
      held,
    };
  } finally {
    db.close();
  }
}

function has(db: Database.Database, sql: string): boolean {
  return db.prepare(sql).get() !== undefined;
}
