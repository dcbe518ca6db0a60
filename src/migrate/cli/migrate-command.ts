// `migrate`: plan, ask, carry out, verify.

import * as fs from 'node:fs';
import { join } from 'node:path';
import { asFileFailure, fileFailureOf } from '../../core/as-file-failure.ts';
import { makeFolderDurable } from '../../core/durable.ts';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import { loggedHost, loggedOutput, openLog, tell } from '../../core/log.ts';
import type { Output } from '../../core/output.ts';
import { thisProcess } from '../../core/program-name.ts';
import { toolVersion } from '../../core/version.ts';
import { keepProgram } from '../apply/keep-program.ts';
import { isPassing } from '../check/own-program.ts';
import { type DetectOptions, find } from '../detect/index.ts';
import { type Journal, readJournal } from '../journal/journal.ts';
import { isLocked, takeLock } from '../journal/lock.ts';
import { isUnfinished } from '../journal/run-state.ts';
import { type Answers, isOpen } from '../model/finding.ts';
import type { Plan } from '../model/plan.ts';
import { makePlan } from '../plan/index.ts';
import { runFolder, runsFolder } from '../plan/make-steps.ts';
import { migrateFailure } from '../problem.ts';
import { rehearsalIds } from '../rehearse/rehearsal-ids.ts';
import { makeReportFolder } from '../report/index.ts';
import { beginRun } from '../run/begin-run.ts';
import { recordFolder } from '../run/known-folders.ts';
import { openForWork } from '../run/open-for-work.ts';
import { describeRun, latestRun, whatIsLeft } from '../run/run-status.ts';
import { isMoved, movedAlready, refuseOtherRuns } from './beside-a-run.ts';
import { carryOut, listPurge, tellingOn, type Work } from './carry-out.ts';
import type { OptionsOf } from './command-options.ts';
import { ask, canAsk, confirm } from './confirm.ts';
import { earlyRehearsal } from './early-rehearsal.ts';
import { watchInterrupts } from './interrupts.ts';
import { list } from './list.ts';
import { answersOf, detectOptions, type StopOptions, stateFolder, stopOptions } from './options.ts';
import { readPlanFile, refuseStale } from './plan-file.ts';
import { refuseOwnPlaces } from './refuse-own-places.ts';
import { refuseUnknownIds } from './refuse-unknown-ids.ts';
import { rehearseFirst } from './rehearse-command.ts';
import { renderSummary } from './render-plan.ts';
import { resumeCommand } from './resume-command.ts';
import { rollbackCommand } from './rollback-command.ts';

type MigrateOptions = OptionsOf<'migrate'>;

export async function migrateCommand(host: Host, options: MigrateOptions, output: Output): Promise<ExitCode> {
  const { yes = false, purgeSource = false, report } = options;
  const asked: Asked = {
    ...stopOptions(options),
    yes,
    purgeSource,
    report,
    answers: answersOf(options),
    where: detectOptions(options),
  };
  const wanted = options.plan === undefined ? undefined : readPlanFile(options.plan);
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command: 'migrate' });
  const state = stateFolder(options);
  refuseOwnPlaces(host, { state, report }, asked.where);
  if (report !== undefined) makeReportFolder(report);
  const other = await offerWhatIsUnfinished(host, options, output);
  if (other !== undefined) return other;
  const release = takeLock(host, state);
  try {
    const journal = openForWork(state);
    try {
      return await migrate({ host, options, output, state, journal, asked, wanted });
    } finally {
      journal.close();
      recordFolder(host, state, (text) => output.message(text));
    }
  } finally {
    release();
  }
}

/**
 * Where an earlier migration is unfinished and somebody is there to answer, goes on with it or takes it back.
 * @returns undefined where there is nothing to offer, nobody to offer it to, or neither was chosen
 */
async function offerWhatIsUnfinished(
  host: Host,
  options: MigrateOptions,
  output: Output,
): Promise<ExitCode | undefined> {
  const state = stateFolder(options);
  if (!canAsk(output)) return undefined;
  const journal = readJournal(state);
  if (journal === undefined) return undefined;
  try {
    const latest = latestRun(journal, isLocked(state));
    if (latest === undefined || !isUnfinished(latest.state)) return undefined;
    const left = whatIsLeft(journal, latest);
    output.line(
      `${output.colour('yellow', 'A migration was begun and is not finished.')}\n${describeRun(journal, latest)}\n`,
    );
    output.line(`resume would:\n${list(left.resume)}\n\nrollback would:\n${list(left.rollback)}\n`);
  } finally {
    journal.close();
  }
  const answer = await ask(
    'Go on with it (resume), have LXD back (rollback), or neither? [resume/rollback/N] ',
  );
  if (/^resume$/i.test(answer)) return resumeCommand(host, { ...options, yes: true }, output);
  if (/^rollback$/i.test(answer)) {
    // What was to be accepted is of the move.
    const { accept: _accept, ...others } = options;
    return rollbackCommand(host, { ...others, yes: true }, output);
  }
  return undefined;
}

/** What the command line asks, read before anything is done. */
interface Asked extends StopOptions {
  readonly yes: boolean;
  readonly purgeSource: boolean;
  readonly report: string | undefined;
  readonly answers: Answers;
  readonly where: DetectOptions;
}

interface Migration {
  readonly host: Host;
  readonly options: MigrateOptions;
  readonly output: Output;
  readonly state: string;
  readonly journal: Journal;
  readonly asked: Asked;
  readonly wanted: Plan | undefined;
}

async function migrate({
  host: bareHost,
  options,
  output: bareOutput,
  state,
  journal,
  asked,
  wanted,
}: Migration): Promise<ExitCode> {
  const latest = latestRun(journal, false);
  if (latest !== undefined && isUnfinished(latest.state))
    throw migrateFailure({
      code: 'unfinished-migration',
      run: latest.run.id,
      where: describeRun(journal, latest),
    });
  refuseOtherRuns(bareHost, options, (text) => bareOutput.message(text));
  // A finished journal never stands in the way of a new migration, but with no LXD left there is nothing to do.
  if (isMoved(bareHost, options, 'server')) return movedAlready(bareHost, options, bareOutput);
  const run = nameOfRun(journal, state, bareHost.now());
  const folder = runFolder(state, run);
  asFileFailure('make the folder of this run', folder, () => {
    makeFolderDurable(runsFolder(state));
    makeFolderDurable(folder);
  });
  const log = asFileFailure('open the log', folder, () =>
    openLog(join(folder, 'log'), (text) => bareOutput.message(text)),
  );
  const host = loggedHost(bareHost, log);
  const output = loggedOutput(bareOutput, log);
  const { answers, where } = asked;
  const early = earlyRehearsal(host, answers, output);
  try {
    const material = await makePlan({
      host,
      found: find(host, where),
      services: where.services,
      state,
      toolVersion,
      program: thisProcess(),
      run,
      keepable: wanted !== undefined,
      converted: early.begin,
    });
    if (wanted !== undefined) refuseStale(wanted, material.plan);
    refuseUnknownIds(answers, material.plan.findings, rehearsalIds);
    output.line(renderSummary(material.plan, answers, output));
    output.event({ event: 'plan', run, plan: material.plan });
    const open = material.plan.findings.filter((finding) => isOpen(finding, answers));
    if (open.length > 0 || material.plan.target === undefined)
      throw migrateFailure({ code: 'findings-open', ids: open.map(({ id }) => id) });
    const rehearsal = await rehearseFirst(early, material, answers, output);
    const purge = asked.purgeSource ? await listPurge(host, material.plan, output) : undefined;
    if (!asked.yes && !(await confirm('Move this server to Incus now?', output))) {
      output.line('Nothing was changed.');
      return exitCode.blocked;
    }
    const work: Work = {
      host,
      plannedOn: material,
      output,
      ...tellingOn(output),
      journal,
      run,
      folder,
      stopLimitMs: asked.stopLimitMs,
      forceStop: asked.forceStop,
      purge,
      report: asked.report,
      interrupted: watchInterrupts(output, 'move'),
    };
    keepProgramIfPossible(host, folder, output);
    beginRun(work, rehearsal, answers);
    return await carryOut(work);
  } catch (error) {
    tell(log, error);
    throw error;
  } finally {
    try {
      await early.abandon();
    } finally {
      log.close();
      if (!journal.runs().some(({ id }) => id === run)) removeFolder(folder);
    }
  }
}

/** Without it the note names the program where it is now. */
function keepProgramIfPossible(host: Host, folder: string, output: Output): void {
  try {
    keepProgram(folder, (file) => isPassing(host, file));
  } catch (error) {
    const failure = fileFailureOf('keep a copy of this program', folder, error);
    if (failure === undefined) throw error;
    output.message(`${failure.message}\nThe program is needed where it is now to bring LXD back.`);
  }
}

/** The number orders; the time is for people, and may be any: clocks jump. */
export function nameOfRun(journal: Journal, state: string, now: Date): string {
  const folder = runsFolder(state);
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const numbers = names.map((name) => Number(/^(\d{4,9})-/.exec(name)?.[1] ?? 0));
  const number = Math.max(journal.latest()?.number ?? 0, ...numbers) + 1;
  return `${String(number).padStart(4, '0')}-${now.toISOString().replace(/[:.]/g, '-')}`;
}

/** A run that never began leaves nothing worth keeping. Where even that fails, what failed before says more. */
function removeFolder(folder: string): void {
  try {
    fs.rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
