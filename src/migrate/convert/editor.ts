// Makes changes in an open database, and records each.
import type { Database, Statement } from 'better-sqlite3';
import type { RowOfConfig } from '../catalogue/config-tables.ts';
import type { Change } from '../model/change.ts';
import type { Finding } from '../model/finding.ts';

/** Makes changes in an open database and keeps the list of them. Table and column names come from our own code and rules. */
export interface Editor {
  readonly db: Database;
  readonly changes: Change[];
  readonly findings: Finding[];
  setValue(table: string, row: RowOfConfig, after: string, rule: string): void;
  renameKey(table: string, row: RowOfConfig, key: string, value: string, rule: string): void;
  deleteRow(table: string, row: RowOfConfig, rule: string): void;
  /** Adds a row to a configuration table. `owner` is its foreign key; a table of the server has none. */
  addRow(
    table: string,
    owner: { column: string; id: number } | undefined,
    object: string,
    key: string,
    value: string,
    rule: string,
  ): void;
  setColumn(
    table: string,
    rowId: number,
    object: string,
    column: string,
    before: string | null,
    after: string,
    rule: string,
  ): void;
  /** Adds or removes a row of any table that has an id, the whole of it on record. */
  insertRow(table: string, row: WholeRow, object: string, rule: string): void;
  dropRow(table: string, id: number, object: string, rule: string): void;
}

export type WholeRow = Readonly<Record<string, unknown>> & { readonly id: number };

export function openEditor(db: Database): Editor {
  const changes: Change[] = [];
  const statements = new Map<string, Statement>();
  const prepared = (sql: string): Statement => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = db.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  return {
    db,
    changes,
    findings: [],
    setValue(table, row, after, rule) {
      prepared(`UPDATE "${table}" SET value = ? WHERE id = ?`).run(after, row.id);
      changes.push({
        table,
        rowId: row.id,
        object: row.object,
        what: row.key,
        before: row.value,
        after,
        rule,
      });
    },
    renameKey(table, row, key, value, rule) {
      prepared(`UPDATE "${table}" SET key = ?, value = ? WHERE id = ?`).run(key, value, row.id);
      changes.push({
        table,
        rowId: row.id,
        object: row.object,
        what: row.key,
        before: row.value,
        after: null,
        rule,
      });
      changes.push({ table, rowId: row.id, object: row.object, what: key, before: null, after: value, rule });
    },
    deleteRow(table, row, rule) {
      prepared(`DELETE FROM "${table}" WHERE id = ?`).run(row.id);
      changes.push({
        table,
        rowId: row.id,
        object: row.object,
        what: row.key,
        before: row.value,
        after: null,
        rule,
      });
    },
    addRow(table, owner, object, key, value, rule) {
      const result =
        owner === undefined
          ? prepared(`INSERT INTO "${table}" (key, value) VALUES (?, ?)`).run(key, value)
          : prepared(`INSERT INTO "${table}" ("${owner.column}", key, value) VALUES (?, ?, ?)`).run(
              owner.id,
              key,
              value,
            );
      changes.push({
        table,
        rowId: Number(result.lastInsertRowid),
        object,
        what: key,
        before: null,
        after: value,
        rule,
      });
    },
    setColumn(table, rowId, object, column, before, after, rule) {
      prepared(`UPDATE "${table}" SET "${column}" = ? WHERE id = ?`).run(after, rowId);
      changes.push({ table, rowId, object, what: column, before, after, rule });
    },
    insertRow(table, row, object, rule) {
      const columns = Object.keys(row);
      const names = columns.map((name) => `"${name}"`).join(', ');
      prepared(`INSERT INTO "${table}" (${names}) VALUES (${columns.map(() => '?').join(', ')})`).run(
        ...Object.values(row),
      );
      changes.push({
        table,
        rowId: row.id,
        object,
        what: 'row',
        before: null,
        after: JSON.stringify(row),
        rule,
      });
    },
    dropRow(table, id, object, rule) {
      const row = prepared(`SELECT * FROM "${table}" WHERE id = ?`).get(id);
      prepared(`DELETE FROM "${table}" WHERE id = ?`).run(id);
      changes.push({ table, rowId: id, object, what: 'row', before: JSON.stringify(row), after: null, rule });
    },
  };
}
