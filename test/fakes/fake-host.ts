// A machine for tests: files below a temporary folder, scripted answers, and a clock that only a sleep moves on.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { coreFailure } from '../../src/core/core-problem.ts';
import type {
  Host,
  HttpAnswer,
  HttpRequest,
  LoopDevice,
  MountInfo,
  PortHolder,
  ProcessInfo,
} from '../../src/core/host.ts';
import type { Argv, RunOptions, RunResult } from '../../src/core/run.ts';

type Maybe<T> = T | undefined | Promise<T | undefined>;
type RequestHandler = (socketPath: string, request: HttpRequest) => Maybe<HttpAnswer>;
type RunHandler = (argv: Argv, options: RunOptions) => Maybe<Partial<RunResult>>;
type SignalHandler = (pid: number, signal: NodeJS.Signals | number) => void;
type SleepHandler = (clockMs: number) => void;

export interface FakeHost extends Host {
  /** Where `/` of this machine lies. */
  readonly root: string;
  /** What the machine has; a test sets and changes it. */
  readonly machine: {
    processes: ProcessInfo[];
    /** What processes have done so far. */
    work: string;
    mounts: MountInfo[];
    loops: LoopDevice[];
    ports: PortHolder[];
    /** Process id by the path of the socket that it listens on. */
    listeners: Map<string, number>;
    /** Paths of commands by name. */
    commands: Map<string, string>;
    userId: number;
    clockMs: number;
  };
  /** Everything that was done to it, in order. */
  readonly log: { readonly kind: 'run' | 'signal' | 'request' | 'sleep'; readonly text: string }[];
  readonly requests: { readonly socketPath: string; readonly request: HttpRequest }[];
  /** The last handler that has an answer gives it; where none has, nobody listens on the socket. */
  onRequest(handler: RequestHandler): void;
  /** The last handler that has a result gives it; where none has, the command does not exist. */
  onRun(handler: RunHandler): void;
  /** As onRun, for what is started to run beside; it has ended at once. */
  onStart(handler: RunHandler): void;
  onSignal(handler: SignalHandler): void;
  /** Called at each sleep, when its time has passed. */
  onSleep(handler: SleepHandler): void;
  /** Makes a file and the folders above it. */
  writeFile(absolute: string, content: string | Buffer): void;
  /** Removes the files. */
  dispose(): void;
}

export function fakeHost(): FakeHost {
  const root = fs.mkdtempSync(join(tmpdir(), 'fake-host-'));
  const machine: FakeHost['machine'] = {
    processes: [],
    work: '',
    mounts: [],
    loops: [],
    ports: [],
    listeners: new Map(),
    commands: new Map(),
    userId: 0,
    clockMs: 1_000,
  };
  const log: FakeHost['log'] = [];
  const requests: FakeHost['requests'] = [];
  const requestHandlers: RequestHandler[] = [];
  const runHandlers: RunHandler[] = [];
  const startHandlers: RunHandler[] = [];
  const signalHandlers: SignalHandler[] = [];
  const sleepHandlers: SleepHandler[] = [];
  const path = (absolute: string): string => join(root, absolute);

  return {
    root,
    machine,
    log,
    requests,
    onRequest: (handler) => requestHandlers.unshift(handler),
    onRun: (handler) => runHandlers.unshift(handler),
    onStart: (handler) => startHandlers.unshift(handler),
    onSignal: (handler) => signalHandlers.unshift(handler),
    onSleep: (handler) => sleepHandlers.unshift(handler),
    writeFile: (absolute, content) => {
      fs.mkdirSync(dirname(path(absolute)), { recursive: true });
      fs.writeFileSync(path(absolute), content);
    },
    dispose: () => fs.rmSync(root, { recursive: true, force: true }),

    path,
    run: async (argv, options) => {
      log.push({ kind: 'run', text: argv.join(' ') });
      const result = await firstAnswer(runHandlers, (handler) => handler(argv, options));
      if (result === undefined) throw coreFailure({ code: 'command-missing', command: argv[0] });
      const { status = 0, stdout = Buffer.alloc(0), stderr = Buffer.alloc(0) } = result;
      const accepted = status === 0 || options.accept === 'any' || options.accept?.includes(status) === true;
      if (!accepted)
        throw coreFailure({ code: 'command-failed', argv, status, stderr: stderr.toString('utf8') });
      return { status, stdout, stderr };
    },
    start: async (argv) => {
      log.push({ kind: 'run', text: argv.join(' ') });
      const result = await firstAnswer(startHandlers, (handler) => handler(argv, { timeoutMs: 1 }));
      if (result === undefined) throw coreFailure({ code: 'command-missing', command: argv[0] });
      const { status = 0, stdout = Buffer.alloc(0) } = result;
      return {
        pid: 1,
        write: () => {},
        tail: () => stdout.toString('utf8'),
        hasEnded: () => true,
        ended: Promise.resolve(`status ${status}`),
        kill: () => {},
      };
    },
    which: (command) => machine.commands.get(command),
    processes: () => machine.processes,
    work: () => machine.work,
    signal: (pid, signal) => {
      log.push({ kind: 'signal', text: `${signal} ${pid}` });
      for (const handler of signalHandlers) handler(pid, signal);
    },
    mounts: () => machine.mounts,
    loops: async () => machine.loops,
    ports: () => machine.ports,
    listener: (socketPath) => machine.listeners.get(socketPath),
    request: async (socketPath, request) => {
      log.push({ kind: 'request', text: `${request.method} ${request.path}` });
      requests.push({ socketPath, request });
      const answer = await firstAnswer(requestHandlers, (handler) => handler(socketPath, request));
      if (answer !== undefined) return answer;
      throw Object.assign(new Error(`connect ENOENT ${socketPath}`), { code: 'ENOENT' });
    },
    sleep: async (milliseconds) => {
      machine.clockMs += milliseconds;
      log.push({ kind: 'sleep', text: `${milliseconds}` });
      for (const handler of sleepHandlers) handler(machine.clockMs);
    },
    clock: () => machine.clockMs,
    now: () => new Date(Date.UTC(2026, 10, 24) + machine.clockMs),
    userId: () => machine.userId,
  };
}

async function firstAnswer<H, T>(
  handlers: readonly H[],
  call: (handler: H) => Maybe<T>,
): Promise<T | undefined> {
  for (const handler of handlers) {
    const answer = await call(handler);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
