// The real file functions, watched: a test sees every change, and can let the process "die" between any two of them.
import type * as NodeFs from 'node:fs';

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

/** For `vi.mock('node:fs', …)`: the functions of the real module, each change of a file reported first. */
export function watched(actual: typeof NodeFs): typeof NodeFs {
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
  const open = (path: NodeFs.PathLike, flags: NodeFs.OpenMode = 'r', mode?: NodeFs.Mode): number => {
    if (typeof flags === 'number' && (flags & actual.constants.O_CREAT) !== 0)
      passes(`openSync ${String(path)}`);
    return actual.openSync(path, flags, mode);
  };
  // Only a process dies here, never the machine: what it wrote is there without a sync, which takes most of the time.
  return { ...actual, ...wrapped, openSync: open, fsyncSync: () => {} } as typeof NodeFs;
}
