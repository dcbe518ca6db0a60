// Makes the plan of a run: which pending commits come over, in which order, and what is parked with what.
import type { History } from '../git/history.ts';
import type { Engine } from '../pick/open-engine.ts';
import type { CommitFacts } from '../scan/commit-facts.ts';
import type { OpenScan } from '../scan/scan-repositories.ts';
import type { ScannedCommit } from '../scan/scan-result.ts';
import { cancelReverts } from './cancel-reverts.ts';
import { type OpenGroup, pickGroups } from './pick-groups.ts';
import type { RunPlan } from './run-plan.ts';

export interface PlanOptions {
  /**
   * Most picks of a run. A pull request that does not fit into what is left waits for the next run, and those behind it
   * that fit and do not build on it are taken; one that no run could hold is split where it is the first.
   */
  readonly limit: number;
}

/** A function of the two histories, the rules and the decisions: two runs on the same input make the same plan. */
export async function makePlan(engine: Engine, open: OpenScan, options: PlanOptions): Promise<RunPlan> {
  const { scan, upstream } = open;
  const states = new Map(scan.commits.map((commit) => [commit.sha, commit]));
  const at = (index: number): ScannedCommit | undefined => states.get(upstream.commits[index]?.sha ?? '');
  const isOpen = (index: number): boolean => at(index)?.state === 'pending' || at(index)?.state === 'parked';
  const pairs = cancelReverts(upstream, isOpen);
  const cancelled = new Set(pairs.flatMap((pair) => [pair.reverted, pair.revert]));
  const groups = open.groups.flatMap((group): readonly OpenGroup[] => {
    const all = group.commits.flatMap((index) => at(index) ?? []).filter(({ sha }) => !cancelled.has(sha));
    const commits = all.filter(({ state }) => state === 'pending' || state === 'parked');
    // What a rule leaves out was cleared before: its files may be read.
    const leftOut = all.filter(({ state, by }) => state === 'skipped' && by === 'rule');
    return commits.length === 0
      ? []
      : [{ merge: group.merge, title: titleOf(group.title, commits), commits, leftOut }];
  });
  const picked = await pickGroups({
    engine,
    fork: scan.fork,
    imported: scan.commits.flatMap(({ sha, state }) => (state === 'imported' ? [sha] : [])),
    groups,
    // Where that one and its revert are both left, this one comes for itself.
    twins: new Map(
      scan.commits.flatMap((one) =>
        one.by === 'twin-pending' && one.via !== undefined && !cancelled.has(one.via)
          ? [[one.sha, one.via] as const]
          : [],
      ),
    ),
    limit: options.limit,
    behind: (sha) => behind(upstream, sha),
  });
  return {
    version: 1,
    pack: scan.pack,
    upstream: scan.upstream,
    fork: scan.fork,
    limit: options.limit,
    ...picked,
    cancelled: pairs.map(({ reverted, revert }) => ({
      upstream: reverted,
      revertedBy: revert,
      subject: states.get(reverted)?.subject ?? '',
    })),
  };
}

/** Which commits are in the history of one. */
function behind(upstream: History<CommitFacts>, sha: string): (other: string) => boolean {
  const visible = upstream.visibleFrom(sha);
  return (other) => visible[upstream.indexOf.get(other) ?? -1] === 1;
}

/** Merges say "Merge pull request #1 from …": the subjects of what they bring say more. */
function titleOf(title: string, commits: readonly ScannedCommit[]): string {
  const [first] = commits;
  const number = /\bpull request #(\d+)/.exec(title)?.[1];
  return number === undefined || first === undefined ? title : `${number}: ${first.subject}`;
}
