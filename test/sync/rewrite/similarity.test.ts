import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Block,
  matchingBlocks,
  mostSimilar,
  replacements,
  similarity,
} from '../../../src/sync/rewrite/similarity.ts';

/** The definition itself: the longest common run, of several the first in `a` and then in `b`; then left and right of it. */
function blocksByDefinition(a: readonly string[], b: readonly string[], i = 0, j = 0): readonly Block[] {
  let best: Block = { a: 0, b: 0, length: 0 };
  for (const left of a.keys())
    for (const right of b.keys()) {
      let length = 0;
      while (left + length < a.length && a[left + length] === b[right + length]) length += 1;
      if (length > best.length) best = { a: left, b: right, length };
    }
  if (best.length === 0) return [];
  const [endA, endB] = [best.a + best.length, best.b + best.length];
  return [
    ...blocksByDefinition(a.slice(0, best.a), b.slice(0, best.b), i, j),
    { a: i + best.a, b: j + best.b, length: best.length },
    ...blocksByDefinition(a.slice(endA), b.slice(endB), i + endA, j + endB),
  ];
}

const tokens = fc.array(fc.constantFrom('a', 'b', ' ', '.', 'aVeryLongTokenOfALine'), { maxLength: 24 });

describe('matchingBlocks', () => {
  it('finds what its definition says, whatever was searched before', () => {
    fc.assert(
      fc.property(tokens, tokens, (a, b) => {
        expect(matchingBlocks(a, b)).toEqual(blocksByDefinition(a, b));
      }),
    );
  });

  it('takes the first of several runs of one length', () => {
    // Arrange
    const [a, b] = [
      ['x', 'p', 'x'],
      ['x', 'q', 'x'],
    ];

    // Act
    const blocks = matchingBlocks(a, b);

    // Assert
    expect(blocks).toEqual([
      { a: 0, b: 0, length: 1 },
      { a: 2, b: 2, length: 1 },
    ]);
  });

  it('tells apart tokens of any characters, and far more of them than it keeps', () => {
    // Arrange
    const many = Array.from({ length: 15_000 }, (_, index) => `unmistakable-${index}`);
    const odd = ['ŝanĝi la agordon', 'sangi la agordon'];

    // Act
    const [whole, different] = [matchingBlocks(many, many), matchingBlocks(odd, [...odd].reverse())];

    // Assert
    expect(whole).toEqual([{ a: 0, b: 0, length: 15_000 }]);
    expect(different).toEqual([{ a: 0, b: 1, length: 1 }]);
  });
});

describe('replacements and similarity', () => {
  it('stand on the same blocks', () => {
    fc.assert(
      fc.property(tokens, tokens, (a, b) => {
        const length = (list: readonly string[]): number => list.join('').length;
        const equal = replacements(a, b).filter((part) => part.kind === 'equal');
        const common = equal.reduce((sum, part) => sum + length(a.slice(part.aStart, part.aEnd)), 0);
        const total = length(a) + length(b);

        expect(similarity(a, b)).toBe(total === 0 ? 1 : (2 * common) / total);
        expect(mostSimilar(a, b)).toBeGreaterThanOrEqual(similarity(a, b));
      }),
    );
  });
});
