// Skips whose path has changed since: the question is open again.
import type { History, Visible } from '../git/history.ts';
import type { Objects } from '../git/objects.ts';
import type { CommitFacts } from './commit-facts.ts';
import { latin1 } from './decided.ts';
import type { Judge } from './open-judge.ts';
import type { ScanSources } from './scan-sources.ts';

/** Skips whose path has changed since: by upstream commit, what changed it. */
export async function openQuestions(
  { decisions, objects }: ScanSources,
  upstream: History<CommitFacts>,
  fork: History<CommitFacts>,
  judge: Judge,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const decision of decisions.values()) {
    if (decision.decision !== 'skip' || decision.lookAgainWhen === undefined) continue;
    const path = latin1(decision.lookAgainWhen);
    const touched =
      (await firstTouch(
        objects,
        fork,
        decision.seen === undefined ? [] : [decision.seen.fork],
        path,
        async () => true,
      )) ??
      // That a blocked commit touches a file is nothing that may be told.
      (await firstTouch(
        objects,
        upstream,
        decision.seen?.upstream ?? [],
        path,
        async (sha) => (await judge.verdict(sha)).cleared,
      ));
    if (touched !== undefined)
      found.set(decision.upstream, `look again: ${path} was changed by ${touched} since it was skipped`);
  }
  return found;
}

/** The first commit that is not visible from `seen` and changes a path. */
async function firstTouch(
  objects: Objects,
  history: History<CommitFacts>,
  seen: readonly string[],
  path: string,
  mayTell: (sha: string) => Promise<boolean>,
): Promise<string | undefined> {
  const old: readonly Visible[] = seen.map((tip) => history.visibleFrom(tip));
  for (const [index, { sha, parents }] of history.commits.entries()) {
    if (parents.length > 1 || old.some((visible) => visible[index] === 1)) continue;
    const [parent] = parents;
    if (parent === undefined) continue;
    const [before, after] = await Promise.all(
      [parent, sha].map(async (one) => {
        const commit = await objects.commitIfHere(one);
        return commit === undefined ? undefined : objects.entry(commit.tree, path);
      }),
    );
    if (before?.sha !== after?.sha && (await mayTell(sha))) return sha;
  }
  return undefined;
}
