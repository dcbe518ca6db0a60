// What an ending daemon waits for: its silence is no failure, and a bug never stays unsaid.
import { expect, test } from 'vitest';
import { heldUpBy } from '../../../src/migrate/apply/held-up-by.ts';
import type { RunningOperation } from '../../../src/migrate/daemon/operations.ts';
import { migrateFailure } from '../../../src/migrate/problem.ts';

const operation = (description: string): RunningOperation => ({
  id: description,
  description,
  instances: [],
  others: [],
});
const answers: readonly (() => Promise<readonly RunningOperation[]>)[] = [
  async () => [operation('Downloading image'), operation('Stopping instance')],
  async () => {
    throw migrateFailure({ code: 'daemon-unreachable', socket: '/unix.socket', errno: 'ECONNRESET' });
  },
];
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('names what the daemon waits for, without the stop that was asked of it', async () => {
  const work = heldUpBy(async () => [operation('Downloading image'), operation('Stopping instance')]);

  work.ask();
  await settled();

  expect(work.words()).toEqual(['Downloading image']);
  expect(work.throwBug).not.toThrow();
});

test('keeps what it said before where it does not answer any more, and asks again', async () => {
  let asked = 0;
  const work = heldUpBy(() => answers[Math.min(asked++, 1)]?.() ?? Promise.resolve([]));

  for (const _ of [1, 2, 3]) {
    work.ask();
    await settled();
  }

  expect(asked).toBe(3);
  expect(work.words()).toEqual(['Downloading image']);
  expect(work.throwBug).not.toThrow();
});

test('asks nothing while an answer is outstanding', async () => {
  let asked = 0;
  const work = heldUpBy(() => {
    asked += 1;
    return new Promise(() => {});
  });

  work.ask();
  work.ask();
  await settled();

  expect(asked).toBe(1);
});

test('a bug is thrown, at the next occasion', async () => {
  const work = heldUpBy(async () => {
    throw new TypeError('not a function');
  });

  work.ask();
  await settled();

  expect(work.throwBug).toThrow(new TypeError('not a function'));
});
