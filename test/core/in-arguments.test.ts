// However many words there are: all of them reach a command, in their order, and no call is too long for the kernel.
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inArguments } from '../../src/core/in-arguments.ts';

test('nothing is left out, and the order stays', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 100 }), { maxLength: 50 }), (words) => {
      expect(inArguments(words).flat()).toEqual(words);
    }),
  );
});

test('no words take no command', () => {
  expect(inArguments([])).toEqual([]);
});

test('a hundred thousand paths are parts that the kernel takes', () => {
  const paths = Array.from({ length: 100_000 }, (_, index) => `/var/lib/lxd/storage-pools/pool/ü/${index}`);

  const parts = inArguments(paths);

  expect(() => execFileSync('true', paths)).toThrow('E2BIG');
  for (const part of parts) expect(() => execFileSync('true', part)).not.toThrow();
  expect(parts.length).toBeGreaterThan(10);
});
