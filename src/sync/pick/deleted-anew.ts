// What upstream deleted although the fork had changed it: is it gone for good, or has upstream it elsewhere now?
import type { Edit, Sequence } from '../merge/diff-sequences.ts';
import type { OpenHunk } from '../merge/merge-lines.ts';
import type { LineStore } from '../rewrite/line-store.ts';
import { similarity } from '../rewrite/similarity.ts';
import { tokenize } from '../rewrite/tokens.ts';

/** Shorter lines (`if err != nil {`) are in every file. */
const fewestLetters = 20;
/** Above this a line is another one in other words. */
const reworded = 0.5;
/** Pairs of tokens that are laid side by side; a file that was written anew has no end of them. */
const mostWork = 20_000_000;

/**
 * Whether upstream has what it deleted again elsewhere: then the fork's change of it would have to go along. If not, it is
 * gone for both. Where too much was exchanged to tell, it counts as there, for a person to look at. `theirs` is upstream's text in the words of the fork, `edits` are what upstream changed in it.
 */
export function isDeletedAnew(
  store: LineStore,
  hunks: readonly OpenHunk[],
  theirs: Sequence,
  edits: readonly Edit[],
): boolean {
  if (hunks.length === 0) return false;
  const telling = (ids: ArrayLike<number>): readonly (readonly string[])[] =>
    Array.from(ids, (id) => store.line(id).trim()).flatMap((line) =>
      line.length >= fewestLetters ? [tokenize(line)] : [],
    );
  const gone = hunks.flatMap(({ base }) => telling(base));
  const added = edits.flatMap((edit) => telling(theirs.subarray(edit.bStart, edit.bEnd)));
  const weights = new Map([...gone, ...added].map((line) => [line, weightOf(line)]));
  let work = 0;
  for (const line of added)
    for (const old of gone) {
      const [one, two] = [weights.get(line) ?? 0, weights.get(old) ?? 0];
      // No more can be common than the shorter one has.
      if ((2 * Math.min(one, two)) / (one + two) < reworded) continue;
      work += line.length * old.length;
      if (work > mostWork || similarity(line, old) >= reworded) return true;
    }
  return false;
}

function weightOf(tokens: readonly string[]): number {
  return tokens.reduce((sum, token) => sum + token.length, 0);
}
