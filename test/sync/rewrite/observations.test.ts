import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createObservations } from '../../../src/sync/rewrite/observations.ts';

describe('observations', () => {
  it('gives back everything that was added under a key, newest first, and nothing else', () => {
    const key = fc.oneof(fc.nat(20), fc.maxSafeNat());
    fc.assert(
      fc.property(
        fc.array(fc.tuple(key, fc.nat(1000), fc.nat(1000)), { maxLength: 400 }),
        fc.maxSafeNat(),
        (added, other) => {
          const observations = createObservations();
          const expected = new Map<number, (readonly [number, number])[]>();
          for (const [at, value, order] of added) {
            observations.add(at, value, order);
            expected.set(at, [[value, order], ...(expected.get(at) ?? [])]);
          }
          for (const at of [...expected.keys(), other]) {
            const found: (readonly [number, number])[] = [];
            for (let one = observations.newest(at); one >= 0; one = observations.older(one))
              found.push([observations.value(one), observations.order(one)]);
            expect(found).toEqual(expected.get(at) ?? []);
          }
        },
      ),
    );
  });
});
