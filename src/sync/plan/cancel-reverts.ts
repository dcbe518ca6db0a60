// Finds commits that upstream took back itself: where the fork has neither half, nobody has to look at them.
import type { History } from '../git/history.ts';
import type { CommitFacts } from '../scan/commit-facts.ts';

export interface RevertPair {
  readonly reverted: string;
  readonly revert: string;
}

const revertSubject = /^Revert "(.*)"$/;

/**
 * Pairs among the open commits, newest revert first, so that a reverted revert leaves the first commit open. A half
 * that is not open (in the fork, skipped, blocked) leaves the other as it is.
 */
export function cancelReverts(
  upstream: History<CommitFacts>,
  isOpen: (index: number) => boolean,
): readonly RevertPair[] {
  const { commits, indexOf } = upstream;
  const gone = new Set<number>();
  const pairs: RevertPair[] = [];
  const bySubject = new Map<string, number[]>();
  for (const [index, { subject, parents }] of commits.entries()) {
    if (parents.length > 1) continue;
    const list = bySubject.get(subject);
    if (list === undefined) bySubject.set(subject, [index]);
    else list.push(index);
  }
  for (let index = commits.length - 1; index >= 0; index -= 1) {
    const commit = commits[index];
    if (commit === undefined || commit.parents.length > 1 || !isOpen(index) || gone.has(index)) continue;
    const named = commit.reverts.map((sha) => indexOf.get(sha)).filter((found) => found !== undefined);
    // More than one named: a revert of several at once is looked at by people.
    if (commit.reverts.length > 1) continue;
    const quoted = revertSubject.exec(commit.subject)?.[1];
    const target =
      named[0] ??
      (quoted === undefined ? undefined : bySubject.get(quoted)?.findLast((found) => found < index));
    if (target === undefined) continue;
    const own = onSameBranch(upstream, index, target, bySubject);
    if (own >= index || !isOpen(own) || gone.has(own)) continue;
    const reverted = commits[own];
    if (reverted === undefined || reverted.parents.length > 1) continue;
    gone.add(index).add(own);
    pairs.push({ reverted: reverted.sha, revert: commit.sha });
  }
  return pairs.reverse();
}

/**
 * A backport of a revert names the commit of the branch that it came from: what it takes back is that one's backport, by
 * subject, author and date, on its own branch.
 */
function onSameBranch(
  { commits, visibleFrom }: History<CommitFacts>,
  revert: number,
  target: number,
  bySubject: ReadonlyMap<string, readonly number[]>,
): number {
  const named = commits[target];
  const visible = visibleFrom(commits[revert]?.sha ?? '');
  if (named === undefined || visible[target] === 1) return target;
  const twin = bySubject
    .get(named.subject)
    ?.findLast((index) => visible[index] === 1 && commits[index]?.identity === named.identity);
  return twin ?? target;
}
