// Foreign text in what GitHub renders: it is shown, and does nothing. No mention, reference, command, markup or keyword.
import { inert, inertButTabs } from '../../core/text.ts';

// GitHub finds mentions and references in the text *after* Markdown, so that a backslash does not stop them; it leaves
// code alone. (github.com/gjtorikian/html-pipeline, mention and issue filters: text inside code and pre is ignored.)

/** Nobody sees it, and it takes words and signs apart. */
const joiner = '\u2060';

/** One line of foreign text as a code span, outside of a table. */
export function inertCode(text: string, limit = 200): string {
  return asCode(shorten(inert(text), limit).trim());
}

/** The same inside a table. */
export function inertCell(text: string, limit = 200): string {
  const line = shorten(inert(text), limit).trim();
  // In a table the row is cut into cells before code spans are looked for (GFM 4.10): only a backslash keeps a bar, and
  // a backslash that stands there already would take it away again.
  return asCode(line.replace(/\\(?=\|)/g, `\\${joiner}`).replaceAll('|', '\\|'));
}

function asCode(line: string): string {
  if (line === '') return '``` ```';
  const fence = '`'.repeat(longestRun(line) + 1);
  const gap = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${gap}${line}${gap}${fence}`;
}

/** Foreign lines as a block of code; each line is pushed in, so that none begins with a character of its own. */
export function inertBlock(lines: readonly string[], language = ''): string {
  const safe = lines.map((line) => ` ${inertButTabs(line)}`);
  const fence = '`'.repeat(Math.max(3, longestRun(safe.join('\n')) + 1));
  return [`${fence}${language}`, ...safe, fence].join('\n');
}

/** Lines of a difference, which begin with a mark of the difference already. */
export function inertDiff(lines: readonly string[]): string {
  const safe = lines.map((line) => (/^[ +@-]/.test(line) ? inertButTabs(line) : ` ${inertButTabs(line)}`));
  const fence = '`'.repeat(Math.max(3, longestRun(safe.join('\n')) + 1));
  return [`${fence}diff`, ...safe, fence].join('\n');
}

/**
 * Foreign text in a title, where nothing is code: what would be a mention, a reference, or a keyword that closes is
 * taken apart.
 */
export function inertTitle(text: string, limit = 200): string {
  return shorten(inert(text), limit)
    .trim()
    .replace(/^\/(?=\S)/, `${joiner}/`)
    .replace(/@(?=[\w-])/g, `@${joiner}`)
    .replace(/#(?=\d)/g, `#${joiner}`)
    .replace(/\b(gh)-(?=\d)/gi, `$1-${joiner}`)
    .replace(/:\/\/(?=\S)/g, `:${joiner}//`)
    .replace(/([0-9a-f]{6})(?=[0-9a-f])/gi, `$1${joiner}`)
    .replace(
      /\b(close|fix|resolve)(?=s|d|es|ed|\b)/gi,
      (word) => `${word.slice(0, 1)}${joiner}${word.slice(1)}`,
    );
}

/** Cut at a whole character, with a sign that it was. */
export function shorten(text: string, limit: number): string {
  const characters = [...text];
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
}

function longestRun(text: string): number {
  return [...text.matchAll(/`+/g)].reduce((longest, [run]) => Math.max(longest, run.length), 0);
}
