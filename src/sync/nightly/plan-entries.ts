// What people are shown of each commit of a plan: picks with what is left of the difference, and why others stay away.
import type { Engine } from '../pick/open-engine.ts';
import { type ParkedCommit, type PlannedPick, type RunPlan, speaksOf } from '../plan/run-plan.ts';
import type { PlanEntry } from '../publish/publish-plan.ts';
import { comparePick } from '../report/compare-diffs.ts';
import { remainingOf } from '../report/remaining-of.ts';
import { compileBrand } from '../rewrite/brand.ts';
import { compileWords } from '../rules/words.ts';
import type { MissingCommit } from '../scan/scan-result.ts';

export interface EntryFacts {
  /** What preflight held back, with its reasons. */
  readonly held: ReadonlyMap<string, readonly string[]>;
  /** What proves the licence of a commit. */
  readonly evidence: ReadonlyMap<string, readonly string[]>;
}

/** By upstream commit; what waits for a later run is not among them. The picks have to be in a repository. */
export async function planEntries(
  { pack, objects }: Engine,
  plan: Pick<RunPlan, 'groups' | 'parked' | 'leftOut'>,
  { held, evidence }: EntryFacts,
): Promise<Map<string, PlanEntry>> {
  const context = { objects, brand: compileBrand(pack), words: compileWords(pack.words, pack.protected) };
  const entries = new Map<string, PlanEntry>();
  for (const pick of plan.groups.flatMap((group) => group.picks)) {
    const { files } = await comparePick(context, pick);
    entries.set(pick.upstream, pickEntry(pick, remainingOf(files)));
  }
  for (const parked of plan.parked)
    entries.set(parked.upstream, parkedEntry(parked, held, evidence.get(parked.upstream) ?? []));
  for (const { upstream, subject, why, reason } of plan.leftOut)
    if (why !== 'later') entries.set(upstream, { state: 'skipped', upstream, subject, reasons: [reason] });
  return entries;
}

function pickEntry(pick: PlannedPick, remaining: readonly string[]): PlanEntry {
  const { upstream, subject, status, commit, evidence, files, doubts, reasons } = pick;
  return {
    state: status,
    upstream,
    subject,
    commit,
    licence: evidence,
    files,
    doubts,
    conflicts: [],
    reasons,
    remaining,
  };
}

/** So many missing commits are named in a comment; `status --explain` names them all. */
const mostNamed = 5;

function listMissing(missing: readonly MissingCommit[]): readonly string[] {
  const named = missing
    .slice(0, mostNamed)
    .map(({ sha, subject }) => `missing ${sha.slice(0, 12)} ${subject}`);
  return missing.length > mostNamed ? [...named, `and ${missing.length - mostNamed} more`] : named;
}

function parkedEntry(
  { upstream, subject, why }: ParkedCommit,
  held: ReadonlyMap<string, readonly string[]>,
  licence: readonly string[],
): PlanEntry {
  const nothing = { files: [], doubts: [], conflicts: [], remaining: [], commit: undefined, licence };
  switch (why.kind) {
    case 'conflict':
      return { ...nothing, state: 'conflict', upstream, subject, conflicts: why.conflicts, reasons: [] };
    case 'blocked':
      return { state: 'parked', upstream, subject, reasons: why.reasons };
    case 'depends':
      return {
        state: 'parked',
        upstream,
        subject,
        reasons: [`builds on ${why.on.map((sha) => sha.slice(0, 12)).join(', ')}, which is parked`],
      };
    case 'speaks':
      return { state: 'parked', upstream, subject, reasons: speaksOf(why.missing) };
    case 'incomplete':
      return {
        state: 'parked',
        upstream,
        subject,
        reasons: [why.reason, ...listMissing(why.missing)],
      };
    case 'decided': {
      const reasons = held.get(upstream);
      return reasons === undefined
        ? { state: 'parked', upstream, subject, reasons: [why.reason] }
        : { ...nothing, state: 'held', upstream, subject, reasons };
    }
  }
}
