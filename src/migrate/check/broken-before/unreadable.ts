// Values that neither daemon can read: numbers that stand for nothing, dates and lists in another form.
import type { Database } from 'better-sqlite3';
import { configTables } from '../../catalogue/config-tables.ts';
import { columnsOf, hasTable } from '../../catalogue/schema-facts.ts';
import type { Finding } from '../../model/finding.ts';
import { migrationRules } from '../../rules/migration-rules.ts';
import { blocker, note, objects } from './broken.ts';

interface Code {
  readonly table: string;
  readonly column: string;
  /** The highest number that means something. */
  readonly last: number;
  readonly object: string;
}

/** Both projects' db/cluster and db/*.go: a row with another number ends the start, or the answer to every list it is in. */
const codes: readonly Code[] = [
  { table: 'instances', column: 'type', last: 1, object: "'instance ' || t.name" },
  { table: 'images', column: 'type', last: 1, object: "'image ' || t.fingerprint" },
  { table: 'storage_volumes', column: 'type', last: 3, object: "'volume ' || t.name" },
  { table: 'storage_volumes', column: 'content_type', last: 2, object: "'volume ' || t.name" },
  { table: 'storage_pools', column: 'state', last: 2, object: "'storage pool ' || t.name" },
  { table: 'networks', column: 'type', last: 4, object: "'network ' || t.name" },
  { table: 'networks', column: 'state', last: 2, object: "'network ' || t.name" },
];

/** Numbers that make a thing useless and nothing else. */
const uselessCodes: readonly Code[] = [
  { table: 'instances', column: 'architecture', last: 15, object: "'instance ' || t.name" },
  { table: 'images', column: 'architecture', last: 15, object: "'image ' || t.fingerprint" },
  { table: 'instances_devices', column: 'type', last: 11, object: "'device ' || t.name" },
  { table: 'profiles_devices', column: 'type', last: 11, object: "'device ' || t.name" },
];

export function checkUnreadable(db: Database): Finding[] {
  return [
    ...blocker('unreadable', {
      objects: [...codes.flatMap((code) => outside(db, code)), ...dates(db), ...lists(db)],
      what: 'LXD cannot read these values, and Incus would not start on them or would not list what they belong to.',
      action: 'Mend the rows in LXD (lxd sql global "UPDATE …"), then plan again.',
    }),
    ...note('nul-in-value', {
      objects: cut(db),
      what: 'These values hold a NUL. LXD shows them up to it and no further, and so does Incus.',
      action:
        'The rows are moved whole. The rehearsal names each as a difference, which you can accept; or set the key anew in LXD.',
    }),
    ...note('meaningless', {
      objects: uselessCodes.flatMap((code) => outside(db, code)),
      what: 'These numbers stand for nothing that LXD or Incus knows. What has one could not be used in LXD either.',
      action: 'They are moved as they are. Delete or mend the rows in LXD (lxd sql global "UPDATE …").',
    }),
  ];
}

/** Text goes from dqlite to the daemons as far as its first NUL (sqlite3_column_text). */
function cut(db: Database): string[] {
  return configTables
    .filter(({ table }) => hasTable(db, table))
    .flatMap(({ table, from, object }) =>
      objects(
        db,
        `SELECT ${object} || ': ' || c.key FROM "${table}" c ${from} WHERE instr(CAST(c.value AS BLOB), x'00') > 0 ORDER BY 1`,
      ),
    );
}

function outside(db: Database, { table, column, last, object }: Code): string[] {
  if (!hasTable(db, table)) return [];
  const first = column === 'architecture' ? 1 : 0;
  return objects(
    db,
    `SELECT ${object} || ': ${column} ' || t."${column}" FROM "${table}" t
      WHERE typeof(t."${column}") <> 'integer' OR t."${column}" NOT BETWEEN ${first} AND ${last} ORDER BY 1`,
  );
}

/** Columns that go-dqlite parses as moments; it takes numbers, and text that begins with a date. */
function dates(db: Database): string[] {
  const known = migrationRules().known_tables;
  // The schema is known, so these are all there but for those that came later.
  return Object.keys(known)
    .filter((table) => hasTable(db, table))
    .flatMap((table) => {
      const columns = db
        .prepare(
          "SELECT name FROM pragma_table_info(?) WHERE upper(type) IN ('DATETIME', 'TIMESTAMP') ORDER BY cid",
        )
        .pluck()
        .all(table) as string[];
      return columns.flatMap((column) =>
        objects(
          db,
          `SELECT '${table} row ' || id || ': ${column} ' || "${column}" FROM "${table}"
          WHERE typeof("${column}") = 'text' AND "${column}" <> '' AND "${column}" NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' ORDER BY id`,
        ),
      );
    });
}

/** Lists that are kept as JSON; an empty text stands for none. */
function lists(db: Database): string[] {
  const columns = [...migrationRules().json_columns, { table: 'networks_zones_records', column: 'entries' }];
  return columns
    .filter(({ table, column }) => columnsOf(db, table).includes(column))
    .flatMap(({ table, column }) =>
      objects(
        db,
        `SELECT '${table} row ' || id || ': ${column}' FROM (SELECT id, CAST("${column}" AS TEXT) AS value FROM "${table}")
          WHERE value <> '' AND CASE WHEN json_valid(value) THEN json_type(value) NOT IN ('array', 'null') ELSE 1 END ORDER BY id`,
      ),
    );
}
