// What has two halves, by the kind of file: conditions and blocks of scripts, makefiles, templates and pages.

export interface BalancePair {
  readonly name: string;
  readonly opens: RegExp;
  readonly closes: RegExp;
}

const preprocessor: BalancePair = {
  name: '#if',
  opens: /^[ \t]*#[ \t]*if/gm,
  closes: /^[ \t]*#[ \t]*endif\b/gm,
};
const atCommand = '(?:^|[;&|(]|\\b(?:then|do|else)\\b)[ \\t]*';
export const shellPairs: readonly BalancePair[] = [
  { name: 'if', opens: new RegExp(`${atCommand}if\\b`, 'gm'), closes: new RegExp(`${atCommand}fi\\b`, 'gm') },
  {
    name: 'case',
    opens: new RegExp(`${atCommand}case\\b`, 'gm'),
    closes: new RegExp(`${atCommand}esac\\b`, 'gm'),
  },
  {
    name: 'do',
    opens: new RegExp(`${atCommand}(?:for|while|until|select)\\b`, 'gm'),
    closes: new RegExp(`${atCommand}done\\b`, 'gm'),
  },
  { name: '{', opens: /(?:^|[ \t)])\{[ \t]*$/gm, closes: /^[ \t]*\}/gm },
  // Those of one line are of patterns, and of calls that end where they began.
  { name: '(', opens: /\([ \t]*$/gm, closes: /^[ \t]*\)/gm },
];
const makefile: readonly BalancePair[] = [
  { name: 'ifeq', opens: /^[ ]*if(?:n?eq|n?def)\b/gm, closes: /^[ ]*endif\b/gm },
  { name: 'define', opens: /^[ ]*define\b/gm, closes: /^[ ]*endef\b/gm },
];
const brackets: readonly BalancePair[] = [
  { name: '{', opens: /\{/g, closes: /\}/g },
  { name: '(', opens: /\(/g, closes: /\)/g },
  { name: '[', opens: /\[/g, closes: /\]/g },
];
/** Templates stand in pages, in files of their own, and in strings of Go. */
const templates: readonly BalancePair[] = [
  {
    name: '{{if}}',
    opens: /\{\{-?\s*(?:if|range|with|block|define)\b/g,
    closes: /\{\{-?\s*end\b/g,
  },
  {
    name: '{% if %}',
    opens: /\{%-?\s*(?:if|for|block|macro)\b/g,
    closes: /\{%-?\s*end(?:if|for|block|macro)\b/g,
  },
];
const elements: readonly BalancePair[] = [
  'html',
  'head',
  'body',
  'div',
  'section',
  'header',
  'footer',
  'nav',
  'main',
  'ul',
  'ol',
  'table',
  'form',
  'script',
  'style',
  'span',
  'a',
].map((name) => ({
  name: `<${name}>`,
  opens: new RegExp(`<${name}\\b`, 'gi'),
  closes: new RegExp(`</${name}\\b`, 'gi'),
}));

const shebang = /^#!.*\b(?:ba|da|k|z)?sh\b/;
/** Completions are read by a shell that runs already: nothing in their first line says so. */
const completion = /^[ \t]*(?:complete (?:-\w+ )+|COMPREPLY=|_have \w)/m;

export function isShell(path: string, text: string): boolean {
  return endingOf(path) === 'sh' || shebang.test(text) || completion.test(text);
}

export function endingOf(path: string): string {
  return /\.([A-Za-z]\w*)$/.exec(nameOf(path))?.[1] ?? '';
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The pairs that a file of the fork may have, by its path and its text. */
export function balancePairs(path: string, text: string): readonly BalancePair[] {
  return [...pairsOf(path, text), ...(/\{[{%]/.test(text) ? templates : [])];
}

function pairsOf(path: string, text: string): readonly BalancePair[] {
  const ending = endingOf(path);
  if (/^(?:GNU)?[Mm]akefile$/.test(nameOf(path)) || ending === 'mk') return makefile;
  if (/^[ch]$|^(?:cc|cpp|hpp)$/.test(ending)) return [preprocessor, ...brackets];
  // Brackets of Go are looked at with its strings and comments apart; C stands in its comments.
  if (ending === 'go') return [preprocessor];
  if (/^html?$/.test(ending)) return elements;
  if (/^(?:[cm]?js|tsx?|jsx|py|rs|tf|nix|s?css|proto|java)$/.test(ending)) return brackets;
  return isShell(path, text) ? shellPairs : [];
}
