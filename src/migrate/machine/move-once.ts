// Moves a file or folder, by a rename or across file systems, so that the move can be broken off anywhere and called again.
import * as fs from 'node:fs';
import { renameDurable } from '../../core/durable.ts';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { migrateFailure } from '../problem.ts';
import { syncFileSystem } from './sync-file-system.ts';
import { untilDone } from './until-done.ts';

export function isThere(host: Host, path: string): boolean {
  return fs.lstatSync(host.path(path), { throwIfNoEntry: false }) !== undefined;
}

/** What was copied across file systems stands under this name while it is being removed. */
function awayOf(path: string): string {
  return `${path}.moved-by-lxd-to-incus`;
}

/** Whether a move of it across file systems was broken off after the copy was whole. */
export function isHalfMoved(host: Host, path: string): boolean {
  return isThere(host, awayOf(path));
}

export function partOf(path: string): string {
  return `${path}.part`;
}

/** Removes what a move to this place, across file systems, left unfinished. */
export function dropPart(host: Host, path: string): void {
  remove(host, partOf(path));
}

/**
 * Moves unless it happened already. Which it is follows from where the thing stands: both places filled, or both
 * empty, is a state that no step of ours leaves, and is refused.
 *
 * Across file systems: a copy beside the new place, synced; the old one renamed away, which is the moment at which it
 * counts as moved; the copy renamed into its place; the old one removed.
 */
export async function moveOnce(host: Host, from: string, to: string): Promise<void> {
  takeBackHalf(host, from, to);
  if (!isThere(host, awayOf(from))) {
    if (!isThere(host, from) && isThere(host, to)) {
      // Of an earlier attempt in this direction that was given up for the other one.
      remove(host, partOf(to));
      return;
    }
    if (isThere(host, to)) throw migrateFailure({ code: 'target-exists', path: to });
    if (renamed(host, from, to)) return;
    await copyBeside(host, from, to);
    renameDurable(host.path(from), host.path(awayOf(from)));
  }
  if (!isThere(host, to)) renameDurable(host.path(partOf(to)), host.path(to));
  remove(host, awayOf(from));
}

/** A move in the other direction that was broken off. */
function takeBackHalf(host: Host, from: string, to: string): void {
  if (!isThere(host, awayOf(to))) {
    remove(host, partOf(from));
    return;
  }
  // It was being removed, and may be incomplete: the new one is whole.
  if (isThere(host, from)) {
    remove(host, awayOf(to));
    return;
  }
  renameDurable(host.path(awayOf(to)), host.path(to));
  remove(host, partOf(from));
}

/** @returns false where the two places are on different file systems */
function renamed(host: Host, from: string, to: string): boolean {
  try {
    renameDurable(host.path(from), host.path(to));
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== 'EXDEV') throw error;
    return false;
  }
}

async function copyBeside(host: Host, from: string, to: string): Promise<void> {
  remove(host, partOf(to));
  await host.run(['cp', '-a', '--', from, partOf(to)], untilDone);
  await syncFileSystem(host, partOf(to));
}

function remove(host: Host, path: string): void {
  fs.rmSync(host.path(path), { recursive: true, force: true });
}
