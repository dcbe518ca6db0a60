// Which fork commits were made from which upstream commits: by trailer, then by author and author date.
import { type History, soundTimes } from '../git/history.ts';
import type { CommitFacts } from './commit-facts.ts';

/** Places of the two commits in their histories. */
export interface ImportPair {
  readonly fork: number;
  readonly upstream: number;
  readonly by: 'trailer' | 'identity';
}

/** A pair with what would be preferred to it by whoever sees it. */
export interface ImportCandidate extends ImportPair {
  /** Upstream places that fit the fork commit better. */
  readonly rivals: readonly number[];
}

/**
 * Pairs by what the commits themselves say. Author e-mail and author date together found every one of 815 imports
 * that carry no trailer; where two upstream commits share them, the more alike subject wins.
 */
export function identifyImports(
  fork: History<CommitFacts>,
  upstream: History<CommitFacts>,
): readonly ImportPair[] {
  return importCandidates(fork, upstream).filter(({ rivals }) => rivals.length === 0);
}

/**
 * All upstream commits that each fork commit may have been made from, the best first. A commit of main and its pick on a
 * stable branch share author and date: which of the two counts hangs on which of them can be seen.
 */
export function importCandidates(
  fork: History<CommitFacts>,
  upstream: History<CommitFacts>,
): readonly ImportCandidate[] {
  const times = soundTimes(upstream);
  const byIdentity = new Map<string, number[]>();
  for (const [index, commit] of upstream.commits.entries()) {
    if (commit.parents.length > 1) continue;
    const list = byIdentity.get(commit.identity);
    if (list === undefined) byIdentity.set(commit.identity, [index]);
    else list.push(index);
  }
  const candidates: ImportCandidate[] = [];
  for (const [index, commit] of fork.commits.entries()) {
    if (commit.parents.length > 1) continue;
    const named = commit.pickedFrom
      .map((sha) => upstream.indexOf.get(sha))
      .filter((found) => found !== undefined)
      .toReversed();
    const ranked = [
      ...new Set([...named, ...closestFirst(commit, byIdentity.get(commit.identity) ?? [], upstream, times)]),
    ];
    // A commit that both histories hold was not imported: it was there before the fork, or came over by a merge.
    if (ranked.some((place) => upstream.commits[place]?.sha === commit.sha)) continue;
    for (const [rank, place] of ranked.entries())
      candidates.push({
        fork: index,
        upstream: place,
        by: rank < named.length ? 'trailer' : 'identity',
        rivals: ranked.slice(0, rank),
      });
  }
  return candidates;
}

function closestFirst(
  commit: CommitFacts,
  candidates: readonly number[],
  upstream: History<CommitFacts>,
  times: Float64Array,
): readonly number[] {
  if (candidates.length < 2) return candidates;
  const facts = (index: number): { readonly score: number; readonly time: number; readonly sha: string } => {
    const other = upstream.commits[index];
    return { score: likeness(commit, other), time: times[index] ?? 0, sha: other?.sha ?? '' };
  };
  return candidates.toSorted((left, right) => {
    const [one, two] = [facts(left), facts(right)];
    return two.score - one.score || one.time - two.time || (one.sha < two.sha ? -1 : 1);
  });
}

/** How many words of two subjects are the same. */
export function likeness(
  commit: Pick<CommitFacts, 'subject'>,
  other: Pick<CommitFacts, 'subject'> | undefined,
): number {
  const words = new Set(commit.subject.split(' '));
  return other === undefined ? 0 : other.subject.split(' ').filter((word) => words.has(word)).length;
}
