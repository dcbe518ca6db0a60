// What commands about a run that was begun have in common: the lock, the journal, the log.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import { loggedHost, loggedOutput, openLog, tell } from '../../core/log.ts';
import type { Output } from '../../core/output.ts';
import { waitIfShuttingDown } from '../apply/service-control.ts';
import type { Services } from '../detect/services-file.ts';
import { type Journal, type JournalRun, journalFile } from '../journal/journal.ts';
import { takeLock } from '../journal/lock.ts';
import type { Plan } from '../model/plan.ts';
import { daemonRef, runFolder } from '../plan/make-steps.ts';
import { migrateFailure } from '../problem.ts';
import { makeReportFolder } from '../report/index.ts';
import { recordAtWork, recordFolder } from '../run/known-folders.ts';
import { openForWork } from '../run/open-for-work.ts';
import { plannedOnOf } from '../run/planned-on.ts';
import { refuseMovedFolder } from '../run/refuse-moved-folder.ts';
import { tellingOn, type Work } from './carry-out.ts';
import type { AllOptions } from './command-options.ts';
import { watchInterrupts } from './interrupts.ts';
import { type StopOptions, stateFolder } from './options.ts';
import { refusePlacesIn } from './refuse-own-places.ts';
import { tellOtherRuns } from './tell-other-runs.ts';

/** Under the lock of the state folder, with its journal in the newest format. */
export async function withJournal(
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
      if (command !== 'prune') recordAtWork(host, state, (text) => output.message(text));
      return await work(journal, state);
    } finally {
      journal.close();
      recordFolder(host, state, (text) => output.message(text));
    }
  } finally {
    release();
  }
}

/** Ends a command that finds nothing to do. */
export function nothing(output: Output, text: string): ExitCode {
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

/** Goes on with a run, or takes it back; what it does is in its log. */
export async function withWork(
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
      ...tellingOn(output),
      journal,
      run: id,
      folder,
      stopLimitMs,
      forceStop,
      purge: undefined,
      report,
      interrupted: watchInterrupts(output, comparesWithPlan ? 'move' : 'rollback'),
    });
  } catch (error) {
    tell(log, error);
    throw error;
  } finally {
    log.close();
  }
}
