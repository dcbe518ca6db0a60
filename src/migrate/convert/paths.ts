// Rewrites paths of the LXD directory wherever a value may hold one, and names the values that keep one.

import type { TypedRow } from '../catalogue/config-tables.ts';
import type { MigrationRules } from '../rules/migration-rules.ts';
import type { Editor } from './editor.ts';
import { mapPath, mapPathsInText, type PathMap } from './path-map.ts';

export function rewritePaths(
  editor: Editor,
  rows: readonly TypedRow[],
  rules: MigrationRules,
  map: PathMap,
): void {
  const left = new Map<string, string[]>();
  const siblings = valuesByObject(rows);
  for (const row of rows) {
    if (row.value === null) continue;
    const rule = rules.paths.find(
      ({ entity, types, keys }) =>
        entity === row.entity && keys.includes(row.key) && (types === undefined || types.includes(row.type)),
    );
    // The other side of a proxy is a path of the guest, which does not move.
    if (rule?.where !== undefined) {
      const { key, is } = rule.where;
      if (!is.includes(siblings.get(`${row.table} ${row.object} ${key}`) ?? '')) continue;
    }
    if (rule?.kind === 'path') {
      const after = mapPath(map, row.value);
      if (after !== undefined) editor.setValue(row.table, row, after, 'path-of-source');
      continue;
    }
    if (!row.value.includes(map.from)) continue;
    const after = mapPathsInText(map, row.value);
    if (after === row.value) continue;
    if (rule !== undefined) editor.setValue(row.table, row, after, 'path-of-source');
    else left.set(row.key, [...(left.get(row.key) ?? []), row.object]);
  }
  for (const [key, objects] of left) {
    editor.findings.push({
      id: `path-left:${key}`,
      severity: 'note',
      objects,
      what: `The value of ${key} names a path inside the LXD directory. It belongs to you and is not rewritten.`,
      action: `After the move, change it to the path below ${map.to} if something still uses it.`,
    });
  }
}

/** Values of devices, by table, object and key: what a rule's condition asks for. */
function valuesByObject(rows: readonly TypedRow[]): Map<string, string> {
  return new Map(
    rows
      .filter(({ entity }) => entity === 'device')
      .map(({ table, object, key, value }) => [`${table} ${object} ${key}`, value ?? '']),
  );
}
