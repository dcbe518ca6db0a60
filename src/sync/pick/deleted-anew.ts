// What upstream deleted although the fork had changed it: is it gone for good, or has upstream it elsewhere now?
import type { Edit, Sequence } from '../merge/diff-sequences.ts';
import type { LinesMerged } from '../merge/merge-lines.ts';
import type { LineStore } from '../rewrite/line-store.ts';
import { similarity } from '../rewrite/similarity.ts';
import { tokenize } from '../rewrite/tokens.ts';
import type { SignName } from './sign.ts';

/** Above this a line is another one in other words. */
const reworded = 0.6;

/**
 * What upstream deleted and the fork had changed is gone for both, unless upstream has it again elsewhere: then the fork's
 * change of it would have to go along.
 */
export function deletedAnew(
  store: LineStore,
  how: LinesMerged['settled'][number],
  base: Sequence,
  theirs: Sequence,
  edits: readonly Edit[],
): SignName {
  if (how !== 'upstream-deleted') return how;
  const telling = (ids: Sequence): readonly (readonly string[])[] =>
    Array.from(ids, (id) => store.line(id).trim()).flatMap((line) =>
      /\w{3}/.test(line) ? [tokenize(line)] : [],
    );
  const gone = edits.flatMap((edit) => telling(base.subarray(edit.aStart, edit.aEnd)));
  const added = edits.flatMap((edit) => telling(theirs.subarray(edit.bStart, edit.bEnd)));
  const isElsewhere = added.some((line) => gone.some((other) => similarity(line, other) >= reworded));
  return isElsewhere ? how : 'deleted-whole';
}
