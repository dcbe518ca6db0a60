// apply: carries out the steps of a plan, each journalled before it is begun; takes them back when one fails before the switch.
import { Failure } from '../../core/failure.ts';
import type { JournalStep } from '../journal/journal.ts';
import { noteNames } from '../journal/noted.ts';
import { describeStep, type Step } from '../model/step.ts';
import { type MigrateProblem, migrateFailure } from '../problem.ts';
import { enterIfPossible, rollBack } from './roll-back.ts';
import { type ApplyContext, memoOf, type StepHandler, type StepHandlers } from './step-handler.ts';
import { copyAheadStep, copyDirectoryStep } from './steps/copy-directory.ts';
import {
  recordPowerStep,
  restorePowerStep,
  startDaemonStep,
  stopDaemonStep,
  stopInstancesStep,
} from './steps/daemons.ts';
import { recordDirectoryStep } from './steps/directory.ts';
import {
  addIdRangeStep,
  convertAgainStep,
  emptyRuntimeFolderStep,
  installDatabaseStep,
  moveDirectoryStep,
  renameSnapshotsFolderStep,
  repointLinksStep,
  setAsideDatabaseStep,
  setAsideTargetStep,
} from './steps/files.ts';
import { refreshBackupFilesStep, releaseAutostartStep, writeDumpStep } from './steps/instances.ts';
import { leaveNoteStep } from './steps/leave-note.ts';
import { clearLeftoversStep, proveQuietStep } from './steps/leftovers.ts';
import { emptyTargetMountStep, moveMountStep } from './steps/mount.ts';
import { recordSourceStep } from './steps/record-source.ts';
import { disableSourceStep, maskSourceStep, maskTargetStep, unmaskTargetStep } from './steps/units.ts';

const handlers: StepHandlers = {
  'record-source': recordSourceStep,
  'record-power': recordPowerStep,
  'stop-daemon': stopDaemonStep,
  'clear-leftovers': clearLeftoversStep,
  'set-aside-target': setAsideTargetStep,
  'stop-instances': stopInstancesStep,
  'mask-source': maskSourceStep,
  'mask-target': maskTargetStep,
  'unmask-target': unmaskTargetStep,
  'disable-source': disableSourceStep,
  'prove-quiet': proveQuietStep,
  'convert-again': convertAgainStep,
  'record-directory': recordDirectoryStep,
  'move-directory': moveDirectoryStep,
  'set-aside-database': setAsideDatabaseStep,
  'install-database': installDatabaseStep,
  'rename-snapshots-folder': renameSnapshotsFolderStep,
  'repoint-links': repointLinksStep,
  'add-id-range': addIdRangeStep,
  'empty-runtime-folder': emptyRuntimeFolderStep,
  'start-daemon': startDaemonStep,
  'restore-power': restorePowerStep,
  'release-autostart': releaseAutostartStep,
  'move-mount': moveMountStep,
  'empty-target-mount': emptyTargetMountStep,
  'copy-ahead': copyAheadStep,
  'copy-directory': copyDirectoryStep,
  'leave-note': leaveNoteStep,
  'refresh-backup-files': refreshBackupFilesStep,
  'write-dump': writeDumpStep,
};

export interface StepProgress {
  readonly position: number;
  readonly total: number;
  readonly step: Step;
  readonly state: 'begun' | 'done' | 'failed' | 'undone' | 'undo-failed';
  readonly milliseconds: number;
  readonly error?: string;
}

export interface ApplyOptions {
  readonly onProgress: (progress: StepProgress) => void;
}

/**
 * Carries out every step of the run that is not done.
 * When one fails before the target was started, everything done is taken back, so that LXD is as it was.
 * @throws {Failure<MigrateProblem>} step-failed, with what was taken back; findings of the step's own (plan-stale) as they are
 */
export async function applySteps(context: ApplyContext, options: ApplyOptions): Promise<void> {
  const { journal, run, host } = context;
  const steps = journal.steps(run);
  journal.enter(run, 'applying', host.now());
  // Of an earlier rollback that was not completed: what it left open is about to change.
  journal.note(run, noteNames.leftOpen, []);
  // Done, and written down as that together with the next one's begin: until then it is carried out again after a crash.
  let done: number | undefined;
  const settle = (): void => {
    if (done !== undefined) journal.mark(run, done, 'done', host.now());
    done = undefined;
  };
  for (const entry of steps) {
    if (entry.state !== 'done' && context.interrupted()) {
      settle();
      throw migrateFailure({ code: 'interrupted', step: describeStep(entry.step).title });
    }
    const { apply, holds } = handlerOf(entry.step);
    const report = reporter(context, options, entry, steps.length);
    try {
      if (entry.state === 'done' && (await holds?.(callOf(entry, context))) !== false) continue;
      journal.goOn(run, done, entry.position, host.now());
      done = undefined;
      report('begun');
      await apply(callOf(entry, context));
      done = entry.position;
      report('done');
    } catch (error) {
      // Stopped inside of a step that takes long: it goes on from there.
      if (error instanceof Failure && error.problem.code === 'interrupted') throw error;
      report('failed', error instanceof Failure ? error.explanation.what : String(error));
      await afterFailure(context, options, entry, error);
    }
  }
  settle();
}

type Report = (state: StepProgress['state'], error?: string) => void;

function reporter(
  { host }: ApplyContext,
  { onProgress }: ApplyOptions,
  { position, step }: JournalStep,
  total: number,
): Report {
  const begun = host.clock();
  return (state, error) =>
    onProgress({
      position,
      total,
      step,
      state,
      milliseconds: host.clock() - begun,
      ...(error === undefined ? {} : { error }),
    });
}

/** Codes of what a user has to decide on: each says so better by itself than as the failure of a step. */
const isForUser: ReadonlySet<string> = new Set<MigrateProblem['code']>([
  'plan-stale',
  'instance-will-not-stop',
  'operations-running',
]);

/** Never returns: takes back what can be, then says how things stand. */
async function afterFailure(
  context: ApplyContext,
  options: ApplyOptions,
  failed: JournalStep,
  error: unknown,
): Promise<never> {
  const { journal, run } = context;
  const why =
    error instanceof Failure
      ? [error.explanation.what, error.explanation.where].filter((part) => part !== undefined).join('\n')
      : String(error);
  const switched = journal
    .steps(run)
    .some(({ step, state }) => step.kind === 'start-daemon' && state !== 'planned');
  const title = describeStep(failed.step).title;
  if (switched) {
    enterIfPossible(context, 'applying', `${title}: ${why}`);
    throw migrateFailure(
      { code: 'step-failed', step: title, why, undone: false, state: run, leftOpen: [] },
      error,
    );
  }
  const { failed: notUndone, leftOpen } = await rollBack(context, options);
  const undone = notUndone.length === 0;
  if (undone && leftOpen.length === 0 && error instanceof Failure && isForUser.has(error.problem.code))
    throw error;
  throw migrateFailure({ code: 'step-failed', step: title, why, undone, state: run, leftOpen }, error);
}

/**
 * Undoes every step that was begun, last first. Where an undo fails, those before it are undone as well if nothing of them
 * hangs on it; otherwise it stops there, since going on could make things worse.
 * @returns the undos that failed, in words; empty: everything is undone
 */
export async function undoSteps(context: ApplyContext, options: ApplyOptions): Promise<string[]> {
  const { journal, run, host } = context;
  const steps = journal.steps(run);
  const failed: string[] = [];
  for (const entry of steps.toReversed()) {
    const isUndone = entry.state === 'planned' || entry.state === 'undone';
    const { undo, holdsUndone, undoIsIndependent } = handlerOf(entry.step);
    const report = reporter(context, options, entry, steps.length);
    try {
      if (isUndone && (await holdsUndone?.(callOf(entry, context))) !== false) continue;
      // Killed inside of it, or behind it, the step is neither done nor undone: a resume carries it out again.
      if (entry.state === 'done') journal.mark(run, entry.position, 'begun', host.now());
      await undo(callOf(entry, context));
      journal.mark(run, entry.position, 'undone', host.now());
      report('undone');
    } catch (error) {
      const why = wordsOf(error);
      failed.push(`${describeStep(entry.step).inverse}: ${why}`);
      report('undo-failed', why);
      if (undoIsIndependent !== true) return failed;
    }
  }
  return failed;
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Failure)) return error instanceof Error ? error.message : String(error);
  const { what, where } = error.explanation;
  return where === undefined ? what : `${what}\n${where}`;
}

/**
 * What a step remembered, read as its undo will read it.
 * @throws {Failure<MigrateProblem>} journal-unreadable
 */
export function parseMemo(
  step: Step,
  memo: unknown,
  context: Pick<ApplyContext, 'journal' | 'run'>,
): unknown {
  const { memo: schema } = handlerOf(step);
  return schema === undefined ? memo : memoOf(schema, { step, memo, context });
}

/** The compiler cannot see that a step and its handler agree on the kind; the map's type says that they do. */
function handlerOf(step: Step): StepHandler<Step> {
  return handlers[step.kind] as StepHandler<Step>;
}

function callOf(entry: JournalStep, context: ApplyContext) {
  return {
    step: entry.step,
    memo: entry.memo,
    remember: (memo: unknown) => context.journal.remember(context.run, entry.position, memo),
    context,
  };
}
