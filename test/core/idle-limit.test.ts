// Work is ended when it stands still, however long it takes otherwise.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { endWhenIdle, workOf } from '../../src/core/idle-limit.ts';
import { run } from '../../src/core/run.ts';

describe('the limit', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const watched = (work: () => string): { ends: number[]; stop: () => void } => {
    const ends: number[] = [];
    const begun = Date.now();
    return { ends, stop: endWhenIdle({ limitMs: 60_000, work, end: () => ends.push(Date.now() - begun) }) };
  };

  test('comes once nothing was done for so long, and only once', () => {
    const { ends } = watched(() => 'same');

    vi.advanceTimersByTime(600_000);

    expect(ends).toEqual([60_000]);
  });

  test('never comes as long as something is done now and then', () => {
    const { ends, stop } = watched(() => `${Math.floor(Date.now() / 50_000)}`);

    vi.advanceTimersByTime(7 * 86_400_000);

    expect(ends).toEqual([]);
    stop();
  });

  test('counts anew after each piece of work', () => {
    const begun = Date.now();
    const { ends } = watched(() => `${Math.min(Date.now() - begun, 100_000)}`);

    vi.advanceTimersByTime(600_000);

    expect(ends).toEqual([162_000]);
  });

  test('does not come when the work has ended', () => {
    const { ends, stop } = watched(() => 'same');

    stop();
    vi.advanceTimersByTime(600_000);

    expect(ends).toEqual([]);
  });
});

/** A shell that does what it is told, and answers each line. */
function worker(script: string): { pid: number; tell: (line: string) => Promise<void> } {
  const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    pid: child.pid ?? 0,
    tell: async (line) => {
      child.stdin.write(`${line}\n`);
      await once(child.stdout, 'data');
    },
  };
}

describe('what a process has done', () => {
  test('changes when it reads and writes, and not while it waits', async () => {
    const { pid, tell } = worker('while read -r line; do echo "$line"; done');
    await tell('first');
    // The answer is there a moment before the shell waits again.
    await vi.waitUntil(() => /\) S /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')), { timeout: 60_000 });

    const waiting = workOf([pid]);
    const still = workOf([pid]);
    await tell('second');

    expect(still).toBe(waiting);
    expect(workOf([pid])).not.toBe(waiting);
  });

  test('is that of what it has started as well', async () => {
    const { pid, tell } = worker('sh -c \'while read -r line; do echo "$line"; done\'; true');
    await tell('first');

    const before = workOf([pid]);
    await tell('second');

    expect(before.split('\n')).toHaveLength(2);
    expect(workOf([pid])).not.toBe(before);
  });

  test('of one that is gone is nothing, and no failure', () => {
    expect(workOf([2 ** 22 + 1])).toBe(workOf([2 ** 22 + 1]));
  });
});

test('a command that does nothing is killed, and its failure says so', async () => {
  const failed: unknown = await run(['sleep', '600'], { timeoutMs: 200, whileIdle: true }).catch(
    (error: unknown) => error,
  );

  expect(failed).toBeInstanceOf(Failure);
  expect((failed as Failure).problem).toMatchObject({ code: 'command-timeout', idle: true, limitMs: 200 });
  expect((failed as Failure).message).toContain('sleep 600 did nothing for 0.2 s and was killed.');
});

test('a command that ends by itself is no failure of any limit', async () => {
  const { status } = await run(['true'], { timeoutMs: 60_000, whileIdle: true });

  expect(status).toBe(0);
});
