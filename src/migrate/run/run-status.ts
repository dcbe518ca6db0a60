// How far the latest run has come, in words, and what going on or going back would do.
import { firstLines } from '../../core/text.ts';
import { type Journal, type JournalRun, type JournalStep, readJournal } from '../journal/journal.ts';
import { isLocked } from '../journal/lock.ts';
import { describeState, possible, type RunState, runState } from '../journal/run-state.ts';
import { describeStep } from '../model/step.ts';

/** Of what a rollback could not undo, for people. */
const failuresShown = 50;

export interface LatestRun {
  readonly run: JournalRun;
  readonly state: RunState;
}

/** @param atWork whether another process holds the lock; false for the one that holds it itself */
export function latestRun(journal: Journal, atWork: boolean): LatestRun | undefined {
  const run = journal.latest();
  return run === undefined ? undefined : { run, state: runState(run, atWork) };
}

/** For commands that only look: of the folder as it is, whoever is at work on it. undefined where nothing was ever begun. */
export function lookAtLatestRun(folder: string): LatestRun | undefined {
  const journal = readJournal(folder);
  try {
    return journal === undefined ? undefined : latestRun(journal, isLocked(folder));
  } finally {
    journal?.close();
  }
}

/** Several lines: the state, how many steps are done, where the data is. */
export function describeRun(journal: Journal, { run, state }: LatestRun): string {
  const going = possible(state).resume || state.phase === 'applying' || state.phase === 'rolling-back';
  // Of a run that has ended nothing hangs on its steps, which another version may have written.
  const steps = going ? journal.steps(run.id) : [];
  const next = steps.find(({ state: one }) => one === 'planned' || one === 'begun');
  const done = steps.filter(({ state: one }) => one === 'done').length;
  const isBack = state.phase === 'rolling-back' || state.phase === 'rollback-interrupted';
  return [
    `${describeState(state)} (${run.id}).`,
    ...(state.failed === undefined
      ? []
      : firstLines(state.failed.split('\n'), failuresShown, ' (--json names all)').map(
          (line) => `  ${line}`,
        )),
    ...(going
      ? [
          `Begun ${run.begunAt}: ${done} of ${steps.length} steps are done${isBack ? ', the others are undone' : ''}.`,
          isBack
            ? undefined
            : next === undefined
              ? 'Every step is done; verifying is not.'
              : `Next: ${describeStep(next.step).title}${next.state === 'begun' ? ' (was begun)' : ''}.`,
          `The data is ${dataIsMoved(steps) ? "in Incus's directory" : "in LXD's directory"}.`,
        ].filter((line) => line !== undefined)
      : []),
  ].join('\n');
}

/** What resume and rollback would do from here, one line a step; empty where the command is not possible. */
export function whatIsLeft(
  journal: Journal,
  { run, state }: LatestRun,
): { readonly resume: string[]; readonly rollback: string[] } {
  const steps = journal.steps(run.id);
  const can = possible(state);
  return {
    resume: can.resume
      ? steps.filter(({ state: one }) => one !== 'done').map(({ step }) => describeStep(step).title)
      : [],
    rollback: can.rollback
      ? steps
          .filter(({ state: one }) => one === 'done' || one === 'begun')
          .reverse()
          .map(({ step }) => describeStep(step).inverse)
          .filter((inverse) => !inverse.startsWith('nothing to take back'))
      : [],
  };
}

function dataIsMoved(steps: readonly JournalStep[]): boolean {
  const moves = ['move-directory', 'move-mount', 'copy-directory'];
  return steps.some(({ step, state }) => moves.includes(step.kind) && state === 'done');
}
