// Text for people: hostile characters made inert, tables, sizes and times.

/**
 * Makes text safe for a terminal: control characters (escape sequences too), bidirectional overrides and line
 * separators are shown as \u{…}.
 */
export function inert(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu,
    (character) => {
      const code = character.codePointAt(0) ?? 0;
      return `\\u{${code.toString(16)}}`;
    },
  );
}

/** A line of code: its tabs stay, since they move nothing and are to be read. */
export function inertButTabs(line: string): string {
  return line.split('\t').map(inert).join('\t');
}

/** One word of a command for a POSIX shell; quoted only where it must be. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Words of a command, a daemon or a failure within a line of ours: their lines stand one after the other, and whatever else
 * could act is inert.
 */
export function inline(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map((line) => inert(line.trim()))
    .filter((line) => line !== '')
    .join(' · ');
}

/** Text of several lines; only the ends of lines keep their meaning. */
export function inertLines(text: string): string {
  return text.split('\n').map(inert).join('\n');
}

/** The same value as JSON.stringify gives, with nothing in it that could act on a terminal. */
export function inertJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Text for the body or an attribute of an HTML page. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return inert(text).replace(/[&<>"']/g, (character) => names[character] ?? character);
}

/** Text for one cell of a Markdown table, without markup of its own. */
export function escapeMarkdown(text: string): string {
  return inert(text).replace(/[\\`*_{}[\]<>()#+!|~@-]/g, (character) => `\\${character}`);
}

/** A table with aligned columns and two spaces between them; every cell is made inert. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(inert));
  const widths = head.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), 0),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Names within a line: of very many the first ones, and how many more there are. */
export function firstOf(names: readonly string[], count = 5): string {
  const more = names.length - count;
  return `${names.slice(0, count).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Lines of which people see the first ones, and how many more there are. */
export function firstLines(lines: readonly string[], count: number, where = ''): string[] {
  const more = lines.length - count;
  return more > 0 ? [...lines.slice(0, count), `… and ${more} more${where}`] : [...lines];
}

/** `1234567` → `1.2 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  // What would be rounded up to 1024.0 is one of the next unit.
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Milliseconds → `0.8 s`, `2 min 5 s`. */
export function formatDuration(milliseconds: number): string {
  const tenths = Math.round(milliseconds / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
