// Changes of upstream's that a merge settled by leaving them out: which of them the fork has truly no place for.
import { diffSequences, type Sequence } from '../merge/diff-sequences.ts';
import type { OpenHunk } from '../merge/merge-lines.ts';
import type { Alignment } from '../rewrite/align.ts';
import type { LineStore } from '../rewrite/line-store.ts';
import { similarity } from '../rewrite/similarity.ts';
import { tokenize } from '../rewrite/tokens.ts';

/** Above this a line of the fork is upstream's line in other words. */
const reworded = 0.6;
/** Below this a new line is no other version of one that was there. */
const littleAlike = 0.45;
const mostLines = 4000;

/**
 * The hunks whose change is lost, though the fork deleted the lines: upstream adds what was not there, or the fork has
 * the line in other words.
 */
export function lostChanges(
  store: LineStore,
  hunks: readonly OpenHunk[],
  fork: { readonly lines: Sequence; readonly alignment: Alignment },
): readonly OpenHunk[] {
  if (hunks.length === 0) return [];
  const matched = new Set([...fork.alignment.exact].filter((line) => line >= 0));
  const own = Array.from(fork.lines)
    .filter((_, index) => !matched.has(index))
    .slice(0, mostLines)
    .map((id) => tokenize(store.line(id).trim()))
    .filter((tokens) => tokens.length > 1);
  return hunks.filter((hunk) => !isSettled(store, hunk, own));
}

function isSettled(store: LineStore, hunk: OpenHunk, own: readonly (readonly string[])[]): boolean {
  const tokens = (ids: readonly number[]): readonly (readonly string[])[] =>
    ids.map((id) => tokenize(store.line(id).trim())).filter((line) => line.length > 1);
  return diffSequences(Int32Array.from(hunk.base), Int32Array.from(hunk.theirs)).every((edit) => {
    const old = tokens(hunk.base.slice(edit.aStart, edit.aEnd));
    const now = tokens(hunk.theirs.slice(edit.bStart, edit.bEnd));
    const isVersion = now.every((line) => old.some((other) => similarity(line, other) >= littleAlike));
    return isVersion && old.every((line) => own.every((other) => similarity(line, other) < reworded));
  });
}
