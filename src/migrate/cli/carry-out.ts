// Carries a run out for somebody who looks on: what is printed of its steps, its verification and its end.
import { join } from 'node:path';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { formatBytes, formatDuration, inert, inline } from '../../core/text.ts';
import type { StepProgress } from '../apply/index.ts';
import { keptFromStarting } from '../apply/kept-from-starting.ts';
import type { Plan } from '../model/plan.ts';
import { describeStep } from '../model/step.ts';
import { estimate, roughly } from '../plan/estimate.ts';
import { migrateFailure } from '../problem.ts';
import { moveAndVerify } from '../run/move-and-verify.ts';
import { purgeRun } from '../run/purge-run.ts';
import { type Purge, purgedInWords, whatWouldBePurged } from '../run/purge-source.ts';
import type { RunWork } from '../run/run-work.ts';
import { renderVerification } from './render-verification.ts';

export interface Work extends RunWork {
  readonly output: Output;
}

/** How a run tells what it does, on this output. */
export function tellingOn(output: Output): Pick<RunWork, 'say' | 'warn'> {
  return { say: (text) => output.progress(`  ${text}`), warn: (text) => output.message(text) };
}

export async function carryOut(work: Work): Promise<ExitCode> {
  const { host, plannedOn, output, run, folder } = work;
  const begun = host.clock();
  const { verification, failed, report } = await moveAndVerify(work, (progress) => {
    const elapsedMs = host.clock() - begun;
    showProgress(progress, output, elapsedMs, secondsLeft(plannedOn.plan, elapsedMs));
  });
  output.line(`\n${renderVerification(verification, output)}`);
  if (failed.length === 0 && work.purge !== undefined) {
    await purgeRun({ ...work, plan: plannedOn.plan }, work.purge);
    output.event({ event: 'purged', ...work.purge });
  }
  output.event({
    event: 'end',
    outcome: failed.length === 0 ? 'done' : 'verify-failed',
    run,
    verification,
    report,
    exit: failed.length === 0 ? exitCode.done : exitCode.failed,
  });
  if (failed.length > 0) throw migrateFailure({ code: 'verify-failed', count: failed.length, report });
  const became = work.purge === undefined ? 'LXD is kept' : 'What was left of LXD is removed';
  output.line(
    `\n${output.colour('green', 'Moved and verified')} in ${formatDuration(host.clock() - begun)}. ${became}, its database in ${join(folder, 'source-database')}.\n${whatBecameOfSource(work)}\nReport: ${report}`,
  );
  return exitCode.done;
}

function whatBecameOfSource({ plannedOn: { plan }, journal, run, purge: purged }: Work): string {
  if (purged !== undefined) return inert(purgedInWords(purged));
  const copied = plan.steps.some(({ kind }) => kind === 'copy-directory');
  return keptFromStarting(journal, run, copied);
}

/** Shown before anybody says "go". */
export async function listPurge(host: Host, plan: Plan, output: Output): Promise<Purge> {
  const listed = await whatWouldBePurged(host, plan);
  const lines = [
    ...listed.folders.map(
      ({ path, bytes, why }) => `${formatBytes(bytes).padStart(10)}  ${inert(path)} (${why})`,
    ),
    ...listed.packages.map((name) => `   package  ${inert(name)}`),
  ];
  output.line(
    `\n--purge-source will delete, after a green verification, with no way back:\n${lines.length === 0 ? '  nothing: there is no more of LXD than the note in its directory' : lines.join('\n')}`,
  );
  output.event({ event: 'purge', ...listed });
  return listed;
}

/** undefined where more time has gone than was expected: then nobody knows. */
function secondsLeft(plan: Plan, elapsedMs: number): number | undefined {
  const left = (estimate(plan)?.afterRehearsal ?? 0) - elapsedMs / 1000;
  return left > 0 ? left : undefined;
}

/** @param left seconds, about */
export function showProgress(progress: StepProgress, output: Output, elapsedMs: number, left?: number): void {
  const { title, inverse } = describeStep(progress.step);
  const count = `${String(progress.position + 1).padStart(2)}/${progress.total}`;
  const at = formatDuration(elapsedMs).padStart(8);
  output.event({
    event: 'step',
    position: progress.position,
    total: progress.total,
    kind: progress.step.kind,
    title,
    state: progress.state,
    milliseconds: Math.round(progress.milliseconds),
    ...(progress.error === undefined ? {} : { error: progress.error }),
  });
  if (progress.state === 'begun')
    output.progress(`${at}  ${count}  ${left === undefined ? '' : `(about ${roughly(left)} left) `}${title}`);
  else if (progress.state === 'done') output.line(`${at}  ${count}  ${inert(title)}`);
  else if (progress.state === 'undone') output.line(`${at}  ${count}  taken back: ${inert(inverse)}`);
  else
    output.line(
      `${at}  ${count}  ${output.colour('red', progress.state === 'failed' ? 'failed' : 'could not be taken back')}: ${inert(title)}: ${inline(progress.error ?? '')}`,
    );
}
