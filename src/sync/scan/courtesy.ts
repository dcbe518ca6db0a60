// Fork commits that upstream picked, for whoever wants to thank or be thanked.
import type { History } from '../git/history.ts';
import type { CommitFacts } from './commit-facts.ts';
import type { Known } from './recognise.ts';
import type { Courtesy } from './scan-result.ts';

const day = 86_400;

/** Fork commits that upstream picked, in the order in which upstream did. */
export function courtesyOf(
  upstream: History<CommitFacts>,
  known: ReadonlyMap<string, Known>,
  fork: History<CommitFacts>,
  branchOf: (index: number) => string,
): readonly Courtesy[] {
  const earlier = new Map<string, string[]>();
  const list: Courtesy[] = [];
  for (const [index, theirs] of upstream.commits.entries()) {
    const found = known.get(theirs.sha);
    if (found?.by !== 'upstream-trailer') continue;
    const { fork: sha } = found;
    const ours = fork.commits[fork.indexOf.get(sha) ?? -1];
    if (ours === undefined) continue;
    // The same pick on two branches is no duplicate: branches are mended one by one.
    const branch = branchOf(index);
    const key = `${branch}\0${sha}`;
    const before = earlier.get(key) ?? [];
    list.push({
      fork: sha,
      subject: ours.subject,
      upstream: theirs.sha,
      branch,
      lagDays: Math.max(0, Math.round((theirs.committer.time - ours.committer.time) / day)),
      duplicates: [...before],
    });
    earlier.set(key, [...before, theirs.sha]);
  }
  return list;
}
