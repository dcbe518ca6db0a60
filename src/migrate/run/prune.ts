// Removes what the tool keeps of runs that can never be rolled back: they are rolled back or purged already, or never began.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { syncFolder } from '../../core/durable.ts';
import { Failure } from '../../core/failure.ts';
import { hasEnded, type Journal } from '../journal/journal.ts';
import { runFolder, runsFolder } from '../plan/make-steps.ts';

export interface KeptFolder {
  readonly run: string;
  readonly path: string;
  /** As allocated. */
  readonly bytes: number;
  /** Whether nothing that a rollback could need is in it. */
  readonly prunable: boolean;
}

/** What the tool keeps of each run. Looks only. */
export function keptFolders(journal: Journal, state: string): KeptFolder[] {
  const prunable = new Set(prunableRuns(journal, state));
  return namesIn(state).map((run) => {
    const path = runFolder(state, run);
    return { run, path, bytes: allocatedBelow(path), prunable: prunable.has(run) };
  });
}

/** Bytes that files take on disk; what goes away meanwhile counts as nothing. */
function allocatedBelow(path: string): number {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  const own = stat.blocks * 512;
  if (!stat.isDirectory()) return own;
  return fs.readdirSync(path).reduce((sum, name) => sum + allocatedBelow(join(path, name)), own);
}

/**
 * Names of folders without anything that a rollback could need: of runs that are rolled back or purged, and those that the
 * journal does not know, since their run ended before its first step. The one who asks holds the lock.
 */
export function prunableRuns(journal: Journal, state: string): string[] {
  const runs = new Map(journal.runs().map((run) => [run.id, run]));
  return namesIn(state).filter((name) => {
    const run = runs.get(name);
    const names = fs.readdirSync(runFolder(state, name));
    // Whatever the journal says, which may have been lost: LXD's only database is never removed.
    if (run === undefined) return names.every((entry) => beforeTheRun.has(entry));
    return hasEnded(run) && (run.phase === 'purged' || !names.includes('source-database'));
  });
}

/** What is written before a run is: its folder may have been left at any of these. */
const beforeTheRun: ReadonlySet<string> = new Set(['log', 'report', 'planned-database.sqlite']);

/** For a migration that has begun: of the runs that ended before it, the last one is kept. */
export function prunableBefore(journal: Journal, state: string, current: string): string[] {
  const last = journal
    .runs()
    .filter((run) => run.id !== current && hasEnded(run) && !run.pruned)
    .at(-1);
  return prunableRuns(journal, state).filter((name) => name !== current && name !== last?.id);
}

/** As prunableBefore, removed; a folder that cannot be is named, since no migration hangs on it. */
export function pruneBefore(
  journal: Journal,
  state: string,
  current: string,
  say: (text: string) => void,
): void {
  for (const old of prunableBefore(journal, state, current)) {
    const path = runFolder(state, old);
    try {
      pruneRun(journal, state, old);
      say(`Removed ${path}: that run has ended, and nothing can need it any more.`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      say(`${path} could not be removed, and stays: ${error.explanation.what}`);
    }
  }
}

/** The journal forgets a run first: a folder without one is removed by the next call. */
export function pruneRun(journal: Journal, state: string, run: string): void {
  const path = runFolder(state, run);
  if (journal.runs().some(({ id, pruned }) => id === run && !pruned)) journal.prune(run);
  asFileFailure('remove the folder of a run', path, () => {
    fs.rmSync(path, { recursive: true, force: true });
    syncFolder(runsFolder(state));
  });
}

function namesIn(state: string): string[] {
  const folder = runsFolder(state);
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
