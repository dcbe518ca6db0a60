// Says in plain words where an interrupted migration stands, and what going on or going back would do.
import { describeStep } from '../plan/step.ts';
import type { Journal, JournalRun, JournalStep } from './journal.ts';

/** Begun, and neither finished nor taken back. */
export function isUnfinished({ outcome }: JournalRun): boolean {
  return outcome === undefined || outcome === 'failed';
}

export function whereItStands(journal: Journal, run: JournalRun): string {
  const steps = journal.steps(run.id);
  const undoing = steps.some(({ state }) => state === 'undone');
  const next = steps.find(({ state }) => state === 'planned' || state === 'begun');
  const done = steps.filter(({ state }) => state === 'done').length;
  const lines = [
    `Begun ${run.begunAt}: ${done} of ${steps.length} steps are done${undoing ? ', and some were taken back' : ''}.`,
    next === undefined
      ? 'Every step is done; verifying is not.'
      : `Next: ${describeStep(next.step).title}${next.state === 'begun' ? ' (was begun)' : ''}.`,
    `The data is ${dataIsMoved(steps) ? "in Incus's directory" : "in LXD's directory"}.`,
  ];
  return lines.join('\n');
}

/** What resume and rollback would do from here, one line a step. */
export function whatIsLeft(
  journal: Journal,
  run: JournalRun,
): { readonly resume: string[]; readonly rollback: string[] } {
  const steps = journal.steps(run.id);
  return {
    resume: steps.filter(({ state }) => state !== 'done').map(({ step }) => describeStep(step).title),
    rollback: steps
      .filter(({ state }) => state === 'done' || state === 'begun')
      .reverse()
      .map(({ step }) => describeStep(step).inverse)
      .filter((inverse) => !inverse.startsWith('nothing to take back')),
  };
}

function dataIsMoved(steps: readonly JournalStep[]): boolean {
  const moves = ['move-directory', 'move-mount', 'copy-directory'];
  return steps.some(({ step, state }) => moves.includes(step.kind) && state === 'done');
}
