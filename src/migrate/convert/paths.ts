// Rewrites paths of the LXD directory wherever a value may hold one, and names the values that keep one.
import type { MigrationRules } from '../rules/migration-rules.ts';
import type { Editor } from './change.ts';
import type { TypedRow } from './config-tables.ts';
import { mapPath, mapPathsInText, type PathMap } from './path-map.ts';

export function rewritePaths(
  editor: Editor,
  rows: readonly TypedRow[],
  rules: MigrationRules,
  map: PathMap,
): void {
  const left = new Map<string, string[]>();
  for (const row of rows) {
    if (row.value === null || !row.value.includes(map.from)) continue;
    const rule = rules.paths.find(
      ({ entity, types, keys }) =>
        entity === row.entity && keys.includes(row.key) && (types === undefined || types.includes(row.type)),
    );
    const after =
      rule === undefined
        ? row.value
        : rule.kind === 'path'
          ? (mapPath(map, row.value) ?? row.value)
          : mapPathsInText(map, row.value);
    if (after !== row.value) editor.setValue(row.table, row, after, 'path-of-source');
    else if (rule === undefined && mapPathsInText(map, row.value) !== row.value)
      left.set(row.key, [...(left.get(row.key) ?? []), row.object]);
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
