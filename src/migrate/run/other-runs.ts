// Runs that other state folders hold than the one in use.
import * as fs from 'node:fs';
import { whyNotPrivate } from '../../core/durable.ts';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { type Journal, readJournal } from '../journal/journal.ts';
import { isLocked } from '../journal/lock.ts';
import { usualState } from '../usual-state.ts';
import { knownFolders } from './known-folders.ts';
import { describeRun, type LatestRun, latestRun } from './run-status.ts';

export interface OtherRun extends LatestRun {
  readonly kind: 'run';
  readonly folder: string;
  /** As describeRun. */
  readonly described: string;
  /** undefined of a run whose steps and plan were pruned. */
  readonly source: string | undefined;
  readonly target: string | undefined;
}

/** A folder that was written down when a run began, and of whose run nothing is known now. */
export interface LostFolder {
  readonly kind: 'gone' | 'unreadable';
  readonly folder: string;
  readonly why: string;
  /** Whether no run in it was under way when the tool last left it. */
  readonly finished: boolean;
}

/** The latest run of every other folder that is known; of none where only root may read them. */
export function otherRuns(
  host: Pick<Host, 'path' | 'userId'>,
  state: string,
  say: (text: string) => void,
): (OtherRun | LostFolder)[] {
  if (host.userId() !== 0) return [];
  const listed = knownFolders(host, say);
  const usual = host.path(usualState);
  const known = new Map(listed.map(({ folder, finished }) => [folder, finished]));
  const unlisted = known.has(usual) ? [] : [usual];
  const real = realPath(state);
  return (
    [...unlisted, ...known.keys()]
      .filter((folder) => realPath(folder) !== real)
      .map((folder) => lookAt(folder, known.get(folder) ?? false))
      // A former version wrote nothing down; then the usual folder may never have been made.
      .filter((found) => found !== undefined)
      .filter(({ kind, folder }) => kind !== 'gone' || !unlisted.includes(folder))
  );
}

/** Folders that are gone, and in which no run was under way when the tool last left them. */
export function goneFolders(
  host: Pick<Host, 'path' | 'userId'>,
  state: string,
  say: (text: string) => void,
): string[] {
  return otherRuns(host, state, say).flatMap((one) =>
    one.kind === 'gone' && one.finished ? [one.folder] : [],
  );
}

function lookAt(folder: string, finished: boolean): OtherRun | LostFolder | undefined {
  try {
    const found = fs.lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) return { kind: 'gone', folder, why: 'the folder is not there', finished };
    // In a folder that somebody else can write to, the journal is not ours.
    const why = whyNotPrivate(found);
    if (why !== undefined) return { kind: 'unreadable', folder, why, finished };
    const journal = readJournal(folder);
    if (journal === undefined) return { kind: 'gone', folder, why: 'its journal is not there', finished };
    try {
      return lookInto(journal, folder);
    } finally {
      journal.close();
    }
  } catch (error) {
    const why = error instanceof Failure ? error.explanation.what : systemErrorCode(error);
    if (why === undefined) throw error;
    return { kind: 'unreadable', folder, why, finished };
  }
}

function lookInto(journal: Journal, folder: string): OtherRun | undefined {
  const latest = latestRun(journal, isLocked(folder));
  if (latest === undefined) return undefined;
  const plan = latest.run.pruned ? undefined : journal.plan(latest.run.id);
  return {
    kind: 'run',
    folder,
    ...latest,
    described: describeRun(journal, latest),
    source: plan?.source.dataDirectory,
    target: plan?.target?.dataDirectory,
  };
}

function realPath(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch {
    return path;
  }
}
