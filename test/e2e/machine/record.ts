// What is known of each machine on disk, so that one whose owner was killed can be cleared away by the next run.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemErrorCode } from '../../../src/core/failure.ts';
import { cacheFolder } from './cache.ts';
import { type CgroupPart, removeCgroups, thaw } from './cgroup.ts';
import { detachLoop, loopsOfFile, loopsOnDevice } from './disk.ts';
import { machineFailure } from './problem.ts';

interface ProcessIdentity {
  readonly pid: number;
  /** In ticks since boot; a number that was given to another process has another one. */
  readonly startTime: string | undefined;
}

export interface MachineRecord {
  readonly name: string;
  readonly folder: string;
  readonly disk: string;
  /** The test process that started it. */
  readonly owner: ProcessIdentity;
  /** The parent of the machine's process 1. */
  readonly supervisor?: ProcessIdentity;
  readonly cgroups: readonly CgroupPart[];
}

const endLimitMs = 60_000;
const pollMs = 20;

export function machinesFolder(): string {
  const folder = join(cacheFolder(), 'machines');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

export function writeRecord(record: MachineRecord): void {
  const path = join(record.folder, 'machine.json');
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Field 22 of /proc/PID/stat; undefined for a process that is gone or a zombie. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

function isAlive(identity: ProcessIdentity): boolean {
  const now = startTime(identity.pid);
  return now !== undefined && now === identity.startTime;
}

/** Clears away the machines of owners that are gone. The caller holds the folder's lock. */
export async function sweep(): Promise<void> {
  for (const name of readdirSync(machinesFolder())) {
    const path = join(machinesFolder(), name, 'machine.json');
    if (!existsSync(path)) {
      if (!name.startsWith('.')) rmSync(join(machinesFolder(), name), { recursive: true, force: true });
      continue;
    }
    const record = JSON.parse(readFileSync(path, 'utf8')) as MachineRecord;
    if (!isAlive(record.owner)) await destroy(record);
  }
}

/**
 * Ends all processes of a machine and frees its mounts, loop devices, cgroups and files.
 * @throws {Failure<MachineProblem>} machine-left-something
 */
export async function destroy(record: MachineRecord, keepDisk?: string): Promise<void> {
  if (!existsSync(record.folder)) return;
  const left = await ended(record);
  if (left.length > 0)
    throw machineFailure({ code: 'machine-left-something', name: record.name, what: left });
  if (keepDisk !== undefined) {
    mkdirSync(dirname(keepDisk), { recursive: true, mode: 0o700 });
    renameSync(record.disk, keepDisk);
  }
  rmSync(record.folder, { recursive: true, force: true });
}

async function ended(record: MachineRecord): Promise<string[]> {
  const limit = performance.now() + endLimitMs;
  const { supervisor } = record;
  for (;;) {
    thaw(record.cgroups);
    // Killed from below: the supervisor then reaps the machine's process 1, which nobody else may do.
    if (supervisor !== undefined && isAlive(supervisor)) kill(firstChild(supervisor.pid) ?? supervisor.pid);
    const pids = processesIn(record.cgroups);
    for (const pid of pids) if (pid !== supervisor?.pid) kill(pid);
    const left = pids.map((pid) => `process ${pid}`);
    if (left.length === 0) left.push(...(await freeLoops(record.disk)), ...removeCgroups(record.cgroups));
    if (left.length === 0 || performance.now() > limit) return left;
    await delay(pollMs);
  }
}

export function firstChild(pid: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? undefined : Number(children.split(' ')[0]);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** Of the machine's entry group: its supervisor, its first process, and what entered it from outside. */
function processesIn(cgroups: readonly CgroupPart[]): number[] {
  const pids = cgroups.flatMap(({ entry }) => {
    try {
      return readFileSync(join(entry, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ENOENT' || code === 'ENODEV') return [];
      throw error;
    }
  });
  return [...new Set(pids)];
}

/** Loop devices that the daemons made on the machine's disk keep that disk mounted: those go first. */
async function freeLoops(disk: string): Promise<string[]> {
  if (!existsSync(disk)) return [];
  const own = await loopsOfFile(disk);
  for (const device of own) for (const inner of await loopsOnDevice(device)) await detachLoop(inner);
  // The disk's own device detaches itself with its last mount.
  return own.map((device) => `loop device ${device}`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}
