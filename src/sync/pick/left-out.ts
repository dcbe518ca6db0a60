// What came with upstream commits that a rule leaves out: the fork never gets those files and lines, and what changes
// them later has no place there.
import { diffSequences } from '../merge/diff-sequences.ts';
import type { OpenHunk } from '../merge/merge-lines.ts';
import { skipRuleOf } from '../scan/skip-rule-of.ts';
import type { PickView } from './pick-view.ts';

export interface LeftOut {
  readonly sha: string;
  readonly rule: string;
}

/** The commit that made a file, where a rule leaves it out. */
export async function leftOutMaker(view: PickView, path: string): Promise<LeftOut | undefined> {
  const { upstream, upstreamMoves } = view.shop;
  const visible = upstream.visibleFrom(view.upstreamBefore?.sha ?? '');
  const made = upstreamMoves
    .changes(upstreamMoves.origin(path, visible))
    .findLast((touch) => visible[touch.index] === 1 && touch.before === undefined);
  return made === undefined ? undefined : leftOutBy(view, made.index);
}

/**
 * The commit that brought the lines of hunks, where it did nothing but add them and a rule leaves it out. Undefined
 * where one hunk has other lines, adds something beside them, or where the fork has one of them.
 */
export async function leftOutLines(
  view: PickView,
  from: string,
  hunks: readonly OpenHunk[],
): Promise<LeftOut | undefined> {
  const { upstream, upstreamMoves, brand, store, objects } = view.shop;
  const kind = from.endsWith('.go') ? 'go' : 'text';
  // The hunks are in the fork's words, the commits in upstream's: folded lines are the same on both sides.
  const fold = (id: number): string => brand.foldLine(store.line(id), kind);
  const telling = (ids: ArrayLike<number>): readonly string[] =>
    Array.from(ids, fold).filter((line) => line.trim().length > 3);
  const visible = upstream.visibleFrom(view.upstreamBefore?.sha ?? '');
  const brought = new Set<string>();
  let by: LeftOut | undefined;
  for (const { index, before, after } of upstreamMoves.changes(from)) {
    if (visible[index] !== 1 || after === undefined) continue;
    const leftOut = await leftOutBy(view, index);
    if (leftOut === undefined) continue;
    by = leftOut;
    const [old, now] = await Promise.all(
      [before, after].map(async (blob) => store.split(blob === undefined ? '' : await objects.text(blob))),
    );
    if (old === undefined || now === undefined) continue;
    for (const edit of diffSequences(old, now))
      if (edit.aStart === edit.aEnd)
        for (const line of telling(now.subarray(edit.bStart, edit.bEnd))) brought.add(line);
  }
  const isLeftOut = ({ base, ours, theirs }: OpenHunk): boolean => {
    const lines = telling(base);
    const kept = new Set(telling(ours));
    const edits = diffSequences(Int32Array.from(base), Int32Array.from(theirs));
    return (
      lines.length > 0 &&
      lines.every((line) => brought.has(line) && !kept.has(line)) &&
      edits.every((edit) => edit.aEnd > edit.aStart || (edit.aStart > 0 && edit.aEnd < base.length))
    );
  };
  return hunks.every(isLeftOut) ? by : undefined;
}

async function leftOutBy(view: PickView, index: number): Promise<LeftOut | undefined> {
  const { upstream, fork, memory, pack, objects, closed } = view.shop;
  const sha = upstream.commits[index]?.sha;
  if (sha === undefined || closed.has(sha)) return undefined;
  const imported = memory.importedUpstream(
    fork.visibleFrom(view.onto.sha),
    upstream.visibleFrom(view.upstream.sha),
  );
  if (imported.has(index)) return undefined;
  const rule = await skipRuleOf(pack, objects, await objects.commit(sha));
  return rule === undefined ? undefined : { sha, rule: rule.id };
}
