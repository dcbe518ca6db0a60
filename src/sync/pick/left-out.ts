// What came with upstream commits that a rule leaves out: the fork never gets those files and lines, and what changes
// them later has no place there. What came with others that it does not have may come yet.
import { diffSequences, type Edit, type Sequence } from '../merge/diff-sequences.ts';
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
  if (made === undefined || importedBy(view).has(made.index)) return undefined;
  return leftOutBy(view, made.index);
}

/** Lines of a file, folded, that commits brought which the fork does not have. */
export interface Absent {
  /** Added by a commit that a rule leaves out, or made of such lines since. */
  readonly leftOut: ReadonlySet<string>;
  /** Brought by commits that may come over yet. */
  readonly toCome: ReadonlySet<string>;
  /** The last commit that a rule leaves out and that added lines. */
  readonly by: LeftOut | undefined;
}

/** Reads the history of an upstream file as far as the fork does not have it. */
export async function findAbsent(view: PickView, from: string): Promise<Absent> {
  const { upstream, upstreamMoves, store, objects, closed } = view.shop;
  const visible = upstream.visibleFrom(view.upstreamBefore?.sha ?? '');
  const imported = importedBy(view);
  const leftOut = new Set<string>();
  const toCome = new Set<string>();
  let by: LeftOut | undefined;
  for (const { index, before, after } of upstreamMoves.changes(from)) {
    const sha = upstream.commits[index]?.sha ?? '';
    if (visible[index] !== 1 || after === undefined || imported.has(index) || closed.has(sha)) continue;
    const rule = await leftOutBy(view, index);
    const old = store.split(before === undefined ? '' : await objects.text(before));
    const now = store.split(await objects.text(after));
    const known = new Set(telling(view, from, old));
    for (const edit of diffSequences(old, now)) {
      const lines = telling(view, from, now.subarray(edit.bStart, edit.bEnd)).filter(
        (line) => !known.has(line),
      );
      const isAddition = edit.aStart === edit.aEnd;
      if (rule !== undefined) {
        if (!isAddition) continue;
        by = rule;
        for (const line of lines) leftOut.add(line);
      } else {
        const into = touched(view, from, old, edit).every((line) => leftOut.has(line)) ? leftOut : toCome;
        for (const line of lines) into.add(line);
      }
    }
  }
  return { leftOut, toCome, by };
}

/** The lines that an edit replaces, or those on both sides of what it adds; one that nothing can be, if there are none. */
function touched(view: PickView, from: string, old: Sequence, edit: Edit): readonly string[] {
  const replaced = telling(view, from, old.subarray(edit.aStart, edit.aEnd));
  if (replaced.length > 0) return replaced;
  const above = telling(view, from, old.subarray(0, edit.aStart)).slice(-1);
  const below = telling(view, from, old.subarray(edit.aEnd)).slice(0, 1);
  return above.length === 0 || below.length === 0 ? [''] : [...above, ...below];
}

/** Whether lines of hunks may come over yet: then the fork did not delete them. */
export function isStillToCome(
  view: PickView,
  from: string,
  { toCome, leftOut }: Absent,
  hunks: readonly OpenHunk[],
): boolean {
  return hunks.some(({ base }) =>
    telling(view, from, base).some((line) => toCome.has(line) && !leftOut.has(line)),
  );
}

/** Whether all hunks change nothing but lines that are left out, and of which the fork has none. */
export function isLeftOut(
  view: PickView,
  from: string,
  { leftOut }: Absent,
  hunks: readonly OpenHunk[],
): boolean {
  return hunks.every(({ base, ours, theirs }) => {
    const lines = telling(view, from, base);
    const kept = new Set(telling(view, from, ours));
    const edits = diffSequences(Int32Array.from(base), Int32Array.from(theirs));
    return (
      lines.length > 0 &&
      lines.every((line) => leftOut.has(line) && !kept.has(line)) &&
      edits.every((edit) => edit.aEnd > edit.aStart || (edit.aStart > 0 && edit.aEnd < base.length))
    );
  });
}

/** Lines with enough in them, folded: hunks are in the fork's words, the commits in upstream's. */
function telling(view: PickView, from: string, ids: ArrayLike<number>): readonly string[] {
  const { brand, store } = view.shop;
  const kind = from.endsWith('.go') ? 'go' : 'text';
  return Array.from(ids, (id) => brand.foldLine(store.line(id), kind)).filter(
    (line) => line.trim().length > 3,
  );
}

function importedBy(view: PickView): ReadonlySet<number> {
  const { upstream, fork, memory } = view.shop;
  return memory.importedUpstream(fork.visibleFrom(view.onto.sha), upstream.visibleFrom(view.upstream.sha));
}

async function leftOutBy(view: PickView, index: number): Promise<LeftOut | undefined> {
  const { upstream, pack, objects, closed } = view.shop;
  const sha = upstream.commits[index]?.sha;
  if (sha === undefined || closed.has(sha)) return undefined;
  const rule = await skipRuleOf(pack, objects, await objects.commit(sha));
  return rule === undefined ? undefined : { sha, rule: rule.id };
}
