// Runs the tool where it must refuse, for people and for scripts, and holds it to docs/cli.md.
import { expect } from 'vitest';
import type { ExecResult, Machine } from './machine/machine.ts';
import { tool } from './server/tool.ts';
import { expectUntouched, witness } from './untouched.ts';

export interface Event {
  readonly event: string;
  readonly exit?: number;
  readonly problem?: { readonly code: string; readonly ids?: readonly string[] };
  readonly message?: string;
  readonly [key: string]: unknown;
}

export interface Blocked {
  /** Printed with the finding: objects, and what to do. */
  readonly says: readonly string[];
  /** Options of both commands. */
  readonly options?: readonly string[];
}

/**
 * A blocker: `plan` shows it and `migrate` stops at it, whatever is accepted; both exit 3 and leave everything alone.
 */
export async function expectBlocked(
  machine: Machine,
  id: string,
  { says, options = [] }: Blocked,
): Promise<void> {
  const before = await witness(machine);

  const plan = await tool(machine, ['plan', ...options]);
  const migrate = await tool(machine, ['migrate', '--yes', '--fix', '--accept', id, '--json', ...options]);

  expect(plan.status, plan.stderr).toBe(3);
  expect(plan.stdout).toContain(`blocker  ${id}\n`);
  for (const text of says) expect(plan.stdout).toContain(text);
  expectForPeople(plan);
  expect(migrate.status, migrate.stderr).toBe(3);
  const events = eventsOf(migrate);
  expect(events.map(({ event }) => event)).toEqual(['plan', 'failed']);
  expect(events.at(-1)).toMatchObject({ exit: 3, problem: { code: 'findings-open' } });
  expect(events.at(-1)?.problem?.ids).toContain(id);
  expectForPeople(migrate);
  await expectUntouched(machine, before);
}

export interface Failed {
  readonly exit: number;
  readonly code: string;
  /** On standard error: what, where, what to do. */
  readonly says: readonly string[];
  /** Put before the tool's own command, for instance to run it as somebody else. */
  readonly run?: (args: readonly string[]) => Promise<ExecResult>;
}

/** A failure: printed for people on standard error, as one event for scripts, and nothing changes. */
export async function expectFailed(
  machine: Machine,
  args: readonly string[],
  { exit, code, says, run = (all) => tool(machine, all) }: Failed,
): Promise<void> {
  const before = await witness(machine);

  const people = await run(args);
  const script = await run([...args, '--json']);

  expect(people.status, `${people.stdout}${people.stderr}`).toBe(exit);
  expect(people.stderr).toMatch(/^lxd-to-incus: /m);
  for (const text of says) expect(people.stderr).toContain(text);
  expectForPeople(people);
  expect(script.status).toBe(exit);
  expect(eventsOf(script).at(-1)).toMatchObject({ event: 'failed', exit, problem: { code } });
  for (const text of says) expect(script.stderr).toContain(text);
  await expectUntouched(machine, before);
}

/** Standard output of a command with --json: values, one a line, and nothing else. */
export function eventsOf({ stdout }: ExecResult): Event[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
}

/** Nothing that only a developer understands. */
export function expectForPeople({ stdout, stderr }: ExecResult): void {
  for (const text of [stdout, stderr]) {
    expect(text).not.toMatch(/^\s+at .*:\d+/m);
    expect(text).not.toContain('this is a bug');
    expect(text).not.toMatch(/\bundefined\b|\[object Object\]|\bNaN\b/);
  }
}
