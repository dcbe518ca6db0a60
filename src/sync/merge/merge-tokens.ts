// Three-way merge within a line or a few lines: both sides may change it as long as they change other words.
import { type Replacement, replacements } from '../rewrite/similarity.ts';
import { tokenizeQuoted } from '../rewrite/tokens.ts';
import type { Edit } from './diff-sequences.ts';
import { combineEdits } from './merge-edits.ts';

const longestText = 6000;

/** The merged text, or undefined where both sides changed the same word. */
export function mergeTokens(base: string, ours: string, theirs: string): string | undefined {
  if (base === ours) return theirs;
  if (base === theirs || ours === theirs) return ours;
  if (Math.max(base.length, ours.length, theirs.length) > longestText) return undefined;
  const baseTokens = tokenizeQuoted(base);
  const ourTokens = tokenizeQuoted(ours);
  const theirTokens = tokenizeQuoted(theirs);
  const combined = combineEdits(
    baseTokens,
    changed(replacements(baseTokens, ourTokens)),
    ourTokens,
    changed(replacements(baseTokens, theirTokens)),
    theirTokens,
  );
  return combined?.result.join('');
}

function changed(parts: readonly Replacement[]): readonly Edit[] {
  return parts.filter((part) => part.kind === 'replace');
}
