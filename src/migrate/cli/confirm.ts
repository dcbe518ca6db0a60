// Asks a yes-or-no question on the terminal; without one, names the flag that answers it.
import { createInterface } from 'node:readline/promises';
import type { Output } from '../../core/output.ts';
import { migrateFailure } from '../problem.ts';

/** @throws {Failure<MigrateProblem>} needs-answer where nobody can answer; the end of input is a no */
export async function confirm(question: string, output: Output): Promise<boolean> {
  if (process.stdin.isTTY !== true || output.json)
    throw migrateFailure({ code: 'needs-answer', question, flag: '--yes' });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
