// A limit for work whose length depends on how much there is: only time in which nothing is done counts.
import { readFileSync } from 'node:fs';
import { systemErrorCode } from './failure.ts';

interface IdleLimit {
  /** Milliseconds without any work. */
  readonly limitMs: number;
  /** Something that changes as long as work is done. */
  readonly work: () => string;
  readonly end: () => void;
}

/** How often it is looked within the limit. */
const looks = 20;

/**
 * Calls `end` once the work has stood still for the limit. Looks are counted and not the clock: a machine that slept, or
 * this process when it had no turn, would else take the work for idle.
 * @returns stops it
 */
export function endWhenIdle({ limitMs, work, end }: IdleLimit): () => void {
  let last = work();
  let idle = 0;
  const timer = setInterval(() => {
    const now = work();
    idle = now === last ? idle + 1 : 0;
    last = now;
    if (idle < looks) return;
    clearInterval(timer);
    end();
  }, limitMs / looks);
  return () => clearInterval(timer);
}

/**
 * What these processes, and those that they have started, have done so far: processor time, and bytes and calls of
 * reading and writing (proc(5)). It stays the same only while none of them does anything.
 */
export function workOf(pids: readonly number[]): string {
  return pids
    .flatMap((pid) => [pid, ...descendants(pid)])
    .map((pid) => `${pid} ${timesOf(pid)} ${read(`/proc/${pid}/io`).split('\n').join(' ')}`)
    .join('\n');
}

/** In user and kernel mode, of itself and of children that have ended. */
function timesOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may itself hold parentheses and blanks: the last one closes it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).join(' ');
}

function descendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Nothing of a process that has ended, or where the kernel does not tell. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return '';
  }
}
