// `fork-sync replay`: picks history again and says how much of it comes out as people made it.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { openGoBuilder } from '../build/go-builder.ts';
import { readableJson } from '../git/output.ts';
import { findClearedTwins } from '../pick/find-cleared-twins.ts';
import type { Engine } from '../pick/open-engine.ts';
import { syncFailure } from '../problem.ts';
import { ablate } from '../replay/ablate.ts';
import { formatAblations, formatBuilds, formatScanFigures, formatScores } from '../replay/format-score.ts';
import { replayIsolated } from '../replay/isolate.ts';
import { type BuildFigures, measureBuilds } from '../replay/measure-builds.ts';
import { type Pair, readPairs } from '../replay/read-pairs.ts';
import { type Replayed, replayPairs, sumUp } from '../replay/replay-pairs.ts';
import { measureScan, type ScanFigures } from '../replay/scan-figures.ts';
import { createReplayPage } from '../report/replay-page.ts';
import { checkPagePath, writePage } from '../report/write-page.ts';
import { ruleIds, withoutRule } from '../rules/without-rule.ts';
import type { ScanTip } from '../scan/scan-result.ts';
import { listedTips, openScanFor } from './open-scan.ts';
import {
  needRepositories,
  openEngineFor,
  openPack,
  type RepositoryOptions,
  readCount,
  refuseUnused,
} from './options.ts';

export interface ReplayOptions extends RepositoryOptions {
  readonly pairs?: string;
  readonly json?: boolean;
  readonly html?: string;
  readonly split?: string;
  readonly isolated?: string;
  readonly without?: readonly string[];
  readonly quick?: boolean;
  readonly build?: boolean;
}

/** Of the packages that one pick touched, with all that they import. */
const longestBuild = 20 * 60_000;

export async function runReplay(options: ReplayOptions): Promise<ExitCode> {
  if (options.quick === true)
    refuseUnused(options, ['html', 'build'], 'with --quick, which keeps nothing to show');
  const count = options.isolated === undefined ? undefined : readCount(options.isolated);
  const path = options.pairs ?? process.env['FORK_SYNC_PAIRS'];
  if (path === undefined)
    throw syncFailure({
      code: 'usage',
      why: 'replay needs pairs of commits.',
      next: 'Give --pairs FILE, or set FORK_SYNC_PAIRS.',
    });
  const given = readPairs(path);
  checkPagePath(options.html);
  const split = options.split === undefined ? undefined : readDate(options.split);
  const pack = openPack(options);
  const named = options.without ?? [];
  const left = named.includes('all') ? [...new Set(ruleIds(pack))] : named;
  for (const rule of left) withoutRule(pack, rule);
  const engine = await openEngineFor(options, pack);
  try {
    const pairs = await clearedPairs(options, engine, given);
    const page = options.html === undefined ? undefined : createReplayPage();
    const replayed = await replayPairs(
      engine,
      pairs,
      options.quick === true
        ? undefined
        : async (one, pick, prepared) => page?.add(engine.objects, one, pick, prepared),
    );
    if (page !== undefined && options.html !== undefined)
      writePage(options.html, page.finish(sumUp(replayed)));
    const isolated =
      count === undefined ? undefined : await replayIsolated(engine, options, pack, replayed, count);
    const ablations = await ablate(
      (without) => openEngineFor(options, without),
      engine,
      pairs,
      replayed,
      left,
    );
    const builds = options.build === true ? await buildFigures(engine, replayed) : undefined;
    const scores = scoresOf(replayed, split);
    const scan = options.quick === true ? undefined : await scanFigures(options, engine, given);
    if (options.json === true)
      process.stdout.write(
        `${readableJson({ scores, scan, ablations, isolated, builds, pairs: replayed })}\n`,
      );
    else {
      process.stdout.write(`${formatScores(scores)}\n`);
      if (scan !== undefined) process.stdout.write(`\n${formatScanFigures(scan)}\n`);
      if (ablations.length > 0) process.stdout.write(`\n${formatAblations(ablations)}\n`);
      if (builds !== undefined) process.stdout.write(`\n${formatBuilds(builds)}\n`);
      if (isolated !== undefined)
        process.stdout.write(`isolated: ${isolated.same} of ${isolated.repeated} picks have the same sha\n`);
    }
    return isolated !== undefined && isolated.same < isolated.repeated ? exitCode.failed : exitCode.done;
  } finally {
    await engine.close();
  }
}

/** @throws {Failure<SyncProblem>} usage, where Go is not installed */
async function buildFigures(engine: Engine, replayed: readonly Replayed[]): Promise<BuildFigures> {
  const builder = await openGoBuilder({ gitDir: engine.gitDir, timeoutMs: longestBuild, environment: [] });
  if (builder === undefined)
    throw syncFailure({
      code: 'usage',
      why: 'Go is not installed: nothing can be built.',
      next: 'Install Go, or leave --build out.',
    });
  try {
    return await measureBuilds(engine.objects, builder, replayed, (line) =>
      process.stderr.write(`${line}\n`),
    );
  } finally {
    builder.close();
  }
}

/** Pairs whose upstream commit its licence bars are replayed from the branch that has the change without that bar. */
async function clearedPairs(
  options: ReplayOptions,
  engine: Engine,
  pairs: readonly Pair[],
): Promise<readonly Pair[]> {
  const tips = (): Promise<readonly ScanTip[]> => listedTips(needRepositories(options).upstream, engine.pack);
  const shas = pairs.map(({ upstream }) => upstream);
  const twins = await findClearedTwins(engine.objects, engine.pack, tips, shas);
  if (twins.size > 0)
    process.stderr.write(
      `${twins.size} upstream commits are barred by their licence; the same change is picked from a branch where it may come over.\n`,
    );
  return pairs.map((pair) => {
    const twin = twins.get(pair.upstream);
    return twin === undefined ? pair : { ...pair, upstream: twin.sha, asked: pair.upstream };
  });
}

/** What the scan of the branches that the pack lists recognises, with the fork at its HEAD. */
async function scanFigures(
  options: ReplayOptions,
  engine: Engine,
  pairs: readonly Pair[],
): Promise<ScanFigures | undefined> {
  if (engine.pack.info.licence === undefined) return undefined;
  const { scan } = await openScanFor(options, engine.pack, engine);
  return measureScan(engine, scan, pairs);
}

function scoresOf(replayed: readonly Replayed[], split: number | undefined) {
  const all = { name: 'all', score: sumUp(replayed) };
  if (split === undefined) return [all];
  return [
    all,
    { name: 'before', score: sumUp(replayed.filter((one) => one.time < split)) },
    { name: 'since', score: sumUp(replayed.filter((one) => one.time >= split)) },
  ];
}

function readDate(text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time / 1000;
  throw syncFailure({ code: 'usage', why: `This is not a date: ${text}`, next: 'Write it as 2023-10-20.' });
}
