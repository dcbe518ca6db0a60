// Failures of the kernel itself: commands, files, waits.
import { Failure, unreachable } from './failure.ts';
import { formatBytes } from './text.ts';

export type CoreProblem =
  | { readonly code: 'command-missing'; readonly command: string }
  | { readonly code: 'command-not-started'; readonly command: string; readonly errno: string }
  | {
      readonly code: 'command-failed';
      readonly argv: readonly string[];
      readonly status: number;
      readonly stderr: string;
    }
  | {
      readonly code: 'command-killed';
      readonly argv: readonly string[];
      readonly signal: string;
      readonly stderr: string;
    }
  | {
      readonly code: 'command-timeout';
      readonly argv: readonly string[];
      readonly limitMs: number;
      /** It had done nothing for so long; otherwise it had run for so long. */
      readonly idle?: boolean;
      /** What it had printed until then, on both streams. */
      readonly printed: string;
    }
  /** It printed something else than it is known to print. */
  | { readonly code: 'command-answer'; readonly argv: readonly string[]; readonly why: string }
  | {
      readonly code: 'command-output-too-large';
      readonly argv: readonly string[];
      readonly limitBytes: number;
    }
  | {
      readonly code: 'file-system';
      readonly operation: string;
      readonly path: string;
      readonly errno: string;
    }
  | { readonly code: 'not-a-regular-file'; readonly path: string; readonly is: string }
  | {
      readonly code: 'file-too-large';
      readonly path: string;
      readonly bytes: number;
      readonly limit: number;
    }
  | { readonly code: 'target-exists'; readonly path: string }
  | { readonly code: 'not-a-folder-of-ours'; readonly path: string; readonly why: string }
  | { readonly code: 'wait-limit'; readonly what: string; readonly limitMs: number; readonly last: string };

/** Makes the failure of a core problem; the only place where its text is written. */
export function coreFailure(problem: CoreProblem, cause?: unknown): Failure<CoreProblem> {
  return new Failure(problem, explain(problem), { cause });
}

function explain(problem: CoreProblem): { what: string; where?: string; next?: string } {
  switch (problem.code) {
    case 'command-missing':
      return {
        what: `The command ${problem.command} is not on this machine's PATH.`,
        next: 'Install it, or extend PATH, and try again.',
      };
    case 'command-not-started':
      return {
        what: `The command ${problem.command} could not be started: ${problem.errno}.`,
        next: 'See whether it is a program that this user may run.',
      };
    case 'command-failed':
      return {
        what: `${commandOf(problem.argv)} ended with status ${problem.status}.`,
        ...lastLines(problem.stderr),
      };
    case 'command-killed':
      return {
        what: `${commandOf(problem.argv)} was ended by signal ${problem.signal}.`,
        ...lastLines(problem.stderr),
      };
    case 'command-timeout':
      return {
        what:
          problem.idle === true
            ? `${commandOf(problem.argv)} did nothing for ${problem.limitMs / 1000} s and was killed.`
            : `${commandOf(problem.argv)} did not end within ${problem.limitMs / 1000} s and was killed.`,
        ...lastLines(problem.printed),
      };
    case 'command-answer':
      return { what: `The answer of ${commandOf(problem.argv)} cannot be understood: ${problem.why}.` };
    case 'command-output-too-large':
      return { what: `${commandOf(problem.argv)} printed more than ${problem.limitBytes} bytes.` };
    case 'file-system':
      return { what: `Could not ${problem.operation}: ${problem.errno}.`, where: problem.path };
    case 'not-a-regular-file':
      return {
        what: `A file is expected here, and this is ${problem.is}.`,
        where: problem.path,
        next: 'Put the real file in its place, then try again.',
      };
    case 'file-too-large':
      return {
        what: `This file has ${formatBytes(problem.bytes)}; no more than ${formatBytes(problem.limit)} are read.`,
        where: problem.path,
        next: 'Put the real file in its place, then try again.',
      };
    case 'target-exists':
      return {
        what: 'Something already stands where this would be moved to; nothing was replaced.',
        where: problem.path,
      };
    case 'not-a-folder-of-ours':
      return { what: `This folder cannot be used: ${problem.why}.`, where: problem.path };
    case 'wait-limit':
      return {
        what: `Waited ${problem.limitMs / 1000} s for ${problem.what}.`,
        where: `last answer: ${problem.last}`,
      };
    default:
      return unreachable(problem);
  }
}

/** Not all of the files that a command was given. */
function commandOf(argv: readonly string[]): string {
  const text = argv.join(' ');
  return text.length <= 1_000 ? text : `${text.slice(0, 900)}… (${argv.length} words)`;
}

function lastLines(text: string): { where?: string } {
  const lines = text.trimEnd().split('\n').slice(-5).join('\n');
  return lines === '' ? {} : { where: lines };
}
