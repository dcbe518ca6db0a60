// `status`, `resume` and `rollback`: what can be done with a migration that was begun, or is finished.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import { loggedHost, loggedOutput, openLog, tell } from '../../core/log.ts';
import type { Output } from '../../core/output.ts';
import { ownCommand } from '../../core/program-name.ts';
import { formatDuration, inert } from '../../core/text.ts';
import { hostStands } from '../apply/host-stands.ts';
import { undoSteps } from '../apply/index.ts';
import { type Journal, type JournalRun, openJournal, takeLock } from '../apply/journal.ts';
import { removeMadeByTarget } from '../apply/made-by-target.ts';
import { answeringSocket, waitIfShuttingDown } from '../apply/service-control.ts';
import { changesSinceSwitch } from '../apply/since-switch.ts';
import { sourceCameBackFinding } from '../apply/source-came-back.ts';
import { sourceGone } from '../apply/source-gone.ts';
import { startAgain } from '../apply/start-again.ts';
import { noteNames } from '../apply/step-handler.ts';
import { isUnfinished, whatIsLeft, whereItStands } from '../apply/where-it-stands.ts';
import { isOpen } from '../check/index.ts';
import { daemonClient } from '../daemon/client.ts';
import type { Services } from '../detect/services-file.ts';
import { describeStep, type Plan } from '../plan/index.ts';
import { daemonRef, runFolder } from '../plan/make-steps.ts';
import type { DaemonRef } from '../plan/step.ts';
import { migrateFailure } from '../problem.ts';
import { makeReportFolder } from '../report/index.ts';
import { refreshBackupFiles } from '../verify/refresh-backup-files.ts';
import { writeAsRoot } from '../verify/write-as-root.ts';
import {
  applyContext,
  carryOut,
  listPurge,
  missingOfRun,
  plannedOnOf,
  showProgress,
  type Work,
} from './carry-out.ts';
import { confirm } from './confirm.ts';
import { watchInterrupts } from './interrupts.ts';
import { answersOf, type CommonOptions, detectOptions, stateFolder } from './options.ts';
import { refusePlacesIn } from './refuse-own-places.ts';
import { renderFindings } from './render-plan.ts';

export interface RunOptions extends CommonOptions {
  readonly yes?: boolean;
  readonly stopTimeout?: string;
  readonly forceStop?: boolean;
  readonly purgeSource?: boolean;
}

export async function statusCommand(host: Host, options: RunOptions, output: Output): Promise<ExitCode> {
  return withJournal(host, options, 'status', async (journal) => {
    const latest = journal.latest();
    if (latest === undefined) return nothing(output, 'No migration was begun here.');
    const where = whereItStands(journal, latest);
    const left = whatIsLeft(journal, latest);
    const cameBack = latest.outcome === 'purged' ? [] : sourceCameBackFinding(host, journal, latest.id);
    output.event({
      event: 'status',
      run: latest.id,
      begunAt: latest.begunAt,
      outcome: latest.outcome ?? 'interrupted',
      steps: journal.steps(latest.id).map(({ step, state }) => ({ kind: step.kind, state })),
      left,
      findings: cameBack,
    });
    if (latest.outcome === 'finished')
      output.line(
        `Migrated and verified (${latest.id}). LXD is kept; "${ownCommand('rollback')}" brings it back.`,
      );
    else if (latest.outcome === 'purged')
      output.line(
        `Migrated and verified (${latest.id}). What was left of LXD was removed (--purge-source): there is no way back.`,
      );
    else if (latest.outcome === 'undone') output.line(`Taken back (${latest.id}): LXD is as it was.`);
    else {
      const stands = await hostStands(host, journal.plan(latest.id) as Plan);
      output.line(`${output.colour('yellow', 'Not finished')} (${latest.id})\n${where}`);
      output.line(stands.map(inert).join('\n'));
      output.line(`\nresume would:\n${list(left.resume)}\n\nrollback would:\n${list(left.rollback)}`);
    }
    if (cameBack.length > 0) output.line(`\n${renderFindings(cameBack, answersOf(options), output)}`);
    return exitCode.done;
  });
}

export function list(lines: readonly string[]): string {
  return lines.length === 0 ? '  nothing more' : lines.map((line) => `  ${line}`).join('\n');
}

export async function resumeCommand(host: Host, options: RunOptions, output: Output): Promise<ExitCode> {
  return withJournal(host, options, 'resume', async (journal, state) => {
    const latest = journal.latest();
    if (latest === undefined || !isUnfinished(latest))
      return nothing(output, 'There is no unfinished migration to go on with.');
    output.line(whereItStands(journal, latest));
    const plan = journal.plan(latest.id) as Plan;
    const purge = options.purgeSource === true ? await listPurge(host, plan, output) : undefined;
    if (options.yes !== true && !(await confirm('Go on with it now?', output))) return exitCode.blocked;
    return withWork({ host, options, output, state, journal }, latest, (work) =>
      carryOut({ ...work, purge }),
    );
  });
}

export async function rollbackCommand(host: Host, options: RunOptions, output: Output): Promise<ExitCode> {
  return withJournal(host, options, 'rollback', async (journal, state) => {
    const latest = journal.latest();
    if (latest === undefined || latest.outcome === 'undone')
      return nothing(output, 'There is no migration to take back.');
    if (latest.outcome === 'purged')
      return nothing(output, 'LXD was removed after the migration (--purge-source): there is no way back.');
    const findings = [
      ...sourceCameBackFinding(host, journal, latest.id),
      ...sourceGone(host, journal, latest.id),
      ...changesSinceSwitch(host, journal, latest.id, runFolder(state, latest.id)),
    ];
    const answers = answersOf(options);
    output.line(whereItStands(journal, latest));
    if (findings.length > 0) output.line(renderFindings(findings, answers, output));
    output.event({ event: 'findings', run: latest.id, findings });
    const open = findings.filter((finding) => isOpen(finding, answers));
    if (open.length > 0) throw migrateFailure({ code: 'findings-open', ids: open.map(({ id }) => id) });
    if (options.yes !== true && !(await confirm('Bring LXD back now?', output))) return exitCode.blocked;
    return withWork({ host, options, output, state, journal }, latest, takeBack);
  });
}

async function takeBack(work: Work): Promise<ExitCode> {
  const { host, output, journal, run, folder } = work;
  const begun = host.clock();
  let current = '';
  const context = applyContext(work, () => current);
  const complete = await undoSteps(context, {
    onProgress: (progress) => {
      current = describeStep(progress.step).inverse;
      showProgress(progress, output, host.clock() - begun);
      if (progress.state === 'undo-failed') current = progress.error ?? '';
    },
  });
  if (!complete) throw migrateFailure({ code: 'rollback-incomplete', why: current, state: folder });
  const source = daemonRef((work.plannedOn.plan as Plan).source);
  await startAgain(context, source);
  journal.end(run, 'undone', host.now());
  const socket = await answeringSocket(host, source);
  const failed = socket === undefined ? [] : await checkSource(work, source, socket);
  output.event({
    event: 'end',
    outcome: 'undone',
    run,
    failed,
    exit: failed.length === 0 ? exitCode.done : exitCode.failed,
  });
  if (failed.length > 0)
    throw migrateFailure({ code: 'rollback-incomplete', why: failed.join('\n'), state: folder });
  const asBefore = journal.noted(run, noteNames.sourceListened) === false;
  const targetDatabase = join(folder, 'target-database');
  const keptDatabase = existsSync(targetDatabase) ? ` Incus's database is kept in ${targetDatabase}.` : '';
  const runs =
    socket !== undefined
      ? 'what ran runs'
      : `it does not run${asBefore ? ', as when the migration began' : ''}`;
  output.line(
    `\n${output.colour('green', 'LXD is back')} in ${formatDuration(host.clock() - begun)}; ${runs}.${keptDatabase}`,
  );
  return exitCode.done;
}

/** RUNNING alone proves nothing: root must be able to write in every container that runs. */
async function checkSource({ host, output }: Work, source: DaemonRef, socket: string): Promise<string[]> {
  const client = daemonClient(host, socket);
  removeMadeByTarget(host, source.dataDirectory);
  output.progress('  LXD writes its own backup.yaml again');
  await refreshBackupFiles(host, client, source.dataDirectory);
  output.progress('  a write as root in every container that runs');
  const writes = await writeAsRoot(client);
  return writes.flatMap(({ project, name, error }) =>
    error === undefined ? [] : [`instance ${project}/${name}: ${error}`],
  );
}

async function withJournal(
  host: Host,
  options: RunOptions,
  command: string,
  work: (journal: Journal, state: string) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command });
  const state = stateFolder(options);
  // Looking must not make a folder where nothing was ever begun.
  if (!existsSync(join(state, 'journal.db'))) return work(emptyJournal, state);
  // A look at the state need not wait for the one who works.
  const release = command === 'status' ? undefined : takeLock(state);
  const journal = openJournal(state);
  try {
    return await work(journal, state);
  } finally {
    journal.close();
    release?.();
  }
}

const emptyJournal: Pick<Journal, 'latest'> & Journal = {
  latest: () => undefined,
  begin() {},
  plan: () => undefined,
  steps: () => [],
  mark() {},
  amend() {},
  remember() {},
  note() {},
  noted: () => undefined,
  end() {},
  close() {},
};

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

interface Setting {
  readonly host: Host;
  readonly options: RunOptions;
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

async function withWork(
  { host, options, output: bareOutput, state, journal }: Setting,
  { id }: JournalRun,
  act: (work: Work) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { services } = detectOptions(options);
  if (options.report !== undefined) prepareReport(host, options.report, journal.plan(id) as Plan);
  if (services !== undefined) replaceServices(journal, id, services);
  const folder = runFolder(state, id);
  const missing = missingOfRun(folder);
  if (missing !== undefined) throw migrateFailure({ code: 'run-folder-gone', run: id, missing });
  const log = asFileFailure('open the log', folder, () =>
    openLog(join(folder, 'log'), (text) => bareOutput.message(text)),
  );
  const logged = loggedHost(host, log);
  const output = loggedOutput(bareOutput, log);
  try {
    const plannedOn = plannedOnOf(journal, id, folder);
    const { source, target } = plannedOn.plan as Plan;
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
      stopLimitMs: Number(options.stopTimeout ?? '60') * 1000,
      forceStop: options.forceStop === true,
      purge: undefined,
      report: options.report,
      interrupted: watchInterrupts(output),
    });
  } catch (error) {
    tell(log, error);
    throw error;
  } finally {
    log.close();
  }
}
