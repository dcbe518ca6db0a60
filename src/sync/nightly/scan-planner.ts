// Plans a run for publishing: scan, gate and plan of the two repositories, with decisions from the branch on top of the pack's.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Decision, readDecisions } from '../decide/decision.ts';
import { readable, readableJson } from '../git/output.ts';
import type { Engine } from '../pick/open-engine.ts';
import type { DetailedPick } from '../pick/pick-commit.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { KnownCommit, Planner, PlanRequest } from '../publish/planner.ts';
import type { PublishPlan } from '../publish/publish-plan.ts';
import type { ScanCache } from '../scan/scan-cache.ts';
import { type OpenScan, scanRepositories } from '../scan/scan-repositories.ts';
import { countStates, type ScanTip } from '../scan/scan-result.ts';
import { planEntries } from './plan-entries.ts';

export interface ScanPlannerOptions {
  readonly engine: Engine;
  readonly cache: ScanCache;
  readonly upstream: readonly ScanTip[];
  readonly upstreamBranches: readonly string[];
  readonly forkBranches: readonly string[];
  readonly limit: number;
  /** Told each plan that was made, with the scan that it rests on. */
  readonly onPlan?: (open: OpenScan, plan: RunPlan) => void;
}

const byPreflight = 'fork-sync <fork-sync@localhost>';

export function openScanPlanner(options: ScanPlannerOptions): Planner {
  const { engine } = options;
  const ofPack = readDecisions(engine.pack.folder);
  const known = new Map<string, OpenScan>();

  const scanAt = async (onto: string, decisions: ReadonlyMap<string, Decision>): Promise<OpenScan> => {
    const key = `${onto} ${JSON.stringify([...decisions])}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const open = await scanRepositories(
      { pack: engine.pack, objects: engine.objects, cache: options.cache, decisions },
      {
        upstream: options.upstream,
        upstreamBranches: options.upstreamBranches,
        fork: onto,
        forkBranches: options.forkBranches,
      },
    );
    known.set(key, open);
    return open;
  };

  return {
    async plan(request) {
      const open = await scanAt(request.onto, decisionsOf(request, ofPack));
      const plan = await makePlan(engine, open, { limit: options.limit });
      options.onPlan?.(open, plan);
      // Picks of conflicts and the commits of a person's checkout are read by git: they have to be in a repository.
      await engine.writer.flush(engine.gitDir);
      const conflicts: DetailedPick[] = [];
      for (const { upstream, why } of plan.parked)
        if (why.kind === 'conflict')
          for await (const pick of engine.pick([{ upstream, onto: why.onto }], { keep: true }))
            conflicts.push(pick);
      return { plan: await toPublish(engine, open, plan, request), conflicts };
    },
    async find(prefix, onto) {
      const { scan } = await scanAt(onto, ofPack);
      return scan.commits
        .filter(({ sha }) => sha.startsWith(prefix))
        .map(
          ({ sha, subject, state, reason, evidence = [] }): KnownCommit => ({
            sha,
            subject: readable(subject),
            state,
            reasons: [reason, ...evidence].map(readable),
          }),
        );
    },
    async forkCommitsOf(upstream, onto) {
      const { scan } = await scanAt(onto, ofPack);
      const found = scan.commits.find(({ sha }) => sha === upstream);
      return found?.fork === undefined ? [] : [found.fork];
    },
  };
}

/** What people said on the branch goes before what the pack says; what preflight holds back is parked for this run. */
function decisionsOf(
  request: PlanRequest,
  ofPack: ReadonlyMap<string, Decision>,
): ReadonlyMap<string, Decision> {
  const decisions = new Map(ofPack);
  for (const [sha, decision] of parseDecisions(request.decisions)) decisions.set(sha, decision);
  for (const [upstream, reasons] of request.held)
    decisions.set(upstream, {
      decision: 'park',
      upstream,
      by: byPreflight,
      on: '1970-01-01',
      why: reasons.join('; '),
    });
  return decisions;
}

/** By the same reader as the pack's own, so that the same rules hold for them. */
function parseDecisions(files: ReadonlyMap<string, string>): ReadonlyMap<string, Decision> {
  if (files.size === 0) return new Map();
  const folder = mkdtempSync(join(tmpdir(), 'fork-sync-decisions-'));
  try {
    mkdirSync(join(folder, 'decisions'));
    for (const [name, text] of files)
      writeFileSync(join(folder, 'decisions', name), Buffer.from(text, 'latin1'));
    return readDecisions(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function toPublish(
  engine: Engine,
  { scan }: OpenScan,
  plan: RunPlan,
  { held }: PlanRequest,
): Promise<PublishPlan> {
  const { pack } = engine;
  const evidence = new Map(scan.commits.map(({ sha, evidence: found = [] }) => [sha, found]));
  const entries = await planEntries(engine, plan, { held, evidence });
  for (const { upstream, subject, revertedBy } of plan.cancelled)
    entries.set(upstream, {
      state: 'skipped',
      upstream,
      subject,
      reasons: [`taken back upstream by ${revertedBy.slice(0, 12)}`],
    });
  const made: PublishPlan = {
    upstream: {
      name: pack.info.upstream.name,
      branch: plan.upstream.map(({ branch }) => branch).join(', '),
      tip: plan.upstream[0]?.sha ?? '',
    },
    onto: plan.fork,
    head: plan.tip,
    entries: scan.commits.flatMap(({ sha }) => entries.get(sha) ?? []),
    waiting: plan.leftOut.filter(({ why }) => why === 'later').length,
    standing: countStates(scan.commits),
  };
  // The engine's text is bytes; from here on it is for people.
  return JSON.parse(readableJson(made));
}
