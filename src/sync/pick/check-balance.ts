// What a merge left without its other half: blocks of scripts, makefiles and templates, fences of a page, YAML and JSON.
import { type BalancePair, balancePairs, endingOf, isShell, shellPairs } from './balance-pairs.ts';
import { hereDocumentWords, looseHereDocument } from './here-documents.ts';
import { isWholeYaml } from './read-yaml.ts';
import { yamlScripts } from './yaml-scripts.ts';

export interface BalancedSides {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly merged: string;
}

const fence = /^[ \t]*(?:```|~~~|:::)/gm;
/** A parser that reads more than this takes longer than the pick. */
const largestParsed = 300_000;

/** The pair that the merge left unbalanced and neither side has so; undefined where all is well. */
export function findUnbalanced(path: string, sides: BalancedSides): string | undefined {
  if (sides.merged === sides.ours) return undefined;
  const ending = endingOf(path);
  const pairs = balancePairs(path, sides.ours);
  const broken = pairs.find((pair) => isBroken(pair, sides))?.name;
  if (broken !== undefined) return broken;
  if (/^ya?ml$|^json$/.test(ending))
    return parses(ending, sides) ? brokenScript(ending, sides) : `nesting of ${ending}`;
  if (ending === 'md') {
    const odd = (text: string): number => count(text, fence) % 2;
    const isOdd = odd(sides.merged) === 1 && odd(sides.ours) === 0 && odd(sides.theirs) === 0;
    return isOdd ? 'fences' : undefined;
  }
  return isShell(path, sides.ours) ? brokenHereDocument(sides) : undefined;
}

function brokenHereDocument({ ours, theirs, merged }: BalancedSides): string | undefined {
  const words = new Set([ours, theirs, merged].flatMap((text) => [...hereDocumentWords(text)]));
  const loose = looseHereDocument(merged, words);
  if (loose === undefined) return undefined;
  const isOwn = [ours, theirs].some((text) => looseHereDocument(text, words) !== undefined);
  return isOwn ? undefined : `<<${loose}`;
}

/** What is wrong in a script within YAML that no side has as it is now. */
function brokenScript(ending: string, { ours, theirs, merged }: BalancedSides): string | undefined {
  if (ending === 'json' || merged.length > largestParsed) return undefined;
  const known = [...yamlScripts(ours), ...yamlScripts(theirs)];
  for (const script of yamlScripts(merged)) {
    if (known.includes(script)) continue;
    const open = (pair: BalancePair, text: string): number =>
      count(text, pair.opens) - count(text, pair.closes);
    // What a side has too many of is a limit of this counting.
    const pair = shellPairs.find((one) => {
      const now = open(one, script);
      return now !== 0 && !known.some((text) => open(one, text) === now);
    });
    if (pair !== undefined) return pair.name;
    const loose = looseHereDocument(script, hereDocumentWords(script));
    if (loose !== undefined && !known.some((text) => looseHereDocument(text, new Set()) !== undefined))
      return `<<${loose}`;
  }
  return undefined;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/**
 * What one side has too many of is that side's own, and nearly always a limit of this counting: the merge may have as
 * many as either, or as both changes together make.
 */
function isBroken({ opens, closes }: BalancePair, { base, ours, theirs, merged }: BalancedSides): boolean {
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
  const isWhole = ending === 'json' ? isJson : isWholeYaml;
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
