// Makes the plan of a run: which pending commits come over, in which order, and what is parked with what.
import type { History } from '../git/history.ts';
import type { Engine } from '../pick/open-engine.ts';
import type { PickResult } from '../pick/pick-result.ts';
import { compileBrand } from '../rewrite/brand.ts';
import { createLineStore } from '../rewrite/line-store.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { CommitFacts } from '../scan/commit-facts.ts';
import type { MergeGroup } from '../scan/group-by-merge.ts';
import type { OpenScan } from '../scan/scan-repositories.ts';
import type { ScannedCommit } from '../scan/scan-result.ts';
import { cancelReverts } from './cancel-reverts.ts';
import { createParkedChanges, type ParkedChanges } from './find-dependents.ts';
import type { LeftOut, ParkedCommit, PlannedGroup, PlannedPick, RunPlan } from './run-plan.ts';

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
  const groups = open.groups
    .map((group) => ({
      ...group,
      commits: group.commits.filter(
        (index) => isOpen(index) && !cancelled.has(upstream.commits[index]?.sha ?? ''),
      ),
    }))
    .filter((group) => group.commits.length > 0);
  const picked = await pickGroups(engine, open, groups, at, options.limit);
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

/** So many commits are tried for one pick, or fewer: the others are empty, skipped or conflicts. */
const triedForOne = 10;

type Picked = Pick<RunPlan, 'groups' | 'parked' | 'leftOut' | 'tip'>;

async function pickGroups(
  engine: Engine,
  { scan, upstream }: OpenScan,
  groups: readonly MergeGroup[],
  at: (index: number) => ScannedCommit | undefined,
  limit: number,
): Promise<Picked> {
  const open = groups.flatMap((group) => members(group, at));
  if (open.length === 0) return { groups: [], parked: [], leftOut: [], tip: scan.fork };
  const wanted = open.filter(isWanted).map(({ sha }) => sha);
  const imported = scan.commits.flatMap(({ sha, state }) => (state === 'imported' ? [sha] : []));
  const chain = engine.chain({ onto: scan.fork, imported, wanted, ahead: triedForOne * limit });
  const special = engine.pack.merge.filter((rule) => rule.driver !== 'text').flatMap((rule) => rule.files);
  const skipped = engine.pack.skip.flatMap((rule) => rule.files ?? []);
  const parkedChanges = createParkedChanges(
    engine.objects,
    createLineStore(compileBrand(engine.pack).foldLine),
    (path) => !matchesAnyGlob(special, path) && !matchesAnyGlob(skipped, path),
  );
  const done: PlannedGroup[] = [];
  const parked: ParkedCommit[] = [];
  const leftOut: LeftOut[] = [];
  let count = 0;
  const waiting = new Set<string>();
  const wait = async (commit: ScannedCommit, reason: string): Promise<void> => {
    leftOut.push(later(commit, reason));
    waiting.add(commit.sha);
    if (commit.evidence !== undefined) await parkedChanges.park(commit.sha);
  };
  const park = async (commit: ScannedCommit, why: ParkedCommit): Promise<void> => {
    parked.push(why);
    // A commit that people parked need not be one whose files may be read.
    // What is half of something holds back what is built on it; the whole of it may come by another branch.
    if (commit.evidence !== undefined)
      await parkedChanges.park(commit.sha, why.why.kind === 'incomplete' ? 'ancestors' : 'all');
  };
  for (const group of groups) {
    const all = members(group, at);
    const size = all.filter(isWanted).length;
    // What is after the limit is not even tried: the next run finds a fork that has this one's picks.
    if (count >= limit) {
      for (const commit of all.filter(isWanted)) leftOut.push(later(commit, afterAll(limit)));
      continue;
    }
    if (count > 0 && count + size > limit) {
      const reason = `its pull request has ${size} commits, and ${limit - count} of the ${limit} picks of this run are left`;
      for (const commit of all) {
        const decided = isWanted(commit) ? undefined : parkedBefore(commit);
        if (decided === undefined) await wait(commit, reason);
        else await park(commit, decided);
      }
      continue;
    }
    const picks: PlannedPick[] = [];
    const halves = new Set<string>();
    for (const [place, commit] of all.entries()) {
      if (count >= limit) {
        const reason =
          size > limit
            ? `its pull request has ${size} commits, more than the ${limit} picks of a run: the others come first`
            : afterAll(limit);
        if (isWanted(commit)) leftOut.push(later(commit, reason));
        continue;
      }
      const before = parkedBefore(commit) ?? (await buildsOnParked(parkedChanges, commit, upstream));
      if (before?.why.kind === 'depends' && before.why.on.some((sha) => waiting.has(sha))) {
        const on = before.why.on.map((sha) => sha.slice(0, 12)).join(', ');
        await wait(commit, `builds on ${on}, which waits`);
        continue;
      }
      if (before !== undefined) {
        await park(commit, before);
        continue;
      }
      const made = await chain.pick(commit.sha, all.slice(place + 1).some(isWanted));
      const outcome = sortOut(commit, made.result);
      if ('pick' in outcome) {
        await chain.accept(made);
        picks.push(outcome.pick);
        if (made.signs.some(({ name }) => name === 'half')) halves.add(commit.sha);
        count += 1;
      } else if ('leftOut' in outcome) leftOut.push(outcome.leftOut);
      else {
        if (outcome.parked.why.kind === 'conflict') await parkedChanges.park(commit.sha);
        parked.push(outcome.parked);
      }
    }
    if (picks.length > 0)
      done.push({
        merge: group.merge,
        title: titleOf(group, upstream),
        picks: await doubtHalves(engine, picks, halves),
      });
  }
  return { groups: done, parked, leftOut, tip: chain.tip() };
}

/** Halves that the rest of their pull request did not finish are for a person. */
async function doubtHalves(
  engine: Engine,
  picks: readonly PlannedPick[],
  halves: ReadonlySet<string>,
): Promise<readonly PlannedPick[]> {
  const [first] = picks;
  const last = picks.at(-1);
  if (halves.size === 0 || first === undefined || last === undefined) return picks;
  const open = await engine.checkRange(first.onto, last.commit);
  if (open.length === 0) return picks;
  return picks.map((pick) =>
    halves.has(pick.upstream) ? { ...pick, status: 'review', doubts: [...pick.doubts, ...open] } : pick,
  );
}

function members(
  group: MergeGroup,
  at: (index: number) => ScannedCommit | undefined,
): readonly ScannedCommit[] {
  return group.commits.flatMap((index) => at(index) ?? []);
}

function later({ sha, subject }: ScannedCommit, reason: string): LeftOut {
  return { upstream: sha, subject, why: 'later', reason };
}

function afterAll(limit: number): string {
  return `after the ${limit} picks of this run`;
}

/** Merges say "Merge pull request #1 from …": the subjects of what they bring say more. */
function titleOf(group: MergeGroup, upstream: History<CommitFacts>): string {
  const first = upstream.commits[group.commits[0] ?? -1];
  const number = /\bpull request #(\d+)/.exec(group.title)?.[1];
  return number === undefined || first === undefined ? group.title : `${number}: ${first.subject}`;
}

function isWanted(commit: ScannedCommit): boolean {
  return commit.state === 'pending';
}

/** What the scan parked. */
function parkedBefore(commit: ScannedCommit): ParkedCommit | undefined {
  const { sha: upstream, subject, reason, missing, merge } = commit;
  if (missing !== undefined)
    return { upstream, subject, why: { kind: 'incomplete', reason, merge, missing } };
  return commit.state === 'parked' ? { upstream, subject, why: { kind: 'decided', reason } } : undefined;
}

async function buildsOnParked(
  parkedChanges: ParkedChanges,
  { sha: upstream, subject }: ScannedCommit,
  history: History<CommitFacts>,
): Promise<ParkedCommit | undefined> {
  const behind = history.visibleFrom(upstream);
  const on = await parkedChanges.neededBy(upstream, (sha) => behind[history.indexOf.get(sha) ?? -1] === 1);
  return on.length === 0 ? undefined : { upstream, subject, why: { kind: 'depends', on } };
}

type Outcome =
  | { readonly pick: PlannedPick }
  | { readonly leftOut: LeftOut }
  | { readonly parked: ParkedCommit };

function sortOut(commit: ScannedCommit, result: PickResult): Outcome {
  const { sha: upstream, subject } = commit;
  switch (result.status) {
    case 'clean':
    case 'review': {
      const { onto, status, files, doubts, reasons } = result;
      if (result.commit === undefined || result.tree === undefined)
        throw new Error(`a pick without a commit: ${upstream}`);
      return {
        pick: {
          upstream,
          subject,
          onto,
          status,
          commit: result.commit,
          tree: result.tree,
          files,
          doubts,
          reasons,
          evidence: commit.evidence ?? [],
        },
      };
    }
    case 'empty':
      return { leftOut: { upstream, subject, why: 'empty', reason: 'the fork has the change already' } };
    case 'skipped':
      return { leftOut: { upstream, subject, why: 'skipped', reason: result.reasons.join('; ') } };
    case 'conflict':
      return {
        parked: {
          upstream,
          subject,
          why: { kind: 'conflict', conflicts: result.conflicts, onto: result.onto },
        },
      };
    case 'blocked':
      return { parked: { upstream, subject, why: { kind: 'blocked', reasons: result.reasons } } };
  }
}
