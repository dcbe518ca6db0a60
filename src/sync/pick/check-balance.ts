// What a merge left without its other half: brackets of the preprocessor, of a script, of a page, of YAML and JSON.
import { parseDocument } from 'yaml';

export interface BalancedSides {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly merged: string;
}

interface Pair {
  readonly name: string;
  readonly opens: RegExp;
  readonly closes: RegExp;
}

const preprocessor: Pair = { name: '#if', opens: /^[ \t]*#[ \t]*if/gm, closes: /^[ \t]*#[ \t]*endif\b/gm };
const atCommand = '(?:^|[;&|(]|\\b(?:then|do|else)\\b)[ \\t]*';
const shell: readonly Pair[] = [
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
];
const brackets: readonly Pair[] = [
  { name: '{', opens: /\{/g, closes: /\}/g },
  { name: '(', opens: /\(/g, closes: /\)/g },
  { name: '[', opens: /\[/g, closes: /\]/g },
];
const fence = /^[ \t]*(?:```|~~~|:::)/gm;
/** A parser that reads more than this takes longer than the pick. */
const largestParsed = 300_000;

/** The pair that the merge left unbalanced and neither side has so; undefined where all is well. */
export function findUnbalanced(path: string, sides: BalancedSides): string | undefined {
  if (sides.merged === sides.ours) return undefined;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const ending = /\.([A-Za-z]\w*)$/.exec(name)?.[1] ?? '';
  if (/^ya?ml$|^json$/.test(ending)) return parses(ending, sides) ? undefined : `nesting of ${ending}`;
  if (ending === 'md') {
    const odd = (text: string): number => count(text, fence) % 2;
    const isOdd = odd(sides.merged) === 1 && odd(sides.ours) === 0 && odd(sides.theirs) === 0;
    return isOdd ? 'fences' : undefined;
  }
  const pairs = pairsOf(ending, sides.ours);
  return pairs.find((pair) => isBroken(pair, sides))?.name;
}

function pairsOf(ending: string, text: string): readonly Pair[] {
  if (ending === 'sh' || /^#!.*\b(?:ba|da|k|z)?sh\b/.test(text)) return shell;
  if (/^[ch]$|^(?:cc|cpp|hpp)$/.test(ending)) return [preprocessor, ...brackets];
  // Brackets of Go are looked at with its strings and comments apart; C stands in its comments.
  if (ending === 'go') return [preprocessor];
  return /^(?:js|ts|py|rs|tf|nix|css)$/.test(ending) ? brackets : [];
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/**
 * What one side has too many of is that side's own, and nearly always a limit of this counting: the merge may have as
 * many as either, or as both changes together make.
 */
function isBroken({ opens, closes }: Pair, { base, ours, theirs, merged }: BalancedSides): boolean {
  const open = (text: string): number => count(text, opens) - count(text, closes);
  const [before, here, there, now] = [base, ours, theirs, merged].map(open) as [
    number,
    number,
    number,
    number,
  ];
  if (here === 0 && there === 0) return now !== 0;
  return ![here, there, here + there - before].includes(now);
}

function parses(ending: string, { ours, theirs, merged }: BalancedSides): boolean {
  if (merged.length > largestParsed) return true;
  const isWhole = ending === 'json' ? isJson : isYaml;
  return isWhole(merged) || !isWhole(ours) || !isWhole(theirs);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isYaml(text: string): boolean {
  return parseDocument(text, { uniqueKeys: true }).errors.length === 0;
}
