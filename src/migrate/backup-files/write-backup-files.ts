// Writes many backup.yaml files at once: all of a pool reach the disk together, then each takes the place of the former.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { removeTemporaries } from '../../core/durable.ts';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { syncFileSystem } from '../machine/sync-file-system.ts';
import { backupContent, backupText } from './backup-file.ts';
import type { BackupOf } from './backup-sources.ts';

/** As the daemon makes it (storage/backend.go, UpdateInstanceBackupFile). */
const mode = 0o400;

/** A file that was made beside the former one. */
export interface MadeBackup {
  readonly source: BackupOf;
  readonly temporary: string;
}

/** So many, and then others have a turn: answers of a daemon, that is. */
const madeAtOnce = 10;

/** Makes them beside the former ones; what could not be made is left out. */
export async function makeBackupFiles(host: Host, sources: readonly BackupOf[]): Promise<MadeBackup[]> {
  const made: MadeBackup[] = [];
  for (const [index, source] of sources.entries()) {
    if (index % madeAtOnce === 0) await setImmediate();
    const temporary = makeBeside(host.path(source.file.path), source);
    if (temporary !== undefined) made.push({ source, temporary });
  }
  return made;
}

export function dropBackupFiles(made: readonly MadeBackup[]): void {
  for (const { temporary } of made) worked(() => fs.rmSync(temporary, { force: true }));
}

/** @returns those that took the place of the former; the others are as they were */
export async function placeBackupFiles(
  host: Host,
  made: readonly MadeBackup[],
): Promise<ReadonlySet<BackupOf>> {
  if (made.length === 0) return new Set();
  const sources = made.map(({ source }) => source);
  // A file that took its place before its content is on the disk would be empty after a power cut.
  if (!(await synced(host, sources))) {
    dropBackupFiles(made);
    return new Set();
  }
  const written = made.filter(({ source, temporary }) =>
    worked(() => fs.renameSync(temporary, host.path(source.file.path))),
  );
  await synced(host, sources);
  return new Set(written.map(({ source }) => source));
}

/** A new file under another name, which nobody can have put there. */
function makeBeside(path: string, source: BackupOf): string | undefined {
  const text = backupText(backupContent(source));
  if (text === undefined) return undefined;
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const isMade = worked(() => {
    removeTemporaries(dirname(path), basename(path));
    fs.writeFileSync(temporary, text, { flag: 'wx', mode });
  });
  // On a full disk there may be half a file.
  if (!isMade) worked(() => fs.rmSync(temporary, { force: true }));
  return isMade ? temporary : undefined;
}

/** What fails for one is the daemon's to do; it says why. */
function worked(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}

async function synced(host: Host, sources: readonly BackupOf[]): Promise<boolean> {
  const folders = new Set(sources.map(({ file: { path } }) => dirname(dirname(path))));
  try {
    for (const folder of folders) await syncFileSystem(host, host.path(folder));
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}
