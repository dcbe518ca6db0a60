// A throw-away machine: namespaces, a root tree and a disk of its own; it ends with the process that started it.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CoreProblem } from '../../../src/core/core-problem.ts';
import { Failure, type Problem, systemErrorCode } from '../../../src/core/failure.ts';
import { type Argv, type RunResult, run } from '../../../src/core/run.ts';
import { withLock } from './cache.ts';
import { makeCgroups } from './cgroup.ts';
import { copyDisk, emptyDisk } from './disk.ts';
import { machineFailure } from './problem.ts';
import {
  destroy,
  firstChild,
  type MachineRecord,
  machinesFolder,
  startTime,
  sweep,
  writeRecord,
} from './record.ts';
import { type RootTreeName, rootTree } from './root-tree.ts';

export interface ExecOptions {
  readonly input?: string | Buffer;
  /** Milliseconds after which the command is killed; 60,000 unless told. */
  readonly timeoutMs?: number;
  /** Exit statuses that are answers and not failures; 0 is always one. */
  readonly accept?: readonly number[] | 'any';
  /** Added to the machine's plain environment (PATH, HOME, LANG, TERM). */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ExecResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Machine {
  readonly name: string;
  readonly treeName: RootTreeName;
  /** Process 1 of the machine, as the host numbers it. */
  readonly pid: number;
  /**
   * The image that holds all that the machine wrote. A machine started from it while this one runs is what a power
   * cut leaves (let nothing write meanwhile: a copy takes a moment).
   */
  readonly disk: string;
  /** Runs a command in the machine. @throws {Failure<MachineProblem>} command-in-machine */
  exec(argv: Argv, options?: ExecOptions): Promise<ExecResult>;
  /** The same, with what it printed as bytes. */
  execBytes(argv: Argv, options?: ExecOptions): Promise<RunResult>;
  /** Starts a command that the caller watches; it ends with the machine at the latest. */
  spawn(argv: Argv, env?: Readonly<Record<string, string>>): ChildProcess;
  /** Copies a file or folder of the host to an absolute path in the machine. */
  copyIn(from: string, to: string, mode?: number): void;
  /** The host's path of a file in the machine; an absolute link on the way would lead to the host's own file. */
  rootPath(path: string): string;
  /** Ends everything in the machine at once and leaves no trace of it. `keepDisk` moves its disk there. */
  stop(options?: { readonly keepDisk?: string }): Promise<void>;
}

export interface StartOptions {
  readonly tree: RootTreeName;
  /** A short name for people; made unique. */
  readonly name?: string;
  /** An image to start from (copied); without it, a machine that never ran. */
  readonly disk?: string;
}

/** In every machine, with its name; the harness runs dangerous things only where it stands. */
export const markerFile = '/etc/lxd-to-incus-e2e-machine';

const upLimitMs = 60_000;
const scripts = import.meta.dirname;

/** @throws {Failure<MachineProblem>} not-root, machine-not-up, and what a root tree may fail with */
export async function startMachine(options: StartOptions): Promise<Machine> {
  const tree = await rootTree(options.tree);
  const source = options.disk ?? (await emptyDisk(tree));
  const name = `${options.name ?? options.tree}-${randomBytes(3).toString('hex')}`;
  const folder = join(machinesFolder(), name);
  let record: MachineRecord = {
    name,
    folder,
    disk: join(folder, 'disk.img'),
    owner: { pid: process.pid, startTime: startTime(process.pid) },
    cgroups: [],
  };
  await withLock(join(machinesFolder(), '.lock'), async () => {
    await sweep();
    mkdirSync(join(folder, 'mnt'), { recursive: true, mode: 0o700 });
    writeRecord(record);
  });
  try {
    await copyDisk(source, record.disk);
    record = { ...record, cgroups: makeCgroups(name) };
    writeRecord(record);
    const supervisor = launch(record, tree.path);
    if (supervisor.pid !== undefined) {
      record = { ...record, supervisor: { pid: supervisor.pid, startTime: startTime(supervisor.pid) } };
      writeRecord(record);
    }
    await isUp(supervisor, name);
    supervisor.unref();
    const init = firstChild(supervisor.pid ?? 0);
    if (init === undefined) throw machineFailure({ code: 'machine-gone', name });
    const machine = machineOf(record, options.tree, init);
    machine.copyIn(join(scripts, 'systemctl'), '/usr/local/bin/systemctl', 0o755);
    return machine;
  } catch (error) {
    await destroy(record);
    throw error;
  }
}

function launch(record: MachineRecord, treePath: string): ChildProcess {
  const cgroups = record.cgroups
    .map(({ mountName, type, options }) => [mountName || '-', type, options || '-'].join(' '))
    .join('\n');
  const argv = [
    // If this process dies, however it does, the kernel kills the chain down to the machine's process 1.
    ...['--pdeathsig', 'KILL', 'sh', join(scripts, 'enter.sh')],
    ...record.cgroups.map(({ entry }) => entry),
    ...[
      '--',
      'unshare',
      '--mount',
      '--propagation',
      'private',
      '--pid',
      '--net',
      '--uts',
      '--ipc',
      '--cgroup',
    ],
    ...['--fork', '--kill-child', 'sh', join(scripts, 'init.sh')],
    ...[record.name, record.folder, treePath, cgroups],
  ];
  return spawn('setpriv', argv, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' });
}

function isUp(supervisor: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(machineFailure({ code: 'machine-not-up', name, printed: `${printed}${why}` }));
    };
    const timer = setTimeout(() => fail(`not ready after ${upLimitMs / 1000} s`), upLimitMs);
    supervisor.stderr?.on('data', (data: Buffer) => {
      printed += data.toString('utf8');
    });
    supervisor.stdout?.on('data', (data: Buffer) => {
      printed += data.toString('utf8');
      if (!printed.includes('ready\n')) return;
      clearTimeout(timer);
      supervisor.stdout?.destroy();
      supervisor.stderr?.destroy();
      resolve();
    });
    supervisor.on('error', (error) => fail(error.message));
    supervisor.on('close', (status) => fail(`ended with status ${status}`));
  });
}

function machineOf(record: MachineRecord, treeName: RootTreeName, pid: number): Machine {
  const started = startTime(pid);
  const rootPath = (path: string): string => join(`/proc/${pid}/root`, path);
  const enter = (argv: Argv, env: Readonly<Record<string, string>> = {}): Argv => {
    if (startTime(pid) !== started) throw machineFailure({ code: 'machine-gone', name: record.name });
    requireMarker(record.name, rootPath(markerFile));
    const variables = { ...plainEnvironment, ...env };
    return [
      ...(['sh', join(scripts, 'enter.sh')] as const),
      ...record.cgroups.map(({ entry }) => entry),
      ...[
        '--',
        'nsenter',
        '--target',
        String(pid),
        '--mount',
        '--uts',
        '--ipc',
        '--net',
        '--pid',
        '--cgroup',
      ],
      ...['--root', '--wd', '--', 'env', '--ignore-environment', '--chdir=/root'],
      ...Object.entries(variables).map(([key, value]) => `${key}=${value}`),
      ...argv,
    ];
  };
  /** What runs in the machine, for the failure of a command that did not end. */
  const processes = async (): Promise<string> => {
    const { stdout } = await run(enter(['ps', '-e', '-o', 'pid,ppid,stat,wchan:20,etimes,args']), {
      timeoutMs: 10_000,
      accept: 'any',
    });
    return stdout.toString('utf8');
  };
  const execBytes: Machine['execBytes'] = async (argv, { input, timeoutMs = 60_000, accept, env } = {}) => {
    const entered = enter(argv, env);
    try {
      return await run(entered, {
        timeoutMs,
        ...(input === undefined ? {} : { input: Buffer.from(input) }),
        ...(accept === undefined ? {} : { accept }),
      });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // The way into the machine is long and the same every time: only the command itself says something.
      throw machineFailure({
        code: 'command-in-machine',
        name: record.name,
        argv,
        why: `${reason(error.problem)}${timedOut(error.problem) ? `\n${await processes()}` : ''}`,
      });
    }
  };
  return {
    name: record.name,
    treeName,
    pid,
    disk: record.disk,
    rootPath,
    execBytes,
    async exec(argv, options) {
      const { status, stdout, stderr } = await execBytes(argv, options);
      return { status, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
    },
    spawn(argv, env) {
      const [command, ...rest] = enter(argv, env);
      return spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    },
    copyIn(from, to, mode) {
      requireMarker(record.name, rootPath(markerFile));
      const target = rootPath(to);
      mkdirSync(join(target, '..'), { recursive: true });
      rmSync(target, { recursive: true, force: true });
      cpSync(from, target, { recursive: true });
      if (mode !== undefined) chmodSync(target, mode);
    },
    stop: ({ keepDisk } = {}) => destroy(record, keepDisk),
  };
}

function timedOut(problem: Problem): boolean {
  return (problem as CoreProblem).code === 'command-timeout';
}

function reason(problem: Problem): string {
  const core = problem as CoreProblem;
  switch (core.code) {
    case 'command-failed':
      return `status ${core.status}: ${core.stderr.trimEnd()}`;
    case 'command-killed':
      return `${core.signal}: ${core.stderr.trimEnd()}`;
    case 'command-timeout':
      return `killed after ${core.limitMs / 1000} s; it had printed:\n${core.printed.slice(-4_000)}`;
    default:
      return core.code;
  }
}

const plainEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  TERM: 'dumb',
};

/** @throws {Failure<MachineProblem>} not-a-machine */
export function requireMarker(name: string, marker: string): void {
  let found: string | undefined;
  try {
    found = readFileSync(marker, 'utf8').trimEnd();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ESRCH' && code !== 'ENOTDIR') throw error;
  }
  if (found !== name) throw machineFailure({ code: 'not-a-machine', name, marker });
}
