import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findUnbalanced } from '../../../src/sync/pick/check-balance.ts';

const text = (...lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

describe('what a merge leaves without its other half', () => {
  it.each([
    ['a.go', text('// #if A', '#if A', 'int a;', '#endif'), text('int a;', '#endif'), '#if'],
    ['a.c', text('#ifdef A', 'f(1);', '#endif'), text('f(1);', '#endif'), '#if'],
    ['a.sh', text('if a; then', '  b', 'fi'), text('if a; then', '  b'), 'if'],
    ['run', text('#!/bin/sh', 'for a in b; do', '  c', 'done'), text('#!/bin/sh', '  c', 'done'), 'do'],
    ['a.sh', text('case a in', 'b) c ;;', 'esac'), text('case a in', 'b) c ;;'), 'case'],
    ['a.md', text('```', 'a', '```', 'b'), text('```', 'a', 'b'), 'fences'],
    ['a.yaml', text('a:', '  - b', '  - c'), text('a:', '  - b', ' - c'), 'nesting of yaml'],
    ['a.json', '{"a": [1, 2]}', '{"a": [1, 2}', 'nesting of json'],
  ])('is named in %s', (path, whole, merged, expected) => {
    const sides = { base: whole, ours: `${whole}\n`, theirs: whole };

    expect(findUnbalanced(path, { ...sides, merged })).toBe(expected);
    expect(findUnbalanced(path, { ...sides, merged: whole })).toBeUndefined();
  });

  it('is nothing where a side has it so itself, or both changes together make it', () => {
    const odd = text('if a; then', '  b');
    const none = text('b');
    const whole = text('if a; then', '  b', 'fi');

    expect(
      findUnbalanced('a.sh', { base: whole, ours: odd, theirs: whole, merged: `${odd}\n` }),
    ).toBeUndefined();
    expect(findUnbalanced('a.sh', { base: odd, ours: whole, theirs: none, merged: text('b', 'fi') })).toBe(
      'if',
    );
  });

  it('is never said of a merge that is one of the sides, whatever is in it', () => {
    const line = fc.constantFrom('if a; then', 'fi', '```', '#if A', '#endif', '{', '}', 'a: [', '- b', '');
    const lines = fc.array(line, { maxLength: 8 }).map((all) => text(...all));
    fc.assert(
      fc.property(
        lines,
        lines,
        fc.constantFrom('a.sh', 'a.md', 'a.c', 'a.yaml', 'a.go'),
        (ours, theirs, path) => {
          for (const merged of [ours, theirs])
            expect(findUnbalanced(path, { base: ours, ours, theirs, merged })).toBeUndefined();
        },
      ),
    );
  });
});
