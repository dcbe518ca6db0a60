// Commands that read the server beside a migration: one that is under way, was interrupted, or has moved it already.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileFailureOf } from '../../core/as-file-failure.ts';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { findSource } from '../detect/index.ts';
import { usualDirectories } from '../detect/lives-here.ts';
import { movedNote } from '../detect/moved-note.ts';
import { type Journal, readJournal } from '../journal/journal.ts';
import { holderOf, isLocked } from '../journal/lock.ts';
import { isUnfinished, type RunPhase } from '../journal/run-state.ts';
import { isSameFolder } from '../machine/daemon-process.ts';
import { migrateFailure } from '../problem.ts';
import { otherRuns } from '../run/other-runs.ts';
import { describeRun, type LatestRun, latestRun } from '../run/run-status.ts';
import type { AllOptions } from './command-options.ts';
import { detectOptions, stateFolder, type WhereOptions } from './options.ts';
import { tellOtherRuns } from './tell-other-runs.ts';

type ReadOptions = WhereOptions & Pick<AllOptions, 'state'>;

const underWay: readonly RunPhase[] = ['applying', 'rolling-back', 'purging'];

/**
 * Runs a command that reads the source where it stands. A migration that is at work on it may begin at any moment, and
 * takes files away: then that is said, and not what failed because of it.
 * @param wants the server itself, or only its database, of which a migration that copied leaves the old one
 * @throws {Failure<MigrateProblem>} already-running, unfinished-migration
 */
export async function besideRuns(
  { host, options, output }: { readonly host: Host; readonly options: ReadOptions; readonly output: Output },
  wants: 'server' | 'database',
  read: () => Promise<ExitCode>,
): Promise<ExitCode> {
  const say = (text: string): void => output.message(text);
  refuseBesideRun(host, options);
  refuseOtherRuns(host, options, say);
  if (isMoved(host, options, wants)) return movedAlready(host, options, output);
  try {
    return await read();
  } catch (error) {
    refuseBesideRun(host, options);
    refuseOtherRuns(host, options, say);
    throw fileFailureOf('read the server', pathOf(error), error) ?? error;
  }
}

export function movedAlready(host: Host, options: ReadOptions, output: Output): ExitCode {
  output.line('This server was migrated already; there is no LXD left to move.');
  tellOtherRuns(host, stateFolder(options), 'status', output);
  output.event({ event: 'end', outcome: 'nothing-to-do', exit: exitCode.nothingToDo });
  return exitCode.nothingToDo;
}

function pathOf(error: unknown): string {
  const { path = '' } = error as NodeJS.ErrnoException;
  return path;
}

function refuseBesideRun(host: Host, options: ReadOptions): void {
  const state = stateFolder(options);
  withJournal(host, state, (journal) => {
    const latest = latestRun(journal, isLocked(state));
    if (latest === undefined || latest.run.pruned) return;
    const { source, target } = journal.plan(latest.run.id);
    if (isElsewhere(host, options, [source.dataDirectory, target?.dataDirectory])) return;
    if (underWay.includes(latest.state.phase))
      throw migrateFailure({ code: 'already-running', state, process: holderOf(state) });
    if (isUnfinished(latest.state))
      throw migrateFailure({
        code: 'unfinished-migration',
        run: latest.run.id,
        where: describeRun(journal, latest),
      });
  });
}

/** A copy that lies elsewhere is nothing of a run's. */
function isElsewhere(
  host: Host,
  { lxdDir }: ReadOptions,
  directories: readonly (string | undefined)[],
): boolean {
  return (
    lxdDir !== undefined &&
    !directories.some((one) => one !== undefined && isSameFolder(host, one, resolve(lxdDir)))
  );
}

/**
 * The same for runs that other state folders hold: LXD and Incus are those of this machine, whatever --state says.
 * @throws {Failure<MigrateProblem>} already-running, unfinished-migration
 */
export function refuseOtherRuns(host: Host, options: ReadOptions, say: (text: string) => void): void {
  for (const other of otherRuns(host, stateFolder(options), say)) {
    if (other.kind !== 'run' || isElsewhere(host, options, [other.source, other.target])) continue;
    const { folder: state, run, described: where } = other;
    if (underWay.includes(other.state.phase))
      throw migrateFailure({ code: 'already-running', state, process: holderOf(state) });
    if (isUnfinished(other.state))
      throw migrateFailure({ code: 'unfinished-migration', run: run.id, where, state });
  }
}

/** Whether no LXD is left where one was moved away: by the note that was left there, and by the journal. */
export function isMoved(host: Host, options: ReadOptions, wants: 'server' | 'database'): boolean {
  const stands = (directory: string, name: string): boolean => existsSync(host.path(join(directory, name)));
  const former = sourcesMovedAway(host, stateFolder(options));
  let directory: string;
  try {
    directory = findSource(host, detectOptions(options)).dataDirectory;
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.code !== 'no-source') throw error;
    return former.length > 0 || usualDirectories.some((one) => stands(one, movedNote));
  }
  const hasDatabase = stands(directory, 'database');
  if (stands(directory, movedNote)) return wants === 'server' || !hasDatabase;
  return former.some((one) => isSameFolder(host, one, directory)) && !hasDatabase;
}

/** The source of the latest run of each state folder, where that has ended with the data in the target. */
function sourcesMovedAway(host: Host, state: string): string[] {
  const own = withJournal(host, state, (journal) => {
    const latest = latestRun(journal, isLocked(state));
    return latest === undefined || latest.run.pruned || !isMovedAway(latest)
      ? []
      : [journal.plan(latest.run.id).source.dataDirectory];
  });
  const others = otherRuns(host, state, () => {}).flatMap((other) =>
    other.kind === 'run' && isMovedAway(other) && other.source !== undefined ? [other.source] : [],
  );
  return [...(own ?? []), ...others];
}

function isMovedAway({ state }: LatestRun): boolean {
  return ['done', 'purged'].includes(state.phase);
}

function withJournal<T>(host: Host, state: string, use: (journal: Journal) => T): T | undefined {
  let journal: Journal | undefined;
  try {
    journal = readJournal(state);
  } catch (error) {
    // A user who may not look at it plans from what he can read.
    if (host.userId() !== 0) return undefined;
    throw error;
  }
  try {
    return journal === undefined ? undefined : use(journal);
  } finally {
    journal?.close();
  }
}
