// A whole rollback: every step that was begun is undone, last first, and the run's state says how far it came.
import { Failure } from '../../core/failure.ts';
import { noteNames } from '../journal/noted.ts';
import { type ApplyOptions, undoSteps } from './index.ts';
import type { ApplyContext } from './step-handler.ts';
import { settleSource } from './steps/record-source.ts';
import { unitsNotAsBefore } from './units-as-before.ts';

export interface RolledBack {
  /** Undos that failed, each in words; the next rollback tries them again. Empty: all is undone. */
  readonly failed: readonly string[];
  /** What could not be brought back although all is undone, such as an instance that does not start. */
  readonly leftOpen: readonly string[];
}

/** Can be called again wherever it was interrupted. */
export async function rollBack(context: ApplyContext, options: ApplyOptions): Promise<RolledBack> {
  const { journal, run, host } = context;
  enterIfPossible(context, 'rolling-back');
  const failed = await undoSteps(context, options);
  if (failed.length === 0) {
    await settleOlderRun(context);
    // Only now: an LXD that comes up with the next rollback brings its units along.
    for (const line of await unitsNotAsBefore(host, journal, run)) context.leaveOpen(line);
  }
  const leftOpen = journal.noted(run, noteNames.leftOpen) ?? [];
  if (failed.length === 0)
    journal.enter(run, 'rolled-back', host.now(), leftOpen.length === 0 ? undefined : leftOpen.join('\n'));
  else enterIfPossible(context, 'rolling-back', failed.join('\n'));
  return { failed, leftOpen };
}

/** Runs of the first format have no step for it. */
async function settleOlderRun(context: ApplyContext): Promise<void> {
  const steps = context.journal.steps(context.run).map(({ step }) => step);
  if (steps.some(({ kind }) => kind === 'record-source')) return;
  const source = steps.flatMap((step) =>
    step.kind === 'stop-daemon' && step.daemon.role === 'source' ? [step.daemon] : [],
  )[0];
  if (source !== undefined) await settleSource(context, source);
}

/** On a full disk nothing can be written: the run keeps the state that it has, which is unfinished as well. */
export function enterIfPossible(
  { journal, run, host }: ApplyContext,
  phase: 'applying' | 'rolling-back',
  failed?: string,
): void {
  try {
    journal.enter(run, phase, host.now(), failed);
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.code !== 'file-system') throw error;
  }
}
