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

/**
 * Whether upstream has what it deleted again elsewhere: then the fork's change of it would have to go along. If not, it is
 * gone for both. `theirs` is upstream's text in the words of the fork, `edits` are what upstream changed in it.
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
  return added.some((line) => gone.some((old) => similarity(line, old) >= reworded));
}
