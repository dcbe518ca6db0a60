// Puts upstream's commits into the groups in which they came in: one pull request, one merge.
import type { History } from '../git/history.ts';
import type { CommitFacts } from './commit-facts.ts';

export interface MergeGroup {
  readonly merge: string | undefined;
  readonly title: string;
  /** Places in the history, in its order. */
  readonly commits: readonly number[];
}

/** Groups in the order in which they came in. A commit on several branches belongs to the first that merged it. */
export function groupByMerge(upstream: History<CommitFacts>, tips: readonly string[]): readonly MergeGroup[] {
  const { commits, indexOf } = upstream;
  const taken = new Uint8Array(commits.length);
  const groups: { readonly at: number; readonly group: MergeGroup }[] = [];
  for (const tip of tips) {
    const chain: number[] = [];
    for (let at = indexOf.get(tip); at !== undefined && taken[at] !== 1; ) {
      chain.push(at);
      at = indexOf.get(commits[at]?.parents[0] ?? '');
    }
    // Marked first: what a branch merged back is a part of the branch, not of that merge.
    for (const at of chain) taken[at] = 1;
    for (const at of chain.reverse()) {
      const commit = commits[at];
      if (commit === undefined) continue;
      if (commit.parents.length < 2) {
        groups.push({ at, group: { merge: undefined, title: commit.subject, commits: [at] } });
        continue;
      }
      const merged = collect(upstream, commit.parents.slice(1), taken);
      if (merged.length > 0)
        groups.push({ at, group: { merge: commit.sha, title: commit.subject, commits: merged } });
    }
  }
  return groups.toSorted((left, right) => left.at - right.at).map(({ group }) => group);
}

/** Commits that are reached from here and belong to no group yet; merges are followed, not listed. */
function collect(
  upstream: History<CommitFacts>,
  from: readonly string[],
  taken: Uint8Array,
): readonly number[] {
  const found: number[] = [];
  const stack = [...from];
  for (let sha = stack.pop(); sha !== undefined; sha = stack.pop()) {
    const at = upstream.indexOf.get(sha);
    const commit = at === undefined ? undefined : upstream.commits[at];
    if (at === undefined || commit === undefined || taken[at] === 1) continue;
    taken[at] = 1;
    if (commit.parents.length < 2) found.push(at);
    stack.push(...commit.parents);
  }
  return found.sort((left, right) => left - right);
}
