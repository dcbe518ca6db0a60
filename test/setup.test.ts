import fc from 'fast-check';
import { expect, test } from 'vitest';

test('a property that fails says with which seed it does so again', () => {
  const seed = fc.readConfigureGlobal()?.seed;

  expect(() => fc.assert(fc.property(fc.integer(), () => false))).toThrow(`{ seed: ${seed}, `);
});
