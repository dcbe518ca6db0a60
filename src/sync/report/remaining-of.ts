// The difference of differences as lines: what only upstream, in the words of the fork, or only the pick changes.
import type { FileComparison } from './compare-diffs.ts';

/** Lines that only one of the two differences has. */
export function remainingOf(files: readonly FileComparison[]): readonly string[] {
  return files.flatMap(({ path, rows, notShown }) => {
    if (notShown !== undefined) return [`@@ ${path}: ${notShown} @@`];
    const lines = rows.flatMap((row) => {
      if (row === undefined || (row.upstream !== undefined && row.pick !== undefined)) return [];
      const line = row.upstream ?? row.pick;
      if (line === undefined || line.sign === ' ') return [];
      return [`${row.upstream === undefined ? '+' : '-'} ${line.sign}${line.text}`];
    });
    return lines.length === 0 ? [] : [`@@ ${path}: only upstream (-), only the pick (+) @@`, ...lines];
  });
}
