// The log of a run: every command and request with its outcome, readable by this user only.
import * as fs from 'node:fs';
import { fileFailureOf } from './as-file-failure.ts';
import { coreFailure } from './core-problem.ts';
import { Failure } from './failure.ts';
import type { Host } from './host.ts';
import type { Output } from './output.ts';
import { kindOf } from './read-regular-file.ts';
import { inert } from './text.ts';

export interface Log {
  write(text: string): void;
  close(): void;
}

/**
 * Appends; the file is made 0600 and never followed through a link. What a full or broken disk does not take is left
 * out, and that is said once: what is logged, the end of a process among it, must happen all the same.
 */
export function openLog(path: string, warn: (text: string) => void): Log {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  // O_NONBLOCK: no reader of a named pipe is waited for.
  const fd = fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  const opened = fs.fstatSync(fd);
  if (opened.isFIFO()) {
    fs.closeSync(fd);
    throw coreFailure({ code: 'not-a-regular-file', path, is: kindOf(opened) });
  }
  let complete = true;
  let open = true;
  return {
    write(text) {
      // A signal may still come; the number of the file may be another's by then.
      if (!open) return;
      const lines = text.trimEnd().split('\n').map(inert);
      try {
        fs.writeSync(fd, `${new Date().toISOString()} ${lines.join('\n    ')}\n`);
      } catch (error) {
        const failure = fileFailureOf('write all of the log', path, error);
        if (failure === undefined) throw error;
        if (complete) warn(failure.message);
        complete = false;
      }
    },
    close() {
      open = false;
      fs.closeSync(fd);
    },
  };
}

/** Writes down why something ended. */
export function tell(log: Log, error: unknown): void {
  if (error instanceof Failure) log.write(error.message);
  else log.write(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

/** The same output, with every result and message in the log as well: whoever read it may be gone before the end. */
export function loggedOutput(output: Output, log: Log): Output {
  const note = (text: string): void => log.write(text.replaceAll(/\u001b\[\d+m/g, ''));
  return {
    ...output,
    line(text) {
      note(text);
      output.line(text);
    },
    message(text) {
      note(text);
      output.message(text);
    },
  };
}

/** The same host, with every command, request and signal written to the log. Bodies of requests are not: they hold values. */
export function loggedHost(host: Host, log: Log): Host {
  return {
    ...host,
    async run(argv, options) {
      const begun = host.clock();
      try {
        const result = await host.run(argv, options);
        log.write(
          `$ ${argv.join(' ')}\nstatus ${result.status} after ${Math.round(host.clock() - begun)} ms\n${result.stdout}${result.stderr}`,
        );
        return result;
      } catch (error) {
        log.write(`$ ${argv.join(' ')}\n${error instanceof Error ? error.message : String(error)}`);
        throw error;
      }
    },
    async start(argv) {
      log.write(`$ ${argv.join(' ')} &`);
      const started = await host.start(argv);
      return started;
    },
    async request(socketPath, request) {
      const begun = host.clock();
      try {
        const answer = await host.request(socketPath, request);
        if (request.method !== 'GET')
          log.write(
            `${request.method} ${request.path} on ${socketPath}: ${answer.status} after ${Math.round(host.clock() - begun)} ms`,
          );
        return answer;
      } catch (error) {
        log.write(
          `${request.method} ${request.path} on ${socketPath}: ${error instanceof Error ? error.message : String(error)}`,
        );
        throw error;
      }
    },
    signal(pid, signal) {
      log.write(`signal ${signal} to process ${pid}`);
      host.signal(pid, signal);
    },
  };
}
