// Refuses to go on with a run whose folder lies elsewhere than its steps say: they would stop everything, and then fail.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { Host } from '../../core/host.ts';
import type { Step } from '../model/step.ts';
import { migrateFailure } from '../problem.ts';

/**
 * @param folder of the run, below the state folder that was named
 * @throws {Failure<MigrateProblem>} run-folder-moved
 */
export function refuseMovedFolder(host: Host, run: string, steps: readonly Step[], folder: string): void {
  const was = whereItWas(host, steps, folder);
  if (was !== undefined) throw migrateFailure({ code: 'run-folder-moved', run, was, is: folder });
}

/** Where the steps of a run keep what they set aside; undefined where that is its folder. */
export function whereItWas(host: Host, steps: readonly Step[], folder: string): string | undefined {
  const step = steps.find((one) => one.kind === 'set-aside-database');
  if (step === undefined) return undefined;
  const was = dirname(step.into);
  return isSameFolder(host.path(was), folder) ? undefined : was;
}

/** By whatever link or mount. */
function isSameFolder(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => fs.statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}
