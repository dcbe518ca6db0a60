// How long a container of a machine is down, seen from outside of the machine: from the end of its init to its next init.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Machine } from '../e2e/machine/machine.ts';

const everyMs = 50;

export interface ContainerWatch {
  /** Ends the watch. Seconds between the first end of its init and the start of the one that runs now. */
  down(): number;
}

/** @throws where the container does not run now */
export function watchContainer({ pid: machine }: Machine, name: string): ContainerWatch {
  let init = initOf(machine, name);
  if (init === undefined) throw new Error(`${name} does not run`);
  let endedAt: number | undefined;
  let startedAt: number | undefined;
  const timer = setInterval(() => {
    if (init !== undefined && isAlive(init)) return;
    if (init !== undefined) {
      endedAt ??= performance.now();
      startedAt = undefined;
    }
    init = initOf(machine, name);
    if (init !== undefined) startedAt = performance.now();
  }, everyMs);
  return {
    down() {
      clearInterval(timer);
      if (endedAt === undefined) return 0;
      return startedAt === undefined ? Number.POSITIVE_INFINITY : (startedAt - endedAt) / 1000;
    },
  };
}

/** The host's number of the container's first process: what its monitor (`[lxc monitor] PATH NAME`) has started. */
function initOf(machine: number, name: string): number | undefined {
  const namespace = link(`/proc/${machine}/ns/pid`);
  const processes = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const monitor = processes.find(
    (pid) =>
      /^\[lxc monitor\] \S+\/containers (\S+)$/.exec(argumentsOf(pid))?.[1] === name &&
      link(`/proc/${pid}/ns/pid`) === namespace,
  );
  if (monitor === undefined) return undefined;
  const found = processes.find((pid) => parentOf(pid) === monitor && argumentsOf(pid).includes('/sbin/init'));
  return found === undefined ? undefined : Number(found);
}

function isAlive(pid: number): boolean {
  const state = /^State:\s+(\S)/m.exec(text(`/proc/${pid}/status`))?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function parentOf(pid: string): string | undefined {
  return /^PPid:\s+(\d+)$/m.exec(text(`/proc/${pid}/status`))?.[1];
}

function argumentsOf(pid: string): string {
  return text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

/** Empty for a process that has just ended. */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
