// Writes many backup.yaml files at once: all of a pool reach the disk together, then each takes the place of the former.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { removeTemporaries } from '../../core/durable.ts';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { syncFileSystem } from '../apply/sync-file-system.ts';
import { backupContent, backupText } from './backup-file.ts';
import type { BackupOf } from './backup-sources.ts';

/** As the daemon makes it (storage/backend.go, UpdateInstanceBackupFile). */
const mode = 0o400;

/** @returns those that were written; the others are as they were */
export async function writeBackupFiles(
  host: Host,
  sources: readonly BackupOf[],
): Promise<ReadonlySet<BackupOf>> {
  const made = sources.flatMap((source) => {
    const temporary = makeBeside(host.path(source.file.path), source);
    return temporary === undefined ? [] : [{ source, temporary }];
  });
  if (made.length === 0) return new Set();
  // A file that took its place before its content is on the disk would be empty after a power cut.
  if (!(await synced(host, sources))) {
    for (const { temporary } of made) worked(() => fs.rmSync(temporary, { force: true }));
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
