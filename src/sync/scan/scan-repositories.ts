// Says of every upstream commit since the fork point where it stands, from the two repositories and people's decisions.
import { inTurn } from '../../core/in-turn.ts';
import type { Verdict } from '../gate/licence-gate.ts';
import { type History, openWholeHistories } from '../git/history.ts';
import type { CommitFacts } from './commit-facts.ts';
import { openFacts } from './commit-facts-cache.ts';
import { courtesyOf } from './courtesy.ts';
import { decided } from './decided.ts';
import { openPatches } from './find-same-patch.ts';
import { openTwins } from './find-twins.ts';
import { groupByMerge, type MergeGroup } from './group-by-merge.ts';
import { parkIncomplete } from './incomplete.ts';
import { openJudge } from './open-judge.ts';
import { openQuestions } from './open-questions.ts';
import { openSkips } from './open-skips.ts';
import { type Known, keptInFork, knownReasons, openSharedSubjects, recognise } from './recognise.ts';
import type { Scan, ScannedCommit, ScanTip } from './scan-result.ts';
import type { ScanSources } from './scan-sources.ts';
import { loadSharedHistory, type SharedHistory } from './shared-history.ts';

export interface ScanRequest {
  readonly upstream: readonly ScanTip[];
  /** Further tips of upstream: nothing is taken from them, but a commit may be recognised by its twin on one. */
  readonly upstreamBranches: readonly string[];
  readonly fork: string;
  /** Further tips of the fork in which its own work may stand. */
  readonly forkBranches: readonly string[];
}

/** The histories beside the result: a plan goes on from here. */
export interface OpenScan {
  readonly scan: Scan;
  readonly upstream: History<CommitFacts>;
  readonly fork: History<CommitFacts>;
  readonly shared: SharedHistory;
  /** Upstream's pull requests. */
  readonly groups: readonly MergeGroup[];
}

const atOnce = 64;

/** Scans. The same repositories, rules and decisions give the same result, with or without the cache. */
export async function scanRepositories(sources: ScanSources, request: ScanRequest): Promise<OpenScan> {
  const { pack, decisions } = sources;
  const facts = openFacts(sources);
  const load = openWholeHistories(facts.read, pack.info.forkPoint, pack.info.forkPointTime);
  const tips = request.upstream.map((tip) => tip.sha);
  const [upstream, fork] = await Promise.all([load(tips), load([request.fork])]);
  // Nearly all of both is in the branches that are known now.
  const [upstreamAll, forkAll] = await Promise.all([
    load(request.upstreamBranches, upstream),
    load(request.forkBranches, fork),
  ]);
  const shared = await loadSharedHistory(sources, facts.read);
  const histories = {
    upstream: upstreamAll,
    upstreamTips: [...tips, ...request.upstreamBranches],
    fork,
    forkAll,
    shared,
  };
  const known = await recognise(histories, pack.info.subjectPrefix);
  facts.save();
  const branches = openBranches(sources, request, upstream);
  const groups = groupByMerge(upstream, tips);
  const judge = await openJudge(sources);
  const skips = openSkips(sources, upstream, groups);
  const patches = openPatches(sources, fork, new Set([...known.values()].map((one) => one.fork)));
  const before = openSharedSubjects(histories);
  const kept = keptInFork(histories, known);
  // What takes reading is found out many commits at a time; what follows takes them in their order.
  const unknown = upstream.commits.flatMap((commit, index) =>
    commit.parents.length > 1 || known.has(commit.sha) || !branches.isListed(index) ? [] : [commit.sha],
  );
  await patches.indexFork();
  // All that is asked of a commit is asked together: its trees and files are read once.
  await inTurn(unknown, atOnce, async (sha) => {
    if (!(await judge.verdict(sha)).cleared) return;
    await patches.look(sha);
    await skips.ruleOf(sha);
  });
  await patches.lookAtFork();
  const again = await openQuestions(sources, upstream, fork, judge);

  /** Why rules skip commits: a commit that takes back such a one has nothing to take back in the fork. */
  const skippedByRule = new Map<string, string>();
  const stateOf = async (sha: string, index: number): Promise<Standing> => {
    const found = known.get(sha);
    if (found !== undefined) return { ...found, reason: knownReasons[found.by] };
    const verdict: Verdict = branches.isListed(index)
      ? await judge.verdict(sha)
      : { cleared: false, reason: 'its branch is not one that commits are taken from' };
    if (verdict.cleared) {
      // "Release LXD 6.8" changes what "Release Incus 6.8" changed, and is no more than its number.
      const same = (await skips.isNever(sha)) ? undefined : await patches.sameInFork(sha);
      if (same !== undefined)
        return {
          state: 'equivalent',
          by: 'same-change',
          reason: 'a fork commit makes the same change',
          fork: same,
        };
      const shared = await patches.sameAmong(sha, await before(sha));
      if (shared !== undefined)
        return {
          state: 'shared',
          by: 'shared-change',
          reason: knownReasons['shared-change'],
          fork: shared,
        };
    }
    const decision = decisions.get(sha);
    const open = decision === undefined ? undefined : again.get(sha);
    if (decision !== undefined && decision.decision !== 'alone' && open === undefined)
      return { ...decided(decision), ...(verdict.cleared ? { evidence: verdict.evidence } : {}) };
    if (!verdict.cleared) return { state: 'blocked', by: 'licence', reason: verdict.reason };
    const reverted = kept(sha);
    if (reverted !== undefined)
      return {
        state: 'skipped',
        by: 'kept',
        reason: 'takes back, on its own branch, what the fork has not from there',
        via: reverted,
        ...forkOf(known.get(reverted)),
      };
    const rule = await skips.ruleOf(sha);
    if (rule !== undefined)
      return { state: 'skipped', by: 'rule', reason: `rule ${rule.id}: ${rule.description}` };
    const [takenBack, ...more] = upstream.commits[index]?.reverts ?? [];
    const why = takenBack === undefined || more.length > 0 ? undefined : skippedByRule.get(takenBack);
    if (takenBack !== undefined && why !== undefined)
      return {
        state: 'skipped',
        by: 'rule',
        reason: `takes back what is left out by ${why}`,
        via: takenBack,
      };
    return {
      state: 'pending',
      by: 'nothing',
      reason: open ?? 'nothing is known of it in the fork',
      evidence: [`branch ${branches.nameOf(index)}`, ...verdict.evidence],
    };
  };

  const alone: ScannedCommit[] = [];
  for (const [index, { sha, subject, parents }] of upstream.commits.entries()) {
    if (parents.length > 1) continue;
    const standing = await stateOf(sha, index);
    if (standing.by === 'rule') skippedByRule.set(sha, standing.reason);
    alone.push({ sha, subject, branch: branches.nameOf(index), ...standing });
  }
  const twins = openTwins({
    histories,
    patches,
    isCleared: async (sha) => (await judge.verdict(sha)).cleared,
    branches: request.upstream.map(({ branch }) => branch),
  });
  const complete = await parkIncomplete(
    {
      rules: pack.standAlone,
      decisions,
      upstream,
      groups,
      isLeftOut: async (sha) => (await skips.ruleByWords(sha)) !== undefined,
    },
    await twins.settle(alone),
  );
  const commits = await twins.wait(complete);
  judge.save();
  skips.save();
  patches.save();
  return {
    upstream,
    fork,
    shared,
    groups,
    scan: {
      pack: pack.hash,
      upstream: request.upstream,
      fork: request.fork,
      commits,
      courtesy: courtesyOf(upstream, known, forkAll, branches.nameOf),
      notes: notesOf([
        [upstream.cutOff.length, 'upstream commits are not here: what is behind them is not listed'],
        [fork.cutOff.length, 'fork commits are not here: imports behind them are not recognised'],
        [
          shared.cutOff.length,
          'commits from before the fork are not here: backports of what is behind them are not recognised',
        ],
        [patches.unread(), 'commits could not be compared: their files are not here'],
      ]),
    },
  };
}

function forkOf(known: Known | undefined): { readonly fork?: string } {
  return known === undefined ? {} : { fork: known.fork };
}

type Standing = Omit<ScannedCommit, 'sha' | 'subject' | 'branch'>;

/** The branches that commits are taken from, those of the pack before others. */
function openBranches(
  { pack }: ScanSources,
  request: ScanRequest,
  upstream: History<CommitFacts>,
): { nameOf(index: number): string; isListed(index: number): boolean } {
  const branches = request.upstream.map((tip) => ({ ...tip, visible: upstream.visibleFrom(tip.sha) }));
  const listed = new Set(pack.info.licence?.branches.map((branch) => branch.name));
  const nameOf = (index: number): string => {
    const on = branches.filter((branch) => branch.visible[index] === 1);
    return (on.find(({ branch }) => listed.has(branch)) ?? on[0])?.branch ?? '';
  };
  return { nameOf, isListed: (index) => listed.has(nameOf(index)) };
}

function notesOf(found: readonly (readonly [count: number, what: string])[]): readonly string[] {
  return found.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
}
