import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeTokens } from '../../../src/sync/merge/merge-tokens.ts';

describe('mergeTokens', () => {
  it('keeps changes of both sides to other words', () => {
    const merged = mergeTokens(
      'f([]string{"candid", "oidc"})',
      'f([]string{"oidc"})',
      'f([]string{"candid", api.OIDC})',
    );
    expect(merged).toBe('f([]string{api.OIDC})');
  });

  it('gives up where both changed one word', () => {
    expect(mergeTokens('limit = 10', 'limit = 20', 'limit = 30')).toBeUndefined();
  });

  it('gives up where both brought the same words and went on otherwise', () => {
    const base = 'prevents a and b to `true`.';
    const ours = 'prevents a to `true` and b to `false`.';
    const theirs = 'prevents a to `true` and forces an own map by b set to `true`.';
    expect(mergeTokens(base, ours, theirs)).toBeUndefined();
    expect(
      mergeTokens('install --edge', 'install --channel=q/stable', 'install --channel=q/edge'),
    ).toBeUndefined();
  });

  it('gives up where both brought words into one place', () => {
    const base = 'if kind == Logging {';
    expect(mergeTokens(base, 'case Logging, Acl:', 'if kind == Logging || kind == Ovn {')).toBeUndefined();
    expect(mergeTokens('f(a)', 'f(b)', 'f(a, c)')).toBe('f(b, c)');
  });

  it('keeps both where one brought what the other brought, and more', () => {
    expect(mergeTokens('f(a)', 'f(a, b)', 'g(a, b)')).toBe('g(a, b)');
  });

  it('takes a side that alone changed', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30 }), (base, changed) => {
        expect(mergeTokens(base, base, changed)).toBe(changed);
        expect(mergeTokens(base, changed, base)).toBe(changed);
      }),
    );
  });
});
