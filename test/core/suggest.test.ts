// A word that nobody knows is answered with the one that it is near, if there is one.
import { describe, expect, it } from 'vitest';
import { suggest } from '../../src/core/suggest.ts';

describe('suggest', () => {
  it.each([
    ['plna', '; did you mean plan?'],
    ['pan', '; did you mean plan?'],
    ['PLAN', '; did you mean plan?'],
    ['rolback', '; did you mean rollback?'],
    ['rlolbakc', '; did you mean rollback?'],
    ['frobnicate', ' (known: plan, rollback)'],
    ['', ' (known: plan, rollback)'],
  ])('%j', (word, answer) => {
    expect(suggest(word, ['plan', 'rollback'])).toBe(answer);
  });
});
