// The real file functions, watched: a test sees every change, and can let the process "die" between any two of them.
import fs, { type Mode, type OpenMode, type PathLike } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, afterEach, beforeAll } from 'vitest';

/** What a dead process would not have done any more. */
export class Died extends Error {}

const changing = [
  'writeSync',
  'writeFileSync',
  'fchmodSync',
  'chmodSync',
  'lchownSync',
  'renameSync',
  'mkdirSync',
  'symlinkSync',
  'rmSync',
  'rmdirSync',
  'unlinkSync',
  'copyFileSync',
] as const;

export interface FileWatch {
  /** Changes made since the last reset; opening a file for writing counts as one. */
  readonly operations: string[];
  /** Called before each change. */
  before: (operation: string) => void;
  /** Whether a rename would lead to another file system; the answer outlives a reset. */
  acrossDevices: (from: string, to: string) => boolean;
  /** Lets this many changes happen; at the next one, and ever after, the process is dead. */
  dieAfter(operations: number): void;
  isDead(): boolean;
  reset(): void;
}

let left: number | undefined;
let dead = false;

export const fileWatch: FileWatch = {
  operations: [],
  before: () => {},
  acrossDevices: () => false,
  dieAfter(operations) {
    left = operations;
  },
  isDead: () => dead,
  reset() {
    left = undefined;
    dead = false;
    fileWatch.operations.length = 0;
    fileWatch.before = () => {};
  },
};

function passes(operation: string): void {
  fileWatch.before(operation);
  if (dead || left === 0) {
    dead = true;
    throw new Died(operation);
  }
  if (left !== undefined) left -= 1;
  fileWatch.operations.push(operation);
}

/**
 * Has every change of a file reported first, while the tests of this file run. The functions of `node:fs` themselves
 * are exchanged: modules that other test files have loaded before see it as well.
 */
export function watchFiles(): void {
  const functions = watched({ ...fs });
  const actual = Object.fromEntries(
    Object.keys(functions).map((name) => [name, fs[name as keyof typeof fs]]),
  );
  const exchange = (by: Record<string, unknown>): void => {
    Object.assign(fs, by);
    syncBuiltinESMExports();
  };
  beforeAll(() => exchange(functions));
  afterEach(() => fileWatch.reset());
  afterAll(() => exchange(actual));
}

function watched(actual: typeof fs): Record<string, unknown> {
  const wrapped: Record<string, unknown> = {};
  for (const name of changing) {
    const original = actual[name] as (...args: unknown[]) => unknown;
    wrapped[name] = (...args: unknown[]) => {
      if (name === 'renameSync' && fileWatch.acrossDevices(String(args[0]), String(args[1])))
        throw Object.assign(new Error(`EXDEV: ${String(args[0])}`), { code: 'EXDEV' });
      passes(`${name} ${String(args[0])}`);
      return original(...args);
    };
  }
  const openSync = (path: PathLike, flags: OpenMode = 'r', mode?: Mode): number => {
    if (typeof flags === 'number' && (flags & actual.constants.O_CREAT) !== 0)
      passes(`openSync ${String(path)}`);
    return actual.openSync(path, flags, mode);
  };
  // Only a process dies here, never the machine: what it wrote is there without a sync, which takes most of the time.
  return { ...wrapped, openSync, fsyncSync: () => {} };
}
