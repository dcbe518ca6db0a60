// Working through a list a few items at a time.
import { expect, test } from 'vitest';
import { inTurn } from '../../src/core/in-turn.ts';

test('results keep the order of the list, and no more than the limit runs at once', async () => {
  let running = 0;
  let most = 0;

  const results = await inTurn([5, 1, 4, 2, 3], 2, async (n) => {
    running += 1;
    most = Math.max(most, running);
    for (let turn = 0; turn < n; turn += 1) await Promise.resolve();
    running -= 1;
    return n * 10;
  });

  expect(results).toEqual([50, 10, 40, 20, 30]);
  expect(most).toBe(2);
});

test('after a failure nothing more is begun', async () => {
  const begun: number[] = [];

  const all = inTurn([1, 2, 3, 4, 5, 6], 2, async (n) => {
    begun.push(n);
    await Promise.resolve();
    if (n === 2) throw new Error('two');
  });

  await expect(all).rejects.toThrow('two');
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun.length).toBeLessThan(6);
});

test('an empty list is done at once', async () => {
  expect(await inTurn([], 4, async () => 1)).toEqual([]);
});
