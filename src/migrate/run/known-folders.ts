// The state folders in which runs were begun, in a fixed place: no run is out of sight for a command with another --state.
import * as fs from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { fileFailureOf } from '../../core/as-file-failure.ts';
import { ensurePrivateFolder, whyNotPrivate, writeFileDurable } from '../../core/durable.ts';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { parseJson } from '../../core/parse.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { hasEnded, type JournalRun, readJournal } from '../journal/journal.ts';
import { isUnfinished, runState } from '../journal/run-state.ts';
import { usualState } from '../usual-state.ts';

/** Where the list is, for people. */
export const listOfFolders = join(usualState, 'states.json');

export interface KnownFolder {
  readonly folder: string;
  /** Whether no run in it was under way when the tool last left it. */
  readonly finished: boolean;
}

const path = z.string().refine(isAbsolute);
const folders = z
  .array(
    z.union([
      // What was written before the rest was: a run that may be under way.
      path.transform((folder): KnownFolder => ({ folder, finished: false })),
      z.object({ folder: path, finished: z.boolean() }),
    ]),
  )
  .max(10_000);
const limit = 4 * 1024 * 1024;

type Machine = Pick<Host, 'path'>;
type Say = (text: string) => void;

/** None where nothing was written down; where the list cannot be understood, that is said. */
export function knownFolders(host: Machine, say: Say): KnownFolder[] {
  const read = readList(host);
  if ('value' in read) return read.value;
  say(`${listOfFolders} cannot be read: ${read.why}. Migrations in other state folders are not seen.`);
  return [];
}

/** Before a run begins in the folder, durably; those in which every run has ended are left out from now on. The caller holds the lock. */
export function listFolder(host: Machine, state: string, say: Say): void {
  const known = knownFolders(host, say);
  const others = known.filter(({ folder }) => folder !== state && !all(hasEnded, folder));
  write(host, known, [...others, { folder: state, finished: false }], say);
}

/** Before a run in a listed folder is gone on with or taken back: a process that is killed cannot write it any more. The caller holds the lock. */
export function recordAtWork(host: Machine, state: string, say: Say): void {
  const read = readList(host);
  if (!('value' in read)) return;
  const now = read.value.map((one) => (one.folder === state ? { folder: state, finished: false } : one));
  write(host, read.value, now, say);
}

/**
 * After a run: where it is rolled back or purged, its folder may go, and nobody is to ask for it; otherwise whether it is
 * finished is written down. The caller holds the lock.
 */
export function recordFolder(host: Machine, state: string, say: Say): void {
  const read = readList(host);
  if (!('value' in read) || !read.value.some(({ folder }) => folder === state)) return;
  const finished = all(isFinished, state);
  const now = all(hasEnded, state)
    ? read.value.filter(({ folder }) => folder !== state)
    : read.value.map((one) => (one.folder === state ? { folder: state, finished } : one));
  write(host, read.value, now, say);
}

/**
 * Takes out those of the folders in which no run was under way. The caller holds the lock, and has seen that they are gone.
 * @returns those that were; none where the list cannot be written
 */
export function forgetFolders(host: Machine, gone: readonly string[], say: Say): string[] {
  const known = knownFolders(host, say);
  const forgotten = known.filter(({ folder, finished }) => finished && gone.includes(folder));
  const kept = known.filter((one) => !forgotten.includes(one));
  const failure = writeList(host, known, kept);
  if (failure === undefined) return forgotten.map(({ folder }) => folder);
  say(failure.message);
  return [];
}

function readList(host: Machine): { readonly value: KnownFolder[] } | { readonly why: string } {
  try {
    const text = readRegularFile(host.path(listOfFolders), { limit, links: 'refuse' }).toString('utf8');
    return parseJson(folders, text);
  } catch (error) {
    if (error instanceof Failure) return { why: error.explanation.what };
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' || code === 'ENOTDIR' ? { value: [] } : { why: code };
  }
}

/** The list helps to find a run; no migration and no rollback hangs on it. */
function write(host: Machine, before: readonly KnownFolder[], now: readonly KnownFolder[], say: Say): void {
  const failure = writeList(host, before, now);
  if (failure !== undefined)
    say(`${failure.message}\nCommands with another --state will not know of this run.`);
}

function writeList(
  host: Machine,
  before: readonly KnownFolder[],
  now: readonly KnownFolder[],
): Failure | undefined {
  if (isDeepStrictEqual(before, now)) return undefined;
  try {
    ensurePrivateFolder(host.path(usualState));
    writeFileDurable(host.path(listOfFolders), `${JSON.stringify(now, undefined, 2)}\n`, 0o600);
    return undefined;
  } catch (error) {
    const failure =
      error instanceof Failure ? error : fileFailureOf('write down the state folder', listOfFolders, error);
    if (failure === undefined) throw error;
    return failure;
  }
}

function isFinished(run: JournalRun): boolean {
  return !isUnfinished(runState(run, false));
}

/** A folder that is gone, or cannot be read, may hold the only database of an LXD. */
function all(holds: (run: JournalRun) => boolean, state: string): boolean {
  try {
    // In a folder that somebody else can write to, the journal is not ours.
    if (whyNotPrivate(fs.lstatSync(state)) !== undefined) return false;
    const journal = readJournal(state);
    try {
      return journal?.runs().every(holds) === true;
    } finally {
      journal?.close();
    }
  } catch (error) {
    if (error instanceof Failure || systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}
