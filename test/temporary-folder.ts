// A folder for one test, removed when the test is over.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** In memory where there is such a place: a journal waits for the disk at every step. */
export const quickFolder = fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** @returns its absolute path, with links resolved, so that paths that programs print can be compared */
export function temporaryFolder(where = tmpdir()): string {
  const folder = fs.realpathSync(fs.mkdtempSync(join(where, 'lxd-to-incus-test-')));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}
