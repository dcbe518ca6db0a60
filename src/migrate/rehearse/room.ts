// A room in which a daemon can be tried: namespaces of its own, of the host's files only programs and settings, read-only.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { coreFailure } from '../../core/core-problem.ts';
import { makeFolders } from '../../core/durable.ts';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { once } from '../../core/once.ts';
import type { Argv } from '../../core/run.ts';
import type { RunningProcess } from '../../core/start.ts';

export interface RoomOptions {
  /** A folder that is writable in the room; in memory, like everything that can be written there. */
  readonly writable: string;
  /** The program that will run; its folder is shown wherever it lies. */
  readonly program: string;
  readonly bytes: number;
}

export interface Room {
  /** Where this process finds a path of the room. */
  path(inside: string): string;
  start(argv: Argv, env: Readonly<Record<string, string>>): Promise<RunningProcess>;
  /** Ends everything in it; returns when nothing is left. @throws {Failure<CoreProblem>} wait-limit */
  close(): Promise<void>;
}

/** Why there is no room: shown to the person who has to decide without a rehearsal. */
export interface NoRoom {
  readonly reason: string;
}

export const roomCommands = ['setpriv', 'unshare', 'nsenter', 'mount', 'umount', 'pivot_root', 'cat', 'env'];

/** What is shown of the host, where it exists: programs, their libraries and settings. No data, no sockets, no devices. */
const shown = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'usr', 'etc', 'opt', 'nix', 'gnu', 'snap'];

/** Nodes of /dev that every program may expect; none of them leads to a device of the host. */
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/**
 * Capabilities that reach past the namespaces: kernel modules, raw memory, clock, reboot, device nodes (loop devices),
 * BPF, the kernel's log and audit.
 */
const withoutCapabilities = [
  'sys_module',
  'sys_rawio',
  'sys_boot',
  'sys_time',
  'mknod',
  'syslog',
  'audit_control',
  'audit_write',
  'mac_admin',
  'mac_override',
  'wake_alarm',
  'block_suspend',
  'linux_immutable',
];

/** File systems that may hold programs; one of the network, or of a process, could hang. */
const localTypes = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'f2fs',
  'squashfs',
  'erofs',
  'overlay',
]);

/** Whether a path lies in a folder that the room shows read-only. */
export function isShown(path: string): boolean {
  return shown.some((name) => path === `/${name}` || path.startsWith(`/${name}/`));
}

const commandLimitMs = 20_000;
const closeLimitMs = 20_000;

/**
 * The first process of the room is a `cat` that reads from this process. However this process ends, the pipe closes and
 * the kernel signals, so `cat` ends, and with it every process, mount, interface and file of the room.
 */
export async function openRoom(host: Host, options: RoomOptions): Promise<Room | NoRoom> {
  const missing = roomCommands.filter((command) => host.which(command) === undefined);
  if (missing.length > 0) return { reason: `commands are missing: ${missing.join(', ')}` };
  const holder = await startHolder(host);
  if ('reason' in holder) return holder;
  // Once: a number that is free again may be that of another process.
  const close = once(async (): Promise<void> => {
    const first = firstProcess(host, holder.pid);
    if (first !== undefined) host.signal(first, 'SIGKILL');
    else holder.kill('SIGKILL');
    // unshare waits for the first process, which the kernel lets end only after all others of its namespace.
    if (!(await endsWithin(host, holder, closeLimitMs)))
      throw coreFailure({
        code: 'wait-limit',
        what: 'the processes of the rehearsal to end',
        limitMs: closeLimitMs,
        last: `process ${holder.pid} is still there`,
      });
  });
  try {
    const first = await holderIsUp(host, holder);
    if (first === undefined) {
      await close();
      return { reason: `namespaces cannot be made here: ${lastLine(holder.tail())}` };
    }
    const inside = enter(first);
    await furnish(host, first, inside, options);
    return {
      path: (path) => host.path(join(`/proc/${first}/root`, path)),
      start: (argv, env) =>
        host.start([
          ...inside(['setpriv', '--bounding-set', withoutCapabilities.map((name) => `-${name}`).join(',')]),
          ...['env', '--ignore-environment', ...Object.entries(env).map(([key, value]) => `${key}=${value}`)],
          ...argv,
        ]),
      close,
    };
  } catch (error) {
    await close();
    if (!(error instanceof Failure) && systemErrorCode(error) === undefined) throw error;
    return {
      reason: `the namespaces could not be set up: ${(error as Error).message.split('\n').join(', ')}`,
    };
  }
}

async function startHolder(host: Host): Promise<RunningProcess | NoRoom> {
  try {
    return await host.start([
      ...(['setpriv', '--pdeathsig', 'KILL'] as const),
      ...['unshare', '--mount', '--propagation', 'private', '--net', '--pid', '--uts', '--ipc', '--cgroup'],
      ...['--fork', '--kill-child', 'cat'],
    ]);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { reason: `namespaces cannot be made here: ${error.explanation.what}` };
  }
}

async function endsWithin(host: Host, started: RunningProcess, limitMs: number): Promise<boolean> {
  const end = host.clock() + limitMs;
  while (!started.hasEnded()) {
    if (host.clock() > end) return false;
    await host.sleep(5);
  }
  return true;
}

/** `cat` gives back what it is told, once it is there: then the namespaces are, too. */
async function holderIsUp(host: Host, holder: RunningProcess): Promise<number | undefined> {
  const end = host.clock() + commandLimitMs;
  holder.write('up\n');
  while (!holder.tail().includes('up\n')) {
    if (holder.hasEnded() || host.clock() > end) return undefined;
    await host.sleep(2);
  }
  return firstProcess(host, holder.pid);
}

function firstProcess(host: Host, holder: number): number | undefined {
  return host.processes().find(({ parent }) => parent === holder)?.pid;
}

function enter(first: number): (argv: Argv) => Argv {
  const namespaces = ['--mount', '--net', '--pid', '--uts', '--ipc', '--cgroup'];
  return (argv) => ['nsenter', '--target', String(first), ...namespaces, '--', ...argv];
}

/** Builds the room's root in memory, shows in it what of the host is needed, and makes it the root of the namespace. */
async function furnish(
  host: Host,
  first: number,
  inside: (argv: Argv) => Argv,
  { writable, program, bytes }: RoomOptions,
): Promise<void> {
  const run = (...argv: Argv): Promise<unknown> => host.run(inside(argv), { timeoutMs: commandLimitMs });
  const root = '/tmp';
  const at = (path: string): string => host.path(join(`/proc/${first}/root`, root, path));
  await run('mount', '-t', 'tmpfs', '-o', `mode=0755,size=${bytes}`, 'rehearsal', root);
  for (const path of visible(host, program)) {
    const link = fs.lstatSync(host.path(path)).isSymbolicLink();
    if (link) fs.symlinkSync(fs.readlinkSync(host.path(path)), at(path));
    else {
      makeFolders(at(path));
      await run('mount', '--bind', '-o', 'ro', path, join(root, path));
    }
  }
  for (const folder of ['proc', 'sys', 'dev', 'run', 'tmp', 'var/tmp', 'root', 'host', writable])
    makeFolders(at(folder));
  await run('mount', '-t', 'proc', '-o', 'ro,nosuid,nodev,noexec', 'proc', join(root, 'proc'));
  await run('mount', '-t', 'sysfs', '-o', 'ro,nosuid,nodev,noexec', 'sysfs', join(root, 'sys'));
  // incusd watches /dev and wants a file system of its own there (internal/server/fsmonitor).
  await run('mount', '-t', 'tmpfs', '-o', 'mode=0755,nosuid,size=1m', 'dev', join(root, 'dev'));
  for (const name of devices) {
    if (!fs.existsSync(host.path(`/dev/${name}`))) continue;
    fs.writeFileSync(at(`dev/${name}`), '');
    await run('mount', '--bind', `/dev/${name}`, join(root, 'dev', name));
  }
  await run('pivot_root', root, join(root, 'host'));
  await run('umount', '--lazy', '/host');
}

/** Paths of the host to show, each before what is mounted below it. */
function visible(host: Host, program: string): string[] {
  const top = shown.map((name) => `/${name}`).filter((path) => fs.existsSync(host.path(path)));
  const home = dirname(fs.realpathSync(host.path(program)));
  const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
  const folders = top.some((folder) => isBelow(home, folder)) ? top : [...top, home];
  const below = host
    .mounts()
    .filter(({ type }) => localTypes.has(type))
    .map(({ path }) => path)
    .filter((path) => folders.some((folder) => path !== folder && isBelow(path, folder)));
  return [...folders, ...[...new Set(below)].sort()];
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
