// Builds the programs, which some tests run as a user does, if they are older than their inputs: once, before all tests.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export function setup(): void {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, '../src/dev/ensure.mjs')],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(stderr);
}
