// Starts a command that runs beside this process, from an argument array: its input stays open, its last output is kept.
import { spawn } from 'node:child_process';
import { coreFailure } from './core-problem.ts';
import { systemErrorCode } from './failure.ts';
import type { Argv } from './run.ts';

export interface RunningProcess {
  readonly pid: number;
  /** To its standard input. */
  write(text: string): void;
  /** What it printed last, both streams together: at most 64 KiB. */
  tail(): string;
  hasEnded(): boolean;
  /** `status N` or `signal NAME`, when it has ended. */
  readonly ended: Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

const tailBytes = 64 * 1024;

/** @throws {Failure<CoreProblem>} command-missing, -not-started */
export function start(argv: Argv): Promise<RunningProcess> {
  const [command, ...args] = argv;
  const child = spawn(command, args, {
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let tail = Buffer.alloc(0);
  let ended = false;
  const keep = (chunk: Buffer): void => {
    tail = Buffer.concat([tail, chunk]).subarray(-tailBytes);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  // A command that ends without reading its input breaks the pipe; its end says what happened.
  child.stdin.on('error', () => {});
  const end = new Promise<string>((resolve) => {
    child.on('exit', () => {
      ended = true;
    });
    child.on('close', (status, signal) => {
      ended = true;
      resolve(status === null ? `signal ${signal}` : `status ${status}`);
    });
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      const errno = systemErrorCode(error);
      if (errno === undefined) reject(error);
      else if (errno === 'ENOENT') reject(coreFailure({ code: 'command-missing', command }, error));
      else reject(coreFailure({ code: 'command-not-started', command, errno }, error));
    });
    child.on('spawn', () => {
      resolve({
        pid: child.pid ?? 0,
        write: (text) => void child.stdin.write(text),
        tail: () => tail.toString('utf8'),
        hasEnded: () => ended,
        ended: end,
        kill: (signal) => void child.kill(signal),
      });
    });
  });
}
