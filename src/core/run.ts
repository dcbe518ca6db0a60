// Runs a command from an argument array, never through a shell; a signal or a time-out is a failure.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { coreFailure } from './core-problem.ts';
import { systemErrorCode } from './failure.ts';
import { endWhenIdle, workOf } from './idle-limit.ts';

export type Argv = readonly [string, ...string[]];

export interface RunOptions {
  /** Milliseconds after which the command and its process group are killed. */
  readonly timeoutMs: number;
  /**
   * Only time in which the command does nothing counts for `timeoutMs`: one that computes, reads or writes goes on. For
   * work whose length depends on how much there is.
   */
  readonly whileIdle?: true;
  /** Bytes for its standard input; without it the input is empty. */
  readonly input?: Buffer;
  readonly cwd?: string;
  /** Added to (undefined: removed from) the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Exit statuses that are answers and not failures; 0 is always one. */
  readonly accept?: readonly number[] | 'any';
  /** Bytes of output, both streams together; 256 MiB unless told. */
  readonly maxOutputBytes?: number;
  /**
   * The command may be a daemon itself, or leave one behind: it is not killed, its output goes nowhere, and this
   * process may end before it. `timeoutMs` does not count.
   */
  readonly mayStay?: boolean;
}

export interface RunResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Runs `argv` and returns what it printed, as bytes.
 * @throws {Failure<CoreProblem>} command-missing, -not-started, -failed, -killed, -timeout, -output-too-large
 */
export function run(argv: Argv, options: RunOptions): Promise<RunResult> {
  if (options.mayStay === true) return runAndLeave(argv, options);
  const [command, ...args] = argv;
  const limitBytes = options.maxOutputBytes ?? 256 * 1024 * 1024;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: 'C', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let bytes = 0;
    let stopped: 'timeout' | 'output' | undefined;
    const stop = (why: 'timeout' | 'output'): void => {
      stopped ??= why;
      killGroup(child.pid);
      // A process that left the group may hold the pipes open for ever: the limit counts all the same.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const endLimit = beginLimit(child.pid, options, () => stop('timeout'));
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limitBytes) stop('output');
      else into.push(chunk);
    };
    child.stdout.on('data', collect(out));
    child.stderr.on('data', collect(err));
    // A command that ends without reading its input breaks the pipe; its status says what happened.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
    child.on('error', (error) => {
      endLimit();
      reject(notStarted(error, command, options.cwd));
    });
    child.on('close', (status, signal) => {
      endLimit();
      const stderr = Buffer.concat(err);
      const text = stderr.toString('utf8');
      if (stopped === 'timeout')
        return reject(
          coreFailure({
            code: 'command-timeout',
            argv,
            limitMs: options.timeoutMs,
            ...(options.whileIdle === true ? { idle: true } : {}),
            printed: Buffer.concat([...out, ...err]).toString('utf8'),
          }),
        );
      if (stopped === 'output')
        return reject(coreFailure({ code: 'command-output-too-large', argv, limitBytes }));
      if (status === null)
        return reject(coreFailure({ code: 'command-killed', argv, signal: String(signal), stderr: text }));
      const accepted = status === 0 || options.accept === 'any' || options.accept?.includes(status) === true;
      if (!accepted) return reject(coreFailure({ code: 'command-failed', argv, status, stderr: text }));
      resolve({ status, stdout: Buffer.concat(out), stderr });
    });
  });
}

/** @returns ends the limit */
function beginLimit(
  pid: number | undefined,
  { timeoutMs, whileIdle }: RunOptions,
  end: () => void,
): () => void {
  if (whileIdle === true && pid !== undefined)
    return endWhenIdle({ limitMs: timeoutMs, work: () => workOf([pid]), end });
  const timer = setTimeout(end, timeoutMs);
  return () => clearTimeout(timer);
}

function runAndLeave(argv: Argv, options: RunOptions): Promise<RunResult> {
  const [command, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: 'C', ...options.env },
      stdio: 'ignore',
      detached: true,
    });
    child.on('error', (error) => reject(notStarted(error, command, options.cwd)));
    child.on('exit', (status, signal) => {
      const nothing = Buffer.alloc(0);
      if (status === 0) resolve({ status, stdout: nothing, stderr: nothing });
      else if (status === null)
        reject(coreFailure({ code: 'command-killed', argv, signal: String(signal), stderr: '' }));
      else reject(coreFailure({ code: 'command-failed', argv, status, stderr: '' }));
    });
    child.unref();
  });
}

/** ENOENT means the command, or the folder that it should have been started in. */
function notStarted(error: Error, command: string, cwd: string | undefined): Error {
  const errno = systemErrorCode(error);
  if (errno === undefined) return error;
  const missing = errno === 'ENOENT' && (cwd === undefined || existsSync(cwd));
  return coreFailure(
    missing ? { code: 'command-missing', command } : { code: 'command-not-started', command, errno },
    error,
  );
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}
