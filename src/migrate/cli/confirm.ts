// Asks a question on the terminal; without one, names the flag that answers it.
import { createInterface } from 'node:readline/promises';
import type { Output } from '../../core/output.ts';
import { migrateFailure } from '../problem.ts';

/** @throws {Failure<MigrateProblem>} needs-answer where nobody can answer; the end of input is a no */
export async function confirm(question: string, output: Output): Promise<boolean> {
  if (!canAsk(output)) throw migrateFailure({ code: 'needs-answer', question, flag: '--yes' });
  return /^y(es)?$/i.test(await ask(`${question} [y/N] `));
}

/** Whether somebody is there to answer. */
export function canAsk(output: Output): boolean {
  return process.stdin.isTTY === true && !output.json;
}

/** @returns what was typed; nothing at the end of input */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
    return (await Promise.race([terminal.question(question), ended])).trim();
  } finally {
    terminal.close();
  }
}
