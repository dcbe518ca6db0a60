// The boundary to the machine: commands, processes, files, mounts, loop devices and sockets.
import type { Argv, RunOptions, RunResult } from './run.ts';
import type { RunningProcess } from './start.ts';

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  /** Arguments; a process that rewrote its title (`[lxc monitor] …`) has it all in the first one. */
  readonly argv: readonly string[];
  /** Path of the program, without the ` (deleted)` of a removed package; undefined for kernel threads. */
  readonly program: string | undefined;
  /** Whether it lives in the mount namespace of this process. */
  readonly sameMountNamespace: boolean;
  /** Whether it lives in the process namespace of this process; what containers run does not. */
  readonly samePidNamespace: boolean;
}

export interface MountInfo {
  readonly path: string;
  readonly type: string;
  readonly device: string;
  /** Path inside the mounted file system that is visible at `path`. */
  readonly root: string;
  /** `major:minor` of the file system, the same for all its bind mounts; undefined where it is not known. */
  readonly deviceNumber?: string;
}

export interface LoopDevice {
  readonly device: string;
  /** As this process sees it. Loop devices belong to the whole kernel: those on files of other namespaces are left out. */
  readonly backingFile: string;
}

/** A port of the machine that somebody waits on. */
export interface PortHolder {
  readonly protocol: 'tcp' | 'udp';
  /** As `parseProcNet` writes it. */
  readonly address: string;
  readonly port: number;
  /** undefined: nobody that this process may see. */
  readonly pid: number | undefined;
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Sent as it is instead of `body`. */
  readonly content?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Host {
  /** Where an absolute path of the host is found by this process; a fake host keeps its files below a root. */
  path(absolute: string): string;
  run(argv: Argv, options: RunOptions): Promise<RunResult>;
  /** Starts a command that runs beside this process. @throws command-missing, -not-started */
  start(argv: Argv): Promise<RunningProcess>;
  /** Absolute path of a command, or undefined when it is not on PATH. */
  which(command: string): string | undefined;
  processes(): readonly ProcessInfo[];
  /** Something that changes as long as these processes, or what they have started, compute, read or write. */
  work(pids: readonly number[]): string;
  /** A process that has ended already is no error. Real-time signals are given by number. */
  signal(pid: number, signal: NodeJS.Signals | number): void;
  mounts(): readonly MountInfo[];
  loops(): Promise<readonly LoopDevice[]>;
  /** Process that listens on a unix socket; undefined where nobody does. A service manager that only holds it counts as nobody. */
  listener(socketPath: string): number | undefined;
  /** Ports on which somebody waits, in the network namespace of this process. */
  ports(): readonly PortHolder[];
  /** HTTP over a unix socket. @throws system errors (ENOENT, ECONNREFUSED, …) and `wait-limit` */
  request(socketPath: string, request: HttpRequest): Promise<HttpAnswer>;
  sleep(milliseconds: number): Promise<void>;
  /** Milliseconds of a clock that never goes back. */
  clock(): number;
  /** Wall time. */
  now(): Date;
  userId(): number;
}
