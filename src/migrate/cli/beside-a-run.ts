// Commands that read the server beside a migration: one that is under way, was interrupted, or has moved it already.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileFailureOf } from '../../core/as-file-failure.ts';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { type Journal, readJournal } from '../apply/journal.ts';
import { holderOf, isLocked } from '../apply/lock.ts';
import { isUnfinished, type RunPhase } from '../apply/run-state.ts';
import { describeRun, latestRun } from '../apply/run-status.ts';
import { isSameFolder } from '../detect/daemon-process.ts';
import { findSource } from '../detect/index.ts';
import { usualDirectories } from '../detect/lives-here.ts';
import { movedNote } from '../detect/moved-note.ts';
import { migrateFailure } from '../problem.ts';
import type { AllOptions } from './command-options.ts';
import { detectOptions, stateFolder, type WhereOptions } from './options.ts';

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
  refuseBesideRun(host, options);
  if (isMoved(host, options, wants)) return movedAlready(output);
  try {
    return await read();
  } catch (error) {
    refuseBesideRun(host, options);
    throw fileFailureOf('read the server', pathOf(error), error) ?? error;
  }
}

export function movedAlready(output: Output): ExitCode {
  output.line('This server was migrated already; there is no LXD left to move.');
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
    const directories = [source.dataDirectory, ...(target === undefined ? [] : [target.dataDirectory])];
    const { lxdDir } = options;
    // A copy that lies elsewhere is nothing of the run's.
    if (lxdDir !== undefined && !directories.some((one) => isSameFolder(host, one, resolve(lxdDir)))) return;
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

/** Whether no LXD is left where one was moved away: by the note that was left there, and by the journal. */
export function isMoved(host: Host, options: ReadOptions, wants: 'server' | 'database'): boolean {
  const stands = (directory: string, name: string): boolean => existsSync(host.path(join(directory, name)));
  const former = movedFrom(host, stateFolder(options));
  let directory: string;
  try {
    directory = findSource(host, detectOptions(options)).dataDirectory;
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.code !== 'no-source') throw error;
    return former !== undefined || usualDirectories.some((one) => stands(one, movedNote));
  }
  const hasDatabase = stands(directory, 'database');
  if (stands(directory, movedNote)) return wants === 'server' || !hasDatabase;
  return former !== undefined && isSameFolder(host, former, directory) && !hasDatabase;
}

/** The source of the latest run, where that has ended with the data in the target. */
function movedFrom(host: Host, state: string): string | undefined {
  return withJournal(host, state, (journal) => {
    const latest = latestRun(journal, isLocked(state));
    if (latest === undefined || latest.run.pruned) return undefined;
    return ['done', 'purged'].includes(latest.state.phase)
      ? journal.plan(latest.run.id).source.dataDirectory
      : undefined;
  });
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
