import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffSequences, type Edit } from '../../../src/sync/merge/diff-sequences.ts';

const sequence = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 40 })
  .map((values) => Int32Array.from(values));

function apply(a: Int32Array, b: Int32Array, edits: readonly Edit[]): number[] {
  const out: number[] = [];
  let position = 0;
  for (const edit of edits) {
    out.push(...a.subarray(position, edit.aStart), ...b.subarray(edit.bStart, edit.bEnd));
    position = edit.aEnd;
  }
  out.push(...a.subarray(position));
  return out;
}

function longestCommon(a: Int32Array, b: Int32Array): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const left of a) {
    const next = [0];
    for (const [j, right] of b.entries())
      next.push(left === right ? (row[j] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0));
    row = next;
  }
  return row.at(-1) ?? 0;
}

describe('diffSequences', () => {
  it('gives edits that make the second of the first, with and without anchors', () => {
    fc.assert(
      fc.property(sequence, sequence, fc.boolean(), (a, b, anchors) => {
        expect(apply(a, b, diffSequences(a, b, { anchors }))).toEqual([...b]);
      }),
    );
  });

  it('leaves out no more than it must', () => {
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        const changed = diffSequences(a, b).reduce(
          (sum, edit) => sum + edit.aEnd - edit.aStart + edit.bEnd - edit.bStart,
          0,
        );
        expect(changed).toBe(a.length + b.length - 2 * longestCommon(a, b));
      }),
    );
  });

  it('never lets two edits touch', () => {
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        const edits = diffSequences(a, b);
        for (const [index, edit] of edits.slice(1).entries())
          expect(edit.aStart).toBeGreaterThan(edits[index]?.aEnd ?? -1);
      }),
    );
  });

  it('slides an inserted repetition to its end, as git does', () => {
    const edits = diffSequences(Int32Array.of(1, 2, 3), Int32Array.of(1, 2, 1, 2, 3));
    expect(edits).toEqual([{ aStart: 2, aEnd: 2, bStart: 2, bEnd: 4 }]);
  });
});
