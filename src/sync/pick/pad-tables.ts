// Rows of a Markdown table that upstream lined up with its own rows, lined up with those that the fork has.

const row = /^(?:\|?[^|\n]*\|)+[^|\n]*$/;

/** New rows of tables with their first cells as wide as those of the rows around them that the fork has. */
export function padTables(merged: string, ours: string): string {
  if (merged === ours || !merged.includes('|')) return merged;
  const before = new Set(ours.split('\n'));
  const lines = merged.split('\n');
  for (const [index, line] of lines.entries()) {
    if (before.has(line) || !row.test(line)) continue;
    const width = firstCell(line);
    const here = tableWidth(lines, index, (other) => before.has(other));
    if (here === undefined || here === width) continue;
    const text = line.slice(0, width).trimEnd();
    if (text.length < here) lines[index] = text.padEnd(here) + line.slice(width);
  }
  return lines.join('\n');
}

/** How long a row is up to the bar behind its first cell. */
function firstCell(line: string): number {
  return line.indexOf('|', line.startsWith('|') ? 1 : 0);
}

/** The width of the first cell that all rows of the fork in a table share, at least three; undefined if they do not. */
function tableWidth(
  lines: readonly string[],
  index: number,
  isOurs: (line: string) => boolean,
): number | undefined {
  let from = index;
  while (from > 0 && row.test(lines[from - 1] ?? '')) from -= 1;
  const widths: number[] = [];
  for (let at = from; row.test(lines[at] ?? ''); at += 1)
    if (isOurs(lines[at] ?? '')) widths.push(firstCell(lines[at] ?? ''));
  const [first] = widths;
  return widths.length >= 3 && widths.every((width) => width === first) ? first : undefined;
}
