import { expect, test } from 'vitest';
import { once } from '../../src/core/once.ts';

test('a value is made when it is first asked for, and kept', () => {
  let made = 0;
  const value = once(() => {
    made += 1;
    return undefined;
  });

  expect(made).toBe(0);
  value();
  value();
  expect(made).toBe(1);
});

test('where making it fails it is made again', () => {
  let tries = 0;
  const value = once(() => {
    tries += 1;
    if (tries === 1) throw new Error('not yet');
    return tries;
  });

  expect(value).toThrow('not yet');
  expect(value()).toBe(2);
});
