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
  const ourEdits = changed(replacements(baseTokens, ourTokens));
  const theirEdits = changed(replacements(baseTokens, theirTokens));
  if (bothSaid(baseTokens, ourEdits, ourTokens, theirEdits, theirTokens)) return undefined;
  return combineEdits(baseTokens, ourEdits, ourTokens, theirEdits, theirTokens)?.result.join('');
}

/**
 * Both brought words into one place, or the same words and went on otherwise: two answers to one question, not two
 * changes.
 */
function bothSaid(
  base: readonly string[],
  ours: readonly Edit[],
  ourTokens: readonly string[],
  theirs: readonly Edit[],
  theirTokens: readonly string[],
): boolean {
  const made = (edit: Edit, tokens: readonly string[]): string =>
    tokens.slice(edit.bStart, edit.bEnd).join('');
  const hasWords = (text: string): boolean => /\w/.test(text);
  const isNew = (edit: Edit): boolean => !hasWords(base.slice(edit.aStart, edit.aEnd).join(''));
  let same = 0;
  for (const own of ours) {
    const here = made(own, ourTokens);
    for (const other of theirs) {
      const there = made(other, theirTokens);
      if (!hasWords(here) || !hasWords(there)) continue;
      // Where words go in beside a blank, it is by chance on which side of it they are found.
      if (other.aStart > own.aEnd + 1 || own.aStart > other.aEnd + 1) continue;
      if (here === there && own.aStart === other.aStart && own.aEnd === other.aEnd) same += 1;
      else if ((isNew(own) && isNew(other)) || here.includes(there.trim()) || there.includes(here.trim()))
        return true;
    }
  }
  return same > 0 && same < ours.length && same < theirs.length;
}

function changed(parts: readonly Replacement[]): readonly Edit[] {
  return parts.filter((part) => part.kind === 'replace');
}
