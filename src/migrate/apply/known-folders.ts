// The state folders in which runs were begun, in a fixed place: no run is out of sight for a command with another --state.
import * as fs from 'node:fs';
import { isAbsolute, join } from 'node:path';
import * as z from 'zod';
import { fileFailureOf } from '../../core/as-file-failure.ts';
import { ensurePrivateFolder, whyNotPrivate, writeFileDurable } from '../../core/durable.ts';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { parseJson } from '../../core/parse.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { usualState } from '../usual-state.ts';
import { hasEnded, readJournal } from './journal.ts';

/** Where the list is, for people. */
export const listOfFolders = join(usualState, 'states.json');

const folders = z.array(z.string().refine(isAbsolute)).max(10_000);
const limit = 4 * 1024 * 1024;

type Machine = Pick<Host, 'path'>;
type Say = (text: string) => void;

/** None where nothing was written down; where the list cannot be understood, that is said. */
export function knownFolders(host: Machine, say: Say): string[] {
  const read = readList(host);
  if ('value' in read) return read.value;
  say(`${listOfFolders} cannot be read: ${read.why}. Migrations in other state folders are not seen.`);
  return [];
}

/** Before a run begins in the folder, durably; those in which every run has ended are left out from now on. The caller holds the lock. */
export function listFolder(host: Machine, state: string, say: Say): void {
  const known = knownFolders(host, say);
  write(host, known, [...known.filter((one) => one !== state && !allHaveEnded(one)), state], say);
}

/** After a run: where it is rolled back or purged, its folder may go, and nobody is to ask for it. The caller holds the lock. */
export function forgetEndedFolder(host: Machine, state: string, say: Say): void {
  const read = readList(host);
  if (!('value' in read) || !read.value.includes(state) || !allHaveEnded(state)) return;
  write(
    host,
    read.value,
    read.value.filter((one) => one !== state),
    say,
  );
}

function readList(host: Machine): { readonly value: string[] } | { readonly why: string } {
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
function write(host: Machine, before: readonly string[], now: readonly string[], say: Say): void {
  if (before.length === now.length && now.every((one) => before.includes(one))) return;
  try {
    ensurePrivateFolder(host.path(usualState));
    writeFileDurable(host.path(listOfFolders), `${JSON.stringify(now, undefined, 2)}\n`, 0o600);
  } catch (error) {
    const failure =
      error instanceof Failure ? error : fileFailureOf('write down the state folder', listOfFolders, error);
    if (failure === undefined) throw error;
    say(`${failure.message}\nCommands with another --state will not know of this run.`);
  }
}

/** A folder that is gone, or cannot be read, may hold the only database of an LXD. */
function allHaveEnded(state: string): boolean {
  try {
    // In a folder that somebody else can write to, the journal is not ours.
    if (whyNotPrivate(fs.lstatSync(state)) !== undefined) return false;
    const journal = readJournal(state);
    try {
      return journal?.runs().every(hasEnded) === true;
    } finally {
      journal?.close();
    }
  } catch (error) {
    if (error instanceof Failure || systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}
