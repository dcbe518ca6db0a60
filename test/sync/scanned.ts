// Scans and plans of tiny histories, in this process and without a cache unless a test brings one.
import { onTestFinished } from 'vitest';
import type { TinyFork } from '../../fixtures/histories/tiny-fork.ts';
import { readDecisions } from '../../src/sync/decide/decision.ts';
import { type Engine, openEngine } from '../../src/sync/pick/open-engine.ts';
import { makePlan } from '../../src/sync/plan/make-plan.ts';
import type { RunPlan } from '../../src/sync/plan/run-plan.ts';
import { loadPack } from '../../src/sync/rules/load-pack.ts';
import { noScanCache, type ScanCache } from '../../src/sync/scan/scan-cache.ts';
import { type OpenScan, scanRepositories } from '../../src/sync/scan/scan-repositories.ts';
import type { ScannedCommit } from '../../src/sync/scan/scan-result.ts';

export interface Scanned {
  readonly engine: Engine;
  readonly open: OpenScan;
  /** The commit of the fixture with this name. */
  readonly of: (name: string) => ScannedCommit | undefined;
  readonly plan: (limit?: number) => Promise<RunPlan>;
}

export interface ScanNames {
  /** Names of upstream commits that branches end at. */
  readonly main: string;
  readonly stable?: string;
  /** Ends of branches that nothing is taken from. */
  readonly elsewhere?: readonly string[];
  readonly fork?: string;
  readonly cache?: ScanCache;
}

export async function scanTiny(tiny: TinyFork, names: ScanNames): Promise<Scanned> {
  const pack = loadPack(tiny.rules);
  const engine = await openEngine({ ...tiny, pack, program: 'engine.ts' });
  onTestFinished(() => engine.close());
  const open = await scanRepositories(
    {
      pack,
      objects: engine.objects,
      cache: names.cache ?? noScanCache,
      decisions: readDecisions(tiny.rules),
    },
    {
      upstream: [
        { branch: 'main', sha: tiny.sha(names.main) },
        ...(names.stable === undefined ? [] : [{ branch: 'stable', sha: tiny.sha(names.stable) }]),
      ],
      upstreamBranches: (names.elsewhere ?? []).map(tiny.sha),
      fork: tiny.sha(names.fork ?? 'rename'),
      forkBranches: [],
    },
  );
  return {
    engine,
    open,
    of: (name) => open.scan.commits.find((commit) => commit.sha === tiny.sha(name)),
    plan: (limit = 30) => makePlan(engine, open, { limit }),
  };
}
