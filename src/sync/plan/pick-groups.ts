// Picks pull request after pull request, each commit onto the pick before it, and sorts out what comes of each.
import type { Engine } from '../pick/open-engine.ts';
import type { Doubt, PickResult } from '../pick/pick-result.ts';
import { compileBrand } from '../rewrite/brand.ts';
import { createLineStore } from '../rewrite/line-store.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { ScannedCommit } from '../scan/scan-result.ts';
import { createParkedChanges, type ParkedChanges } from './find-dependents.ts';
import { type CodeLookup, codeFirst, findMissingCode, type MissingCode } from './missing-code.ts';
import { nameNeeds } from './name-needs.ts';
import type { LeftOut, ParkedCommit, PlannedGroup, PlannedPick, RunPlan } from './run-plan.ts';
import { openTeller } from './telling.ts';

/** Commits that came in by one pull request upstream, or one that came alone. */
export interface OpenGroup {
  readonly merge: string | undefined;
  readonly title: string;
  /** Those that are pending or parked, in upstream's order. */
  readonly commits: readonly ScannedCommit[];
  /** Those that rules leave out. */
  readonly leftOut: readonly ScannedCommit[];
}

export interface GroupSources {
  readonly engine: Engine;
  /** The fork commit under the first pick. */
  readonly fork: string;
  /** Upstream commits that the fork has imported. */
  readonly imported: readonly string[];
  readonly groups: readonly OpenGroup[];
  /** Those of them that wait for the same change on another branch, each with the commit of that. */
  readonly twins: ReadonlyMap<string, string>;
  readonly limit: number;
  /** Which commits are in the history of one. */
  readonly behind: (sha: string) => (other: string) => boolean;
}

/** So many commits are tried for one pick, or fewer: the others are empty, skipped or conflicts. */
const triedForOne = 10;

type Picked = Pick<RunPlan, 'groups' | 'parked' | 'leftOut' | 'tip'>;

/** What comes over of some pull requests, at most so many picks. */
export async function pickGroups(sources: GroupSources): Promise<Picked> {
  const { engine, fork, groups, twins, limit, behind } = sources;
  const isWanted = ({ sha, state }: ScannedCommit): boolean => state === 'pending' && !twins.has(sha);
  const open = groups.flatMap(({ commits }) => commits);
  if (open.length === 0) return { groups: [], parked: [], leftOut: [], tip: fork };
  const brand = compileBrand(engine.pack);
  const tell = openTeller(engine.objects, brand);
  const chain = engine.chain({
    onto: fork,
    imported: sources.imported,
    wanted: open.filter(isWanted).map(({ sha }) => sha),
    ahead: triedForOne * limit,
  });
  const special = engine.pack.merge.filter((rule) => rule.driver !== 'text').flatMap((rule) => rule.files);
  const skipped = engine.pack.skip.flatMap((rule) => rule.files ?? []);
  const changes = (): ParkedChanges =>
    createParkedChanges(
      engine.objects,
      createLineStore(brand.foldLine),
      (path) => !matchesAnyGlob(special, path) && !matchesAnyGlob(skipped, path),
    );
  const parkedChanges = changes();
  const lookup: CodeLookup = { gitDir: engine.gitDir, brand, tell, fork };
  const done: PlannedGroup[] = [];
  const parked: ParkedCommit[] = [];
  const leftOut: LeftOut[] = [];
  let count = 0;
  const waiting = new Set<string>();
  /** What has become a pick. */
  const came = new Set<string>();
  const wait = async (commit: ScannedCommit, reason: string): Promise<void> => {
    leftOut.push(later(commit, reason));
    waiting.add(commit.sha);
    // The change of one that waits for its twin comes by that one: only its own branch builds on it.
    if (commit.evidence !== undefined)
      await parkedChanges.park(commit.sha, twins.has(commit.sha) ? 'ancestors' : 'all');
  };
  /** Of the pull request at hand, what does not come over. */
  let absent: ScannedCommit[] = [];
  const park = async (commit: ScannedCommit, why: ParkedCommit): Promise<void> => {
    parked.push(why);
    absent.push(commit);
    // A commit that people parked need not be one whose files may be read.
    // What is half of something holds back what is built on it; the whole of it may come by another branch.
    if (commit.evidence !== undefined)
      await parkedChanges.park(commit.sha, why.why.kind === 'incomplete' ? 'ancestors' : 'all');
  };
  for (const group of groups) {
    const all = group.commits;
    const size = all.filter(isWanted).length;
    // What is after the limit is not even tried: the next run finds a fork that has this one's picks.
    if (count >= limit) {
      for (const commit of all.filter(({ state }) => state === 'pending'))
        leftOut.push(later(commit, twins.has(commit.sha) ? commit.reason : afterAll(limit)));
      continue;
    }
    if (count > 0 && count + size > limit) {
      const reason = `its pull request has ${size} commits, and ${limit - count} of the ${limit} picks of this run are left`;
      for (const commit of all) {
        const decided = isWanted(commit) ? undefined : parkedBefore(commit);
        if (decided === undefined) await wait(commit, twins.has(commit.sha) ? commit.reason : reason);
        else await park(commit, decided);
      }
      continue;
    }
    const picks: PlannedPick[] = [];
    const halves = new Set<string>();
    absent = [...group.leftOut];
    const order = await codeFirst(tell, all, isCleared);
    for (const [place, commit] of order.entries()) {
      const twin = twins.get(commit.sha);
      if (twin !== undefined && came.has(twin)) {
        leftOut.push(later(commit, commit.reason));
        continue;
      }
      if (twin !== undefined) {
        await wait(commit, commit.reason);
        absent.push(commit);
        continue;
      }
      if (count >= limit) {
        const reason =
          size > limit
            ? `its pull request has ${size} commits, more than the ${limit} picks of a run: the others come first`
            : afterAll(limit);
        if (isWanted(commit)) leftOut.push(later(commit, reason));
        continue;
      }
      const before = parkedBefore(commit) ?? (await buildsOnParked(parkedChanges, commit, behind));
      if (before?.why.kind === 'depends' && before.why.on.some((sha) => waiting.has(sha))) {
        const on = before.why.on.map((sha) => sha.slice(0, 12)).join(', ');
        await wait(commit, `builds on ${on}, which waits`);
        absent.push(commit);
        continue;
      }
      if (before !== undefined) {
        await park(commit, before);
        continue;
      }
      const code = await findMissingCode(
        lookup,
        commit.sha,
        absent.filter(isReadable),
        picks.map(({ upstream }) => upstream),
      );
      const late = code?.missing.find(({ sha }) => waiting.has(sha));
      if (late !== undefined) {
        await wait(commit, `speaks of what ${late.sha.slice(0, 12)} brings, which waits`);
        continue;
      }
      if (code?.whole === true) {
        const { sha: upstream, subject } = commit;
        await park(commit, { upstream, subject, why: { kind: 'speaks', missing: code.missing } });
        continue;
      }
      const made = await chain.pick(commit.sha, order.slice(place + 1).some(isWanted));
      const outcome = sortOut(commit, made.result);
      if ('pick' in outcome) {
        await chain.accept(made);
        came.add(commit.sha);
        picks.push(code === undefined ? outcome.pick : doubtCode(outcome.pick, code));
        if (made.signs.some(({ name }) => name === 'half')) halves.add(commit.sha);
        count += 1;
      } else if ('leftOut' in outcome) {
        leftOut.push(outcome.leftOut);
        if (outcome.leftOut.why === 'skipped') absent.push(commit);
      } else {
        if (outcome.parked.why.kind === 'conflict') await parkedChanges.park(commit.sha);
        parked.push(outcome.parked);
        absent.push(commit);
      }
    }
    if (picks.length > 0)
      done.push({
        merge: group.merge,
        title: group.title,
        picks: await doubtHalves(engine, picks, halves),
      });
  }
  return { groups: await nameNeeds(lookup, changes(), done), parked, leftOut, tip: chain.tip() };
}

/** Tests and pages of which a part speaks of what does not come over are for a person. */
function doubtCode(pick: PlannedPick, { missing }: MissingCode): PlannedPick {
  const [path = ''] = pick.files.map((file) => file.path);
  const doubts = missing.map(({ sha, subject, reason }): Doubt => {
    const why = `${reason} comes with ${sha.slice(0, 12)} (${subject}), which does not come over`;
    return { path, rule: 'code-missing', why };
  });
  return { ...pick, status: 'review', doubts: [...pick.doubts, ...doubts] };
}

function isCleared({ evidence }: ScannedCommit): boolean {
  return evidence !== undefined;
}

/** Whether its files may be read: what a rule leaves out was cleared before. */
function isReadable(commit: ScannedCommit): boolean {
  return isCleared(commit) || (commit.state === 'skipped' && commit.by === 'rule');
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

function later({ sha, subject }: ScannedCommit, reason: string): LeftOut {
  return { upstream: sha, subject, why: 'later', reason };
}

function afterAll(limit: number): string {
  return `after the ${limit} picks of this run`;
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
  behind: GroupSources['behind'],
): Promise<ParkedCommit | undefined> {
  const on = await parkedChanges.neededBy(upstream, behind(upstream));
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
