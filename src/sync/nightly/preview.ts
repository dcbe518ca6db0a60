// What the commits of a pull request would be, or are, as picks: for one upstream, and for one in the fork that people made.
import { judgeWhole } from '../gate/judge-whole.ts';
import { createGate } from '../gate/licence-gate.ts';
import type { Commit } from '../git/commit.ts';
import { readableJson } from '../git/output.ts';
import type { Engine } from '../pick/open-engine.ts';
import type { PickResult } from '../pick/pick-result.ts';
import { pickGroups } from '../plan/pick-groups.ts';
import type { PlannedPick } from '../plan/run-plan.ts';
import { isPick, type PlanEntry } from '../publish/publish-plan.ts';
import { comparePick } from '../report/compare-diffs.ts';
import { remainingOf } from '../report/remaining-of.ts';
import { compileBrand } from '../rewrite/brand.ts';
import { compileWords } from '../rules/words.ts';
import type { ScannedCommit } from '../scan/scan-result.ts';
import { planEntries } from './plan-entries.ts';

const pickedFrom = /^\(cherry picked from commit ([0-9a-f]{40})\)$/m;

/** Of upstream commits: what a run would make of them, each onto the one before. `branch`: where upstream has them. */
export async function previewUpstream(
  engine: Engine,
  shas: readonly string[],
  place: { readonly branch: string; readonly onto: string },
): Promise<readonly PlanEntry[]> {
  const closed = new Map<string, PlanEntry>();
  const open: ScannedCommit[] = [];
  for (const sha of shas) {
    const commit = await engine.objects.commitIfHere(sha);
    if (commit === undefined) {
      const reasons = [`object missing ${sha}: fetch it first`];
      closed.set(sha, { state: 'parked', upstream: sha, subject: '', reasons });
      continue;
    }
    const gated = await gate(engine, commit, place.branch);
    if ('entry' in gated) closed.set(sha, gated.entry);
    else
      open.push({
        sha,
        subject: subjectOf(commit),
        state: 'pending',
        by: 'nothing',
        reason: '',
        branch: place.branch,
        evidence: gated.evidence,
      });
  }
  const plan = await pickGroups({
    engine,
    fork: place.onto,
    imported: [],
    groups: [{ merge: undefined, title: '', commits: open, leftOut: [] }],
    twins: new Map(),
    limit: Math.max(1, open.length),
    // A pull request's commits follow one another.
    behind: () => () => true,
  });
  await engine.writer.flush(engine.gitDir);
  const evidence = new Map(open.map((commit) => [commit.sha, commit.evidence ?? []]));
  const picked = await planEntries(engine, plan, { held: new Map(), evidence });
  return readableEntries(shas.flatMap((sha) => closed.get(sha) ?? picked.get(sha) ?? []));
}

/** Of commits in the fork that name an upstream commit: what is left between them and upstream, in the fork's words. */
export async function previewFork(engine: Engine, shas: readonly string[]): Promise<readonly PlanEntry[]> {
  const entries: PlanEntry[] = [];
  const halves = new Set<string>();
  const made = await commitsWithUpstream(engine, shas);
  for (const [place, { commit, upstream, onto }] of made.entries()) {
    const theirs = await engine.objects.commitIfHere(upstream);
    if (theirs === undefined) {
      entries.push({
        state: 'parked',
        upstream,
        subject: subjectOf(commit),
        reasons: [`object missing ${upstream}`],
      });
      continue;
    }
    const closed = await gate(engine, theirs, undefined);
    if ('entry' in closed) {
      entries.push(closed.entry);
      continue;
    }
    const moreFollows = place < made.length - 1;
    for await (const { result, signs } of engine.pick([{ upstream, onto, moreFollows }], { keep: true })) {
      const same = result.tree === commit.tree;
      const compared = same ? [] : await remaining(engine, result, commit.tree);
      const entry = entryOf(result, subjectOf(commit), closed.evidence, compared);
      if (signs.some(({ name }) => name === 'half')) halves.add(upstream);
      entries.push(
        same || !('files' in entry)
          ? entry
          : { ...entry, state: 'review', reasons: ['not what the rules make of it', ...entry.reasons] },
      );
    }
  }
  const [first, last] = [made[0], made.at(-1)];
  const unfinished =
    halves.size === 0 || first === undefined || last === undefined
      ? []
      : await engine.checkRange(first.onto, last.commit.sha);
  return readableEntries(
    entries.map((entry) =>
      unfinished.length > 0 && halves.has(entry.upstream) && isPick(entry)
        ? {
            ...entry,
            state: entry.state === 'clean' ? 'review' : entry.state,
            doubts: [...entry.doubts, ...unfinished],
          }
        : entry,
    ),
  );
}

interface MadeCommit {
  readonly commit: Commit;
  readonly upstream: string;
  readonly onto: string;
}

async function commitsWithUpstream(
  { objects }: Engine,
  shas: readonly string[],
): Promise<readonly MadeCommit[]> {
  const made: MadeCommit[] = [];
  for (const sha of shas) {
    const commit = await objects.commit(sha);
    const upstream = pickedFrom.exec(commit.message)?.[1];
    const [onto, ...more] = commit.parents;
    if (upstream !== undefined && onto !== undefined && more.length === 0)
      made.push({ commit, upstream, onto });
  }
  return made;
}

type Gated = { readonly entry: PlanEntry } | { readonly evidence: readonly string[] };

async function gate({ pack, objects }: Engine, commit: Commit, branch: string | undefined): Promise<Gated> {
  const blocked = (reason: string): Gated => ({
    entry: { state: 'blocked', upstream: commit.sha, subject: subjectOf(commit), reasons: [reason] },
  });
  const { licence } = pack.info;
  if (branch !== undefined && licence?.branches.some(({ name }) => name === branch) !== true)
    return blocked('its branch is not one that commits are taken from');
  const { verdict } = await judgeWhole(createGate(objects, licence), objects, commit);
  return verdict.cleared ? { evidence: verdict.evidence } : blocked(verdict.reason);
}

async function remaining(
  engine: Engine,
  result: PickResult,
  tree: string | undefined,
): Promise<readonly string[]> {
  const { pack, objects } = engine;
  if (tree === undefined) return [];
  const context = { objects, brand: compileBrand(pack), words: compileWords(pack.words, pack.protected) };
  const pick: PlannedPick = {
    upstream: result.upstream,
    onto: result.onto,
    tree,
    files: result.files,
    subject: '',
    status: 'clean',
    commit: '',
    doubts: [],
    reasons: [],
    evidence: [],
  };
  return remainingOf((await comparePick(context, pick)).files);
}

function entryOf(
  result: PickResult,
  subject: string,
  licence: readonly string[],
  left: readonly string[],
): PlanEntry {
  const { upstream, status, commit, files, doubts, conflicts, reasons } = result;
  if (status === 'empty' || status === 'skipped')
    return {
      state: 'skipped',
      upstream,
      subject,
      reasons: status === 'empty' ? ['the fork has the change already'] : reasons,
    };
  if (status === 'blocked') return { state: 'parked', upstream, subject, reasons };
  return {
    state: status,
    upstream,
    subject,
    commit,
    licence,
    files,
    doubts,
    conflicts,
    reasons,
    remaining: left,
  };
}

function subjectOf(commit: Commit): string {
  return commit.message.split('\n')[0] ?? '';
}

function readableEntries(entries: readonly PlanEntry[]): readonly PlanEntry[] {
  return JSON.parse(readableJson(entries));
}
