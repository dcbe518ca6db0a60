// Which line of the fork's copy is which line of upstream's: equal once folded, or else alike in the same place.
import { diffSequences, type Sequence } from '../merge/diff-sequences.ts';
import type { FoldKind, LineStore } from './line-store.ts';
import { mostSimilar, similarity } from './similarity.ts';
import { tokenize } from './tokens.ts';

export interface Alignment {
  /** Fork line of each upstream line that is equal once folded; -1 for the others. */
  readonly exact: Int32Array;
  /** Fork line of upstream lines that are only alike. */
  readonly alike: ReadonlyMap<number, number>;
}

const largestBlock = 400;

/** Aligns an upstream text with the fork's copy of it. */
export function alignLines(store: LineStore, upstream: Sequence, fork: Sequence, kind: FoldKind): Alignment {
  const upstreamKeys = store.fold(upstream, kind);
  const forkKeys = store.fold(fork, kind);
  const exact = new Int32Array(upstream.length).fill(-1);
  const alike = new Map<number, number>();
  let i = 0;
  let j = 0;
  const edits = diffSequences(upstreamKeys, forkKeys, { anchors: true });
  for (const edit of edits) {
    for (; i < edit.aStart; i += 1, j += 1) exact[i] = j;
    if (edit.aEnd - edit.aStart < largestBlock && edit.bEnd - edit.bStart < largestBlock) {
      const pairs = pairAlike(
        store,
        Array.from(upstreamKeys.subarray(edit.aStart, edit.aEnd)),
        Array.from(forkKeys.subarray(edit.bStart, edit.bEnd)),
      );
      for (const [left, right] of pairs) alike.set(edit.aStart + left, edit.bStart + right);
    }
    i = edit.aEnd;
    j = edit.bEnd;
  }
  for (; i < upstream.length; i += 1, j += 1) exact[i] = j;
  return { exact, alike };
}

/**
 * Pairs lines of two replaced blocks (numbers of folded lines): by place where the blocks are equally long, else the
 * most alike first, never crossing.
 */
export function pairAlike(
  store: LineStore,
  left: readonly number[],
  right: readonly number[],
): readonly (readonly [number, number])[] {
  if (left.length === 0 || right.length === 0) return [];
  const tokens = (key: number): readonly string[] => tokenize(store.line(key));
  if (left.length === right.length) {
    const byPlace = left.flatMap((key, index): (readonly [number, number])[] =>
      alikeness(tokens(key), tokens(right[index] ?? 0), 0.6) > 0.6 ? [[index, index]] : [],
    );
    if (byPlace.length > 0) return byPlace;
  }
  if (left.length * right.length > 900) return [];
  const rightTokens = right.map(tokens);
  const candidates: { readonly score: number; readonly i: number; readonly j: number }[] = [];
  for (const [i, key] of left.entries()) {
    const leftTokens = tokens(key);
    for (const [j, others] of rightTokens.entries()) {
      const score = alikeness(leftTokens, others, 0.7);
      if (score > 0.7) candidates.push({ score, i, j });
    }
  }
  candidates.sort((one, two) => two.score - one.score || one.i - two.i || one.j - two.j);
  const chosen: { readonly i: number; readonly j: number }[] = [];
  for (const { i, j } of candidates)
    if (chosen.every((other) => (i < other.i && j < other.j) || (i > other.i && j > other.j)))
      chosen.push({ i, j });
  return chosen.map(({ i, j }) => [i, j] as const).sort((one, two) => one[0] - two[0]);
}

/** How alike two lines are; 0 where they cannot be more alike than `least`. */
function alikeness(left: readonly string[], right: readonly string[], least: number): number {
  if (left.length > 200 || right.length > 200) return 0;
  const long = Math.max(left.length, right.length);
  // The score cannot pass the threshold when one line is less than half the other.
  if (long > 6 && Math.min(left.length, right.length) * 3 < long) return 0;
  if (mostSimilar(left, right) <= least) return 0;
  return similarity(left, right);
}
