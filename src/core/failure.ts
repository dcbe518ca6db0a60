// The one way in which something that a person can act on ends an operation.
import { type ExitCode, exitCode } from './exit-code.ts';

/** Data of a failure; each area has its own union of these, told apart by `code`. */
export interface Problem {
  readonly code: string;
}

/** What a person reads: what happened, where, and what to do now. */
export interface Explanation {
  readonly what: string;
  readonly where?: string;
  readonly next?: string;
}

/**
 * A known failure. It carries its data and is shown without a stack trace; every other error is a bug and keeps
 * its stack. Areas make these in one place (`<area>/problem.ts`), with an exhaustive switch over their union.
 */
export class Failure<P extends Problem = Problem> extends Error {
  readonly problem: P;
  readonly explanation: Explanation;
  readonly exitCode: ExitCode;

  constructor(problem: P, explanation: Explanation, options: { exitCode?: ExitCode; cause?: unknown } = {}) {
    super(
      [explanation.what, explanation.where, explanation.next].filter((part) => part !== undefined).join('\n'),
      { cause: options.cause },
    );
    this.name = 'Failure';
    this.problem = problem;
    this.explanation = explanation;
    this.exitCode = options.exitCode ?? exitCode.failed;
  }
}

/** Makes the compiler prove that a switch over a union is exhaustive. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** The `code` of a system error (`ENOENT`, …), or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as NodeJS.ErrnoException).code;
  // fs.rmSync of Node 24 has only words for most of what the kernel answers (UV_UNKNOWN).
  if (code === '') return unnamed.find(([words]) => error.message.includes(words))?.[1] ?? 'EUNKNOWN';
  return typeof code === 'string' ? code : undefined;
}

/** strerror(3). */
const unnamed = [
  ['Input/output error', 'EIO'],
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Read-only file system', 'EROFS'],
  ['Device or resource busy', 'EBUSY'],
  ['Structure needs cleaning', 'EUCLEAN'],
] as const;
