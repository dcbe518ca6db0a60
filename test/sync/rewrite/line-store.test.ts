// Shortcuts over what two texts have in common give what the long way gives.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffSequences } from '../../../src/sync/merge/diff-sequences.ts';
import { commonEnds } from '../../../src/sync/rewrite/common-ends.ts';
import { createLineStore } from '../../../src/sync/rewrite/line-store.ts';
import { addedBetween } from '../../../src/sync/scan/lessons.ts';

// Few different lines, many of them empty: changes slide, and ends overlap.
const line = fc.constantFrom('', '', 'a', 'b', '}', 'a longer line');
const text = fc.array(line, { maxLength: 30 }).map((lines) => lines.join('\n'));
const long = fc.array(line, { minLength: 80, maxLength: 200 }).map((lines) => lines.join('\n'));
const pair = fc.oneof(
  fc.tuple(text, text),
  fc
    .tuple(long, text, text, long)
    .map(([start, one, two, end]): [string, string] => [
      [start, one, end].join('\n'),
      [start, two, end].join('\n'),
    ]),
);

describe('commonEnds', () => {
  it('gives whole lines that both texts begin and end with, none of them twice', () => {
    fc.assert(
      fc.property(pair, ([left, right]) => {
        const { start, end } = commonEnds(left, right);

        expect(start + end).toBeLessThanOrEqual(Math.min(left.length, right.length));
        expect(left.slice(0, start)).toBe(right.slice(0, start));
        expect(left.slice(left.length - end)).toBe(right.slice(right.length - end));
        for (const one of [left, right]) {
          if (start > 0) expect(one[start - 1]).toBe('\n');
          if (end > 0) expect(one[one.length - end - 1]).toBe('\n');
        }
      }),
    );
  });
});

describe('a line store', () => {
  it('cuts a text near another one into the same lines as the text alone', () => {
    fc.assert(
      fc.property(pair, ([left, right]) => {
        const store = createLineStore((one) => one);
        const near = { text: left, lines: store.split(left) };

        const lines = store.splitBlob('sha', right, near);

        expect(Array.from(lines)).toEqual(Array.from(store.split(right)));
      }),
    );
  });
});

describe('the added lines of a change', () => {
  it('are those of a comparison of the whole texts, in the same order', () => {
    fc.assert(
      fc.property(pair, ([before, after]) => {
        const store = createLineStore((one) => one);
        const whole = store.split(after);
        const expected = diffSequences(store.split(before), whole).flatMap((edit) =>
          Array.from(whole.subarray(edit.bStart, edit.bEnd)),
        );

        expect(addedBetween(store, before, after)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});
