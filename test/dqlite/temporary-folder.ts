// A folder for one test file, removed when its tests are over.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(join(parent(), 'dqlite-test-'));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** In memory where there is plenty: fixtures have up to 170 MB, and writers wait for the disk at every step. */
function parent(): string {
  const memory = '/dev/shm';
  if (!fs.existsSync(memory)) return tmpdir();
  const { bavail, bsize } = fs.statfsSync(memory);
  return bavail * bsize > 1024 ** 3 ? memory : tmpdir();
}
