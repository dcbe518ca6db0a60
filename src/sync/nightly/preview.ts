// What the commits of a pull request would be, or are, as picks: for one upstream, and for one in the fork that people made.
import { judgeWhole } from '../gate/judge-whole.ts';
import { createGate } from '../gate/licence-gate.ts';
import type { Commit } from '../git/commit.ts';
import { readableJson } from '../git/output.ts';
import type { Engine } from '../pick/open-engine.ts';
import type { PickResult } from '../pick/pick-result.ts';
import type { PlannedPick } from '../plan/run-plan.ts';
import type { PlanEntry } from '../publish/publish-plan.ts';
import { comparePick } from '../report/compare-diffs.ts';
import { remainingOf } from '../report/remaining-of.ts';
import { compileBrand } from '../rewrite/brand.ts';
import { compileWords } from '../rules/words.ts';

const pickedFrom = /^\(cherry picked from commit ([0-9a-f]{40})\)$/m;

/** Of upstream commits: what a run would make of them, each onto the one before. `branch`: where upstream has them. */
export async function previewUpstream(
  engine: Engine,
  shas: readonly string[],
  place: { readonly branch: string; readonly onto: string },
): Promise<readonly PlanEntry[]> {
  const entries: PlanEntry[] = [];
  let onto = place.onto;
  for (const upstream of shas) {
    const commit = await engine.objects.commitIfHere(upstream);
    if (commit === undefined) {
      entries.push({
        state: 'parked',
        upstream,
        subject: '',
        reasons: [`object missing ${upstream}: fetch it first`],
      });
      continue;
    }
    const closed = await gate(engine, commit, place.branch);
    if ('entry' in closed) {
      entries.push(closed.entry);
      continue;
    }
    for await (const { result } of engine.pick([{ upstream, onto }], { keep: true })) {
      const compared = result.commit === undefined ? [] : await remaining(engine, result, result.tree);
      entries.push(entryOf(result, subjectOf(commit), closed.evidence, compared));
      onto = result.commit ?? onto;
    }
  }
  return readableEntries(entries);
}

/** Of commits in the fork that name an upstream commit: what is left between them and upstream, in the fork's words. */
export async function previewFork(engine: Engine, shas: readonly string[]): Promise<readonly PlanEntry[]> {
  const entries: PlanEntry[] = [];
  for (const sha of shas) {
    const commit = await engine.objects.commit(sha);
    const upstream = pickedFrom.exec(commit.message)?.[1];
    const [onto] = commit.parents;
    if (upstream === undefined || onto === undefined || commit.parents.length > 1) continue;
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
    for await (const { result } of engine.pick([{ upstream, onto }], { keep: true })) {
      const same = result.tree === commit.tree;
      const compared = same ? [] : await remaining(engine, result, commit.tree);
      const entry = entryOf(result, subjectOf(commit), closed.evidence, compared);
      entries.push(
        same || !('files' in entry)
          ? entry
          : { ...entry, state: 'review', reasons: ['not what the rules make of it', ...entry.reasons] },
      );
    }
  }
  return readableEntries(entries);
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
