// `status`, `resume` and `rollback`: what can be done with a migration that was begun, or is finished.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import { loggedHost, loggedOutput, openLog, tell } from '../../core/log.ts';
import type { Output } from '../../core/output.ts';
import { ownCommand } from '../../core/program-name.ts';
import { formatBytes, formatDuration, inert } from '../../core/text.ts';
import { keptFromStartingNow } from '../apply/kept-from-starting.ts';
import { forgetFolders, listOfFolders, recordFolder } from '../apply/known-folders.ts';
import { openForWork } from '../apply/open-for-work.ts';
import { goneFolders } from '../apply/other-runs.ts';
import { type KeptFolder, keptFolders, pruneRun } from '../apply/prune.ts';
import { purgedInWords } from '../apply/purge-source.ts';
import { refuseMovedFolder, whereItWas } from '../apply/refuse-moved-folder.ts';
import { rollBack } from '../apply/roll-back.ts';
import { describeRun, latestRun, whatIsLeft } from '../apply/run-status.ts';
import { waitIfShuttingDown } from '../apply/service-control.ts';
import { changesSinceSwitch } from '../apply/since-switch.ts';
import { sourceCameBackFinding } from '../apply/source-came-back.ts';
import { sourceGone } from '../apply/source-gone.ts';
import { answeringSocket } from '../daemon/answering-socket.ts';
import type { Services } from '../detect/services-file.ts';
import { hasEnded, type Journal, type JournalRun, journalFile, readJournal } from '../journal/journal.ts';
import { isLocked, takeLock } from '../journal/lock.ts';
import { noteNames, requiredNote } from '../journal/noted.ts';
import { isUnfinished, possible, type RunState } from '../journal/run-state.ts';
import { hostStands } from '../machine/host-stands.ts';
import { type Answers, isOpen } from '../model/finding.ts';
import type { Plan } from '../model/plan.ts';
import { describeStep } from '../model/step.ts';
import { daemonRef, runFolder } from '../plan/make-steps.ts';
import { migrateFailure } from '../problem.ts';
import { makeReportFolder } from '../report/index.ts';
import { usualState } from '../usual-state.ts';
import { refuseOtherRuns } from './beside-a-run.ts';
import {
  applyContext,
  carryOut,
  goOnPurging,
  listPurge,
  plannedOnOf,
  showProgress,
  type Work,
} from './carry-out.ts';
import type { AllOptions, OptionsOf } from './command-options.ts';
import { confirm } from './confirm.ts';
import { watchInterrupts } from './interrupts.ts';
import { answersOf, type StopOptions, servicesOf, stateFolder, stopOptions } from './options.ts';
import { refusePlacesIn } from './refuse-own-places.ts';
import { refuseUnknownIds } from './refuse-unknown-ids.ts';
import { renderFindings } from './render-plan.ts';
import { tellOtherRuns } from './tell-other-runs.ts';

export async function statusCommand(
  host: Host,
  options: OptionsOf<'status'>,
  output: Output,
): Promise<ExitCode> {
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command: 'status' });
  const folder = stateFolder(options);
  tellOtherRuns(host, folder, 'status', output);
  const journal = readJournal(folder);
  try {
    const latest = journal === undefined ? undefined : latestRun(journal, isLocked(folder));
    if (journal === undefined || latest === undefined) return nothing(output, 'No migration was begun here.');
    const { run, state } = latest;
    const left = whatIsLeft(journal, latest);
    const kept = keptFolders(journal, folder);
    const cameBack = state.phase.startsWith('purg') ? [] : sourceCameBackFinding(host, journal, run.id);
    const gone = possible(state).rollback ? sourceGone(host, journal, run.id) : [];
    const findings = [...cameBack, ...gone];
    const steps = journal.steps(run.id).map(({ step }) => step);
    const was = hasEnded(run) ? undefined : whereItWas(host, steps, runFolder(folder, run.id));
    output.event({
      event: 'status',
      run: run.id,
      ...(was === undefined ? {} : { folderWas: was }),
      begunAt: run.begunAt,
      state: state.phase,
      ...(state.failed === undefined ? {} : { failed: state.failed }),
      steps: journal.steps(run.id).map(({ step, state: one }) => ({ kind: step.kind, state: one })),
      left,
      kept,
      findings,
    });
    output.line(describeRun(journal, latest).split('\n').map(inert).join('\n'));
    if (state.phase === 'done') {
      const copied = journal.steps(run.id).some(({ step }) => step.kind === 'copy-directory');
      const looked = { kept: copied, cameBack: cameBack.length > 0 };
      output.line(inert(await keptFromStartingNow(host, journal, run.id, looked)));
      if (was === undefined)
        output.line(
          findings.length === 0
            ? `"${ownCommand('rollback')}" brings LXD back.`
            : `"${ownCommand('rollback')}" refuses because of what is named below.`,
        );
    }
    if (was !== undefined)
      output.line(
        inert(
          `The folder of this migration was ${was} when it began, and its steps need it there. resume and rollback refuse until it is put back.`,
        ),
      );
    if (isUnfinished(state)) {
      output.line((await hostStands(host, journal.plan(run.id))).map(inert).join('\n'));
      output.line(
        `\n${resumeWould(state)}:\n${list(left.resume)}\n\nrollback would:\n${list(left.rollback)}`,
      );
    }
    if (findings.length > 0) output.line(`\n${renderFindings(findings, noAnswers, output, 'with --json')}`);
    output.line(renderKept(kept, folder));
    return exitCode.done;
  } finally {
    journal?.close();
  }
}

/** `status` only shows. */
const noAnswers: Answers = { accept: new Set(), fix: false };

/** After a rollback that was interrupted it is not what most people want. */
function resumeWould({ phase }: RunState): string {
  return phase === 'rollback-interrupted'
    ? '\nrollback goes on with bringing LXD back. resume moves the server to Incus again, and would'
    : 'resume would';
}

function renderKept(kept: readonly KeptFolder[], state: string): string {
  const total = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  const old = kept.filter(({ prunable }) => prunable);
  const lines = kept.map(
    ({ run, bytes, prunable }) =>
      `${formatBytes(bytes).padStart(10)}  ${inert(run)}${prunable ? '  (nothing can need it any more)' : ''}`,
  );
  return [
    `\nKept in ${inert(state)}: ${formatBytes(total)}`,
    ...lines,
    ...(old.length === 0
      ? []
      : [
          `"${ownCommand('prune')}" removes what nothing can need; of runs that have ended, the next migration keeps the last one.`,
        ]),
  ].join('\n');
}

export function list(lines: readonly string[]): string {
  return lines.length === 0 ? '  nothing more' : lines.map((line) => `  ${line}`).join('\n');
}

export async function resumeCommand(
  host: Host,
  options: OptionsOf<'resume'>,
  output: Output,
): Promise<ExitCode> {
  const asked = { ...stopOptions(options), services: servicesOf(options), report: options.report };
  const { yes = false, purgeSource = false } = options;
  return withJournal({ host, options, output }, 'resume', async (journal, folder) => {
    const latest = latestRun(journal, false);
    if (latest === undefined || !possible(latest.state).resume)
      return nothing(output, 'There is no unfinished migration to go on with.');
    const { run, state } = latest;
    output.line(describeRun(journal, latest));
    const plan = journal.plan(run.id);
    if (state.phase === 'purge-interrupted') {
      const listed = requiredNote(journal, run.id, noteNames.purge);
      if (!yes && !(await confirm('Go on removing LXD now?', output))) return exitCode.blocked;
      await goOnPurging({ host, plan, output, journal, run: run.id }, listed);
      output.line(inert(purgedInWords(listed)));
      return exitCode.done;
    }
    const purge = purgeSource ? await listPurge(host, plan, output) : undefined;
    const question =
      state.phase === 'rollback-interrupted'
        ? 'A rollback was begun. Move this server to Incus all the same?'
        : 'Go on with it now?';
    if (!yes && !(await confirm(question, output))) return exitCode.blocked;
    return withWork({ host, asked, output, state: folder, journal }, run, {
      act: (work) => carryOut({ ...work, purge }),
      comparesWithPlan: true,
    });
  });
}

/** Accepted once, and named again when a rollback is tried again, which may have undone what they were about. */
const rollbackIds = ['gone-since-switch', 'source-gone'];

export async function rollbackCommand(
  host: Host,
  options: OptionsOf<'rollback'>,
  output: Output,
): Promise<ExitCode> {
  const asked = { ...stopOptions(options), services: servicesOf(options), report: undefined };
  const answers = answersOf(options);
  const { yes = false } = options;
  return withJournal({ host, options, output }, 'rollback', async (journal, folder) => {
    const latest = latestRun(journal, false);
    if (latest === undefined) return nothing(output, 'There is no migration to roll back.');
    const { run, state } = latest;
    if (!possible(state).rollback) return nothing(output, describeRun(journal, latest));
    // A later run that is under way elsewhere has the data; of two unfinished ones, either may have to go first.
    if (!isUnfinished(state)) refuseOtherRuns(host, options, (text) => output.message(text));
    const changes = changesSinceSwitch(host, journal, run.id, runFolder(folder, run.id));
    const findings = [
      ...sourceCameBackFinding(host, journal, run.id),
      ...sourceGone(host, journal, run.id),
      ...changes.findings,
    ];
    refuseUnknownIds(answers, findings, rollbackIds);
    output.line(describeRun(journal, latest));
    if (findings.length > 0) output.line(renderFindings(findings, answers, output, 'with --json'));
    output.event({ event: 'findings', run: run.id, findings });
    const open = findings.filter((finding) => isOpen(finding, answers));
    if (open.length > 0) throw migrateFailure({ code: 'findings-open', ids: open.map(({ id }) => id) });
    if (!yes && !(await confirm('Bring LXD back now?', output))) return exitCode.blocked;
    const accepted = new Set([...(journal.noted(run.id, noteNames.acceptedAsGone) ?? []), ...changes.gone]);
    journal.note(run.id, noteNames.acceptedAsGone, [...accepted]);
    return withWork({ host, asked, output, state: folder, journal }, run, {
      act: bringBack,
      comparesWithPlan: false,
    });
  });
}

async function bringBack(work: Work): Promise<ExitCode> {
  const { host, output, journal, run, folder, plannedOn } = work;
  const begun = host.clock();
  let current = '';
  const context = applyContext(work, () => current);
  const { failed, leftOpen } = await rollBack(context, {
    onProgress: (progress) => {
      current = describeStep(progress.step).inverse;
      showProgress(progress, output, host.clock() - begun);
    },
  });
  if (failed.length > 0) throw migrateFailure({ code: 'rollback-incomplete', failed, state: folder });
  output.event({
    event: 'end',
    outcome: 'undone',
    run,
    failed: leftOpen,
    exit: leftOpen.length === 0 ? exitCode.done : exitCode.failed,
  });
  if (leftOpen.length > 0) throw migrateFailure({ code: 'rollback-left-open', what: leftOpen });
  const socket = await answeringSocket(host, daemonRef(plannedOn.plan.source));
  const asBefore = journal.noted(run, noteNames.sourceListened) === false;
  const targetDatabase = join(folder, 'target-database');
  const keptDatabase = existsSync(targetDatabase) ? ` Incus's database is kept in ${targetDatabase}.` : '';
  const someGone = (journal.noted(run, noteNames.acceptedAsGone) ?? []).some((what) =>
    what.startsWith('instance '),
  );
  const runs =
    socket !== undefined
      ? `what ran runs${someGone ? ', apart from what is gone since the move' : ''}`
      : `it does not run${asBefore ? ', as when the migration began' : ''}`;
  output.line(
    `\n${output.colour('green', 'LXD is back')} in ${formatDuration(host.clock() - begun)}; ${runs}.${keptDatabase}`,
  );
  return exitCode.done;
}

/** Removes what the tool keeps of runs that can never be rolled back, and forgets folders that are gone. */
export async function pruneCommand(
  host: Host,
  options: OptionsOf<'prune'>,
  output: Output,
): Promise<ExitCode> {
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command: 'prune' });
  const { yes = false } = options;
  const forgotten = await forgetGoneFolders(host, options, output);
  if (forgotten === 'declined') return exitCode.blocked;
  const end = (removed: readonly KeptFolder[]): ExitCode => {
    output.event({ event: 'end', outcome: 'pruned', removed, forgotten, exit: exitCode.done });
    return exitCode.done;
  };
  if (forgotten.length > 0 && !existsSync(journalFile(stateFolder(options)))) return end([]);
  return withJournal({ host, options, output }, 'prune', async (journal, state) => {
    const old = keptFolders(journal, state).filter(({ prunable }) => prunable);
    if (old.length === 0)
      return forgotten.length > 0
        ? end([])
        : nothing(output, 'There is nothing that no rollback could need.');
    const total = formatBytes(old.reduce((sum, { bytes }) => sum + bytes, 0));
    output.line(
      `These can be removed, ${total} in all:\n${old.map(({ path, bytes }) => `${formatBytes(bytes).padStart(10)}  ${inert(path)}`).join('\n')}`,
    );
    if (!yes && !(await confirm('Remove them now?', output))) return exitCode.blocked;
    for (const { run } of old) pruneRun(journal, state, run);
    output.line(`${total} removed.`);
    return end(old);
  });
}

/** Takes state folders that are gone out of the list, where no run in them was under way. */
async function forgetGoneFolders(
  host: Host,
  options: OptionsOf<'prune'>,
  output: Output,
): Promise<readonly string[] | 'declined'> {
  const say = (text: string): void => output.message(text);
  const state = stateFolder(options);
  const gone = goneFolders(host, state, say);
  if (gone.length === 0) return [];
  output.line(
    `These state folders are gone, and the migration in each was finished. Without them it cannot be rolled back:\n${gone.map((folder) => `  ${inert(folder)}`).join('\n')}`,
  );
  if (options.yes !== true && !(await confirm('Take them out of the list of state folders?', output)))
    return 'declined';
  const release = takeLock(host, host.path(usualState));
  try {
    // One may have been mounted meanwhile.
    const still = goneFolders(host, state, say).filter((folder) => gone.includes(folder));
    forgetFolders(host, still, say);
    output.line(`${still.length} of them taken out of ${listOfFolders}.`);
    return still;
  } finally {
    release();
  }
}

async function withJournal(
  {
    host,
    options,
    output,
  }: { readonly host: Host; readonly options: Pick<AllOptions, 'state'>; readonly output: Output },
  command: 'resume' | 'rollback' | 'prune',
  work: (journal: Journal, state: string) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command });
  const state = stateFolder(options);
  if (command !== 'prune') tellOtherRuns(host, state, command, output);
  // Looking must not make a folder where nothing was ever begun.
  if (!existsSync(journalFile(state))) return nothing(output, 'No migration was begun here.');
  const release = takeLock(host, state);
  try {
    const journal = openForWork(state);
    try {
      return await work(journal, state);
    } finally {
      journal.close();
      recordFolder(host, state, (text) => output.message(text));
    }
  } finally {
    release();
  }
}

function nothing(output: Output, text: string): ExitCode {
  output.line(text);
  output.event({ event: 'end', outcome: 'nothing-to-do', exit: exitCode.nothingToDo });
  return exitCode.nothingToDo;
}

/** Commands that turned out to be wrong must not stand in the way of what is left to do. */
function replaceServices(journal: Journal, run: string, services: Services): void {
  for (const { position, step } of journal.steps(run)) {
    if (!('daemon' in step)) continue;
    const service = services[step.daemon.role];
    if (service.kind !== 'none')
      journal.amend(run, position, { ...step, daemon: { ...step.daemon, service } });
  }
}

/** What the command line asks of a run. */
interface Asked extends StopOptions {
  readonly services: Services | undefined;
  readonly report: string | undefined;
}

interface Setting {
  readonly host: Host;
  readonly asked: Asked;
  readonly output: Output;
  readonly state: string;
  readonly journal: Journal;
}

/** Instances may take as long as each of them is given. */
const shutDownLimitMs = 600_000;

function prepareReport(host: Host, report: string, { source, target }: Plan): void {
  const directories = [source, ...(target === undefined ? [] : [target])].map(({ role, dataDirectory }) => ({
    product: role === 'source' ? 'LXD' : 'Incus',
    path: dataDirectory,
  }));
  refusePlacesIn(host, { report }, directories);
  makeReportFolder(report);
}

interface Action {
  readonly act: (work: Work) => Promise<ExitCode>;
  /** Whether it cannot do without the database that the run was planned on. */
  readonly comparesWithPlan: boolean;
}

async function withWork(
  { host, asked, output: bareOutput, state, journal }: Setting,
  { id }: JournalRun,
  { act, comparesWithPlan }: Action,
): Promise<ExitCode> {
  const { services, report, stopLimitMs, forceStop } = asked;
  if (report !== undefined) prepareReport(host, report, journal.plan(id));
  if (services !== undefined) replaceServices(journal, id, services);
  const folder = runFolder(state, id);
  if (!existsSync(folder)) throw migrateFailure({ code: 'run-folder-gone', run: id, missing: folder });
  refuseMovedFolder(
    host,
    id,
    journal.steps(id).map(({ step }) => step),
    folder,
  );
  const { plannedOn, unreadable } = plannedOnOf(journal, id, folder);
  if (comparesWithPlan && unreadable !== undefined)
    throw migrateFailure({ code: 'run-folder-gone', run: id, missing: unreadable });
  const log = asFileFailure('open the log', folder, () =>
    openLog(join(folder, 'log'), (text) => bareOutput.message(text)),
  );
  const logged = loggedHost(host, log);
  const output = loggedOutput(bareOutput, log);
  try {
    const { source, target } = plannedOn.plan;
    for (const daemon of [source, ...(target === undefined ? [] : [target])])
      await waitIfShuttingDown(logged, daemonRef(daemon), shutDownLimitMs, (text) =>
        output.progress(`  ${text}`),
      );
    return await act({
      host: logged,
      plannedOn,
      output,
      journal,
      run: id,
      folder,
      stopLimitMs,
      forceStop,
      purge: undefined,
      report,
      interrupted: watchInterrupts(output),
    });
  } catch (error) {
    tell(log, error);
    throw error;
  } finally {
    log.close();
  }
}
