import { describe, expect, it } from 'vitest';
import { isDeletedAnew } from '../../../src/sync/pick/deleted-anew.ts';
import { createLineStore } from '../../../src/sync/rewrite/line-store.ts';

const store = createLineStore((line) => line);
const idsOf = (lines: readonly string[]): Int32Array => Int32Array.from(lines, (line) => store.id(line));

/** Whether upstream has what it deleted again among the lines that it added. */
function isThere(deleted: readonly string[], added: readonly string[]): boolean {
  const base = [...idsOf(deleted)];
  const edit = { aStart: 0, aEnd: 0, bStart: 0, bEnd: added.length };
  return isDeletedAnew(store, [{ base, ours: base, theirs: [], line: 0 }], idsOf(added), [edit]);
}

describe('what upstream deleted and the fork had changed', () => {
  it('is there again in nearly the same words', () => {
    expect(isThere(['build everything from the sources'], ['build everything from new sources'])).toBe(true);
  });

  it('is gone where nothing is like it', () => {
    expect(isThere(['build everything from the sources'], ['an address that nobody answers at'])).toBe(false);
    expect(isThere(['build everything from the sources'], ['build it'.repeat(40)])).toBe(false);
  });

  it('counts as there where too much was exchanged to look at all of it', () => {
    const many = (letter: string): readonly string[] =>
      Array.from({ length: 1500 }, (_, index) => `${letter}${index} `.repeat(12));

    expect(isThere(many('a'), many('b'))).toBe(true);
  });
});
