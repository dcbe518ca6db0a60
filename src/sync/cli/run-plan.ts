// `fork-sync plan` and `fork-sync report`: what a run would do, and the page on which people review it.
import { createHash } from 'node:crypto';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { run } from '../../core/run.ts';
import { formatTable, inert } from '../../core/text.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import { readable, readableJson } from '../git/output.ts';
import { asCalled } from '../own-command.ts';
import type { Engine } from '../pick/open-engine.ts';
import { makePlan } from '../plan/make-plan.ts';
import { type ParkedWhy, type RunPlan, speaksOf } from '../plan/run-plan.ts';
import { comparePick, type PickComparison } from '../report/compare-diffs.ts';
import { createReviewPage } from '../report/review-page.ts';
import { checkPagePath, writePage } from '../report/write-page.ts';
import { compileBrand } from '../rewrite/brand.ts';
import { compileWords } from '../rules/words.ts';
import type { OpenScan } from '../scan/scan-repositories.ts';
import { openScanFor, type ScanOptions } from './open-scan.ts';
import { openEngineFor, openPack, readCount } from './options.ts';

export interface PlanCommandOptions extends ScanOptions {
  readonly limit?: string;
  readonly json?: boolean;
  readonly html?: string;
}

const defaultLimit = 30;

/** Prints the plan of a run; nothing is published. Exit 4 where there is nothing to do, 3 where people are needed. */
export async function runPlan(options: PlanCommandOptions): Promise<ExitCode> {
  checkPagePath(options.html);
  return withPlan(options, async (engine, open, plan) => {
    if (options.html !== undefined)
      writePage(options.html, createReviewPage(await reviewOf(engine, open, plan)));
    process.stdout.write(
      options.json === true ? `${readableJson(callable(plan))}\n` : `${formatPlan(plan)}\n`,
    );
    return exitOf(plan);
  });
}

function callable(plan: RunPlan): RunPlan {
  const parked = plan.parked.map((one) =>
    one.why.kind !== 'conflict'
      ? one
      : {
          ...one,
          why: {
            ...one.why,
            conflicts: one.why.conflicts.map((conflict) => ({ ...conflict, next: asCalled(conflict.next) })),
          },
        },
  );
  return { ...plan, parked };
}

/** Writes the review page of the next run. */
export async function runReport(file: string, options: PlanCommandOptions): Promise<ExitCode> {
  checkPagePath(file);
  return withPlan(options, async (engine, open, plan) => {
    writePage(file, createReviewPage(await reviewOf(engine, open, plan)));
    return exitCode.done;
  });
}

async function withPlan(
  options: PlanCommandOptions,
  use: (engine: Engine, open: OpenScan, plan: RunPlan) => Promise<ExitCode>,
): Promise<ExitCode> {
  const limit = options.limit === undefined ? defaultLimit : readCount(options.limit);
  const pack = openPack(options);
  const engine = await openEngineFor(options, pack);
  try {
    const open = await openScanFor(options, pack, engine);
    const plan = await makePlan(engine, open, { limit });
    await keepPlan(engine, plan);
    return await use(engine, open, plan);
  } finally {
    await engine.close();
  }
}

/** The name of a plan: the same plan has the same one. */
export function planHash(plan: RunPlan): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
}

/** Puts the picks into the scratch repository, under a name from which they can be fetched. */
async function keepPlan(engine: Engine, plan: RunPlan): Promise<void> {
  if (plan.groups.length === 0) return;
  await engine.writer.flush(engine.gitDir);
  await run(['git', `--git-dir=${engine.gitDir}`, 'update-ref', `refs/plans/${planHash(plan)}`, plan.tip], {
    timeoutMs: 60_000,
    env: gitEnvironment,
  });
}

export async function reviewOf(
  engine: Engine,
  { scan }: OpenScan,
  plan: RunPlan,
): Promise<Parameters<typeof createReviewPage>[0]> {
  const { pack, objects } = engine;
  const context = { objects, brand: compileBrand(pack), words: compileWords(pack.words, pack.protected) };
  const picks: PickComparison[] = [];
  for (const pick of plan.groups.flatMap((group) => group.picks))
    picks.push(await comparePick(context, pick));
  return { scan, plan, picks };
}

function exitOf(plan: RunPlan): ExitCode {
  if (plan.groups.length > 0) return exitCode.done;
  return plan.parked.length > 0 ? exitCode.blocked : exitCode.nothingToDo;
}

function formatPlan(plan: RunPlan): string {
  const picks = plan.groups.flatMap((group) =>
    group.picks.map((pick) => [
      group.merge?.slice(0, 12) ?? '',
      pick.upstream.slice(0, 12),
      pick.status,
      readable(pick.subject).slice(0, 80),
      pick.doubts.map((doubt) => doubt.rule).join(' '),
    ]),
  );
  const parked = plan.parked.map(({ upstream, subject, why }) => [
    '',
    upstream.slice(0, 12),
    'parked',
    readable(subject).slice(0, 80),
    readable(parkedText(why)),
  ]);
  const cancelled = plan.cancelled.map(({ upstream, revertedBy, subject }) => [
    '',
    upstream.slice(0, 12),
    'cancelled',
    readable(subject).slice(0, 80),
    `taken back by ${revertedBy.slice(0, 12)}`,
  ]);
  const left = plan.leftOut
    .filter((one) => one.why !== 'later')
    .map(({ upstream, subject, why, reason }) => [
      '',
      upstream.slice(0, 12),
      why,
      readable(subject).slice(0, 80),
      readable(reason),
    ]);
  const later = plan.leftOut.length - left.length;
  const rows = [...picks, ...parked, ...cancelled, ...left];
  const table = formatTable(['merge', 'upstream', 'status', 'subject', 'why'], rows);
  const end = `${picks.length} picks onto ${plan.fork.slice(0, 12)}, ${parked.length} parked, ${plan.cancelled.length} cancelled pairs, ${later} wait for the next run`;
  return `${rows.length === 0 ? '' : `${table}\n\n`}${inert(end)}`;
}

export function parkedText(why: ParkedWhy): string {
  switch (why.kind) {
    case 'conflict':
      return [...new Set(why.conflicts.map((conflict) => conflict.type))].join(' ');
    case 'blocked':
      return why.reasons.join('; ');
    case 'depends':
      return `builds on ${why.on.map((sha) => sha.slice(0, 12)).join(' ')}`;
    case 'speaks':
      return speaksOf(why.missing).join('; ');
    case 'decided':
    case 'incomplete':
      return why.reason;
  }
}
