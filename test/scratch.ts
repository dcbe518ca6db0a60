// A folder for all unit tests, in memory where there is plenty: writers wait for the disk at every step. Removed at the end.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes the folder and points what every worker inherits to it; vitest calls what is returned at the end. */
export function setup(): () => void {
  const folder = fs.mkdtempSync(join(process.env['TMPDIR'] ?? quickest(), 'unit-'));
  // Tests run programs as another user as well.
  fs.chmodSync(folder, 0o1777);
  process.env['TMPDIR'] = folder;
  // Each start of the programs would compile them again. Node keeps a folder in it for each user.
  const compiled = join(folder, 'compiled');
  fs.mkdirSync(compiled);
  fs.chmodSync(compiled, 0o1777);
  process.env['NODE_COMPILE_CACHE'] = compiled;
  return () => fs.rmSync(folder, { recursive: true, force: true });
}

/** Fixtures have up to 170 MB; and tests write programs and run them, which some containers do not allow there. */
function quickest(): string {
  const memory = '/dev/shm';
  const mount = fs
    .readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .findLast((line) => line.split(' ')[1] === memory);
  if (mount === undefined || /\bnoexec\b/.test(mount)) return tmpdir();
  const { bavail, bsize } = fs.statfsSync(memory);
  return bavail * bsize > 1024 ** 3 ? memory : tmpdir();
}
