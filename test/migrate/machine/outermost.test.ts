// Of paths those are outermost that lie in no other one; a name that only begins alike is no folder around.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupByOutermost } from '../../../src/migrate/machine/outermost.ts';

test('a path is with the outermost one that it lies in, whatever stands between them in the list', () => {
  expect([...groupByOutermost(['/a', '/a-b', '/a/b/c', '/a/b', '/c/d'])]).toEqual([
    ['/a', ['/a/b/c', '/a/b']],
    ['/a-b', []],
    ['/c/d', []],
  ]);
});

test('every path is there once, and none lies in another group', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', 'a-b'), { minLength: 1, maxLength: 4 })
    .map((parts) => `/${parts.join('/')}`);
  fc.assert(
    fc.property(fc.uniqueArray(path), (paths) => {
      const groups = groupByOutermost(paths);

      const all = [...groups].flatMap(([outermost, inside]) => [outermost, ...inside]);
      expect(all.toSorted()).toEqual(paths.toSorted());
      for (const [outermost, inside] of groups) {
        expect(paths.filter((other) => outermost.startsWith(`${other}/`))).toEqual([]);
        for (const one of inside) expect(one.startsWith(`${outermost}/`)).toBe(true);
      }
    }),
  );
});
