// File changes that survive power loss: data, names and parent folders are fsynced before a call returns.
import * as fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { coreFailure } from './core-problem.ts';
import { systemErrorCode } from './failure.ts';

/** Fsyncs a folder, so that names made or removed in it are on disk. */
export function syncFolder(path: string): void {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Writes a file whole or not at all: temporary name in the same folder (refused if it exists, so a planted link is
 * never followed), fsync, rename, fsync of the folder. An existing file is replaced.
 */
export function writeFileDurable(path: string, content: Buffer | string, mode = 0o600): void {
  const temporary = temporaryBeside(path);
  try {
    writeNew(temporary, content, mode);
    fs.renameSync(temporary, path);
  } catch (error) {
    removeIfPossible(temporary);
    throw error;
  }
  syncFolder(dirname(path));
}

function writeNew(temporary: string, content: Buffer | string, mode: number): void {
  fs.rmSync(temporary, { force: true });
  const fd = fs.openSync(
    temporary,
    fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW,
    mode,
  );
  try {
    writeAll(fd, typeof content === 'string' ? Buffer.from(content) : content);
    fs.fchmodSync(fd, mode);
    fs.fsyncSync(fd);
  } catch (error) {
    // A full disk must not stay full because of half a file.
    removeIfPossible(temporary);
    throw error;
  } finally {
    fs.closeSync(fd);
  }
}

/** After a failure that says more than that a disk which takes no change does not let it be removed either. */
function removeIfPossible(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}

/** The name under which a file is made before it takes its place. */
function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}

/**
 * Removes what a process that died while it wrote left in a folder: of one file, or of all. Nobody else may be writing
 * there.
 */
export function removeTemporaries(folder: string, name?: string): void {
  for (const entry of fs.readdirSync(folder)) {
    const written = /^\.(.+)\.\d+\.tmp$/.exec(entry)?.[1];
    if (written === undefined || (name !== undefined && written !== name)) continue;
    fs.rmSync(join(folder, entry), { force: true });
  }
}

function writeAll(fd: number, content: Buffer): void {
  let offset = 0;
  while (offset < content.length) offset += fs.writeSync(fd, content, offset);
}

/**
 * As `mkdir -p`. Node's own asks for ever where the kernel says ENOENT although the parent is there, as in /proc.
 */
export function makeFolders(path: string, mode = 0o777): void {
  const missing: string[] = [];
  let folder = resolve(path);
  while (!isMade(folder, mode)) {
    missing.unshift(folder);
    folder = dirname(folder);
  }
  for (const each of missing) makeIfMissing(each, mode);
}

/** Whether the folder is there now; false where the one above it must be made first. */
function isMade(folder: string, mode: number): boolean {
  try {
    makeIfMissing(folder, mode);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' && !fs.existsSync(dirname(folder))) return false;
    throw error;
  }
}

function makeIfMissing(folder: string, mode: number): void {
  try {
    fs.mkdirSync(folder, { mode });
  } catch (error) {
    // What is there already may be told in other words: a read-only file system, a folder above that may not be written.
    if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

/** Makes a folder (its parent must exist) and fsyncs the parent; an existing folder is left as it is. */
export function makeFolderDurable(path: string, mode = 0o700): void {
  try {
    fs.mkdirSync(path, { mode });
    fs.chmodSync(path, mode);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST' || !fs.lstatSync(path).isDirectory()) throw error;
  }
  syncFolder(dirname(path));
}

/**
 * Renames within one file system and fsyncs both parents; a target that exists is refused, even an empty folder
 * (rename(2) would replace that one in silence).
 * @throws {Failure<CoreProblem>} target-exists
 */
export function renameDurable(from: string, to: string): void {
  if (fs.lstatSync(to, { throwIfNoEntry: false }) !== undefined)
    throw coreFailure({ code: 'target-exists', path: to });
  fs.renameSync(from, to);
  syncFolder(dirname(to));
  if (dirname(from) !== dirname(to)) syncFolder(dirname(from));
}

/**
 * Points a symbolic link elsewhere without a moment in which it is missing; the link's owner is kept. Of a process with
 * the same number that died, the temporary link is in the way: removeTemporaries.
 */
export function replaceLinkDurable(path: string, destination: string, before = fs.lstatSync(path)): void {
  const temporary = temporaryBeside(path);
  fs.symlinkSync(destination, temporary);
  fs.lchownSync(temporary, before.uid, before.gid);
  fs.renameSync(temporary, path);
}

/**
 * A folder that only this user can write to: made with 0700 where it is missing, refused where it is a link, belongs
 * to somebody else or others can write to it.
 * @throws {Failure<CoreProblem>} not-a-folder-of-ours
 */
export function ensurePrivateFolder(path: string): void {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    makeFolders(dirname(path));
    makeFolderDurable(path, 0o700);
    return;
  }
  const why = whyNotPrivate(found);
  if (why !== undefined) throw coreFailure({ code: 'not-a-folder-of-ours', path, why });
}

/** Why what was found is no folder that only this user can write to; undefined where it is one. */
export function whyNotPrivate(found: fs.Stats): string | undefined {
  if (!found.isDirectory()) return 'it is not a folder';
  if (found.uid !== process.getuid?.()) return `it belongs to user ${found.uid}`;
  return (found.mode & 0o022) === 0 ? undefined : 'others can write to it';
}
