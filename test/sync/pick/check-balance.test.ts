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
    ['a.go', text('var t = `{{- if .A }}', 'b', '{{- end }}`'), text('var t = `b', '{{- end }}`'), '{{if}}'],
    ['a.html', text('{{range .All}}', 'b', '{{end}}'), text('{{range .All}}', 'b'), '{{if}}'],
    ['a.html', text('{% if a %}', 'b', '{% endif %}'), text('b', '{% endif %}'), '{% if %}'],
    ['a.html', text('<div class="a">', 'b', '</div>'), text('<div class="a">', 'b'), '<div>'],
    ['Makefile', text('ifeq ($(A),)', 'b:', 'endif'), text('b:', 'endif'), 'ifeq'],
    ['a.mk', text('define A', 'b', 'endef'), text('define A', 'b'), 'define'],
    ['a.sh', text('(', '  a', ')'), text('(', '  a'), '('],
    ['a.sh', text('cat <<EOF', '  a', 'EOF', 'b'), text('cat <<EOF', '  a', 'b'), '<<EOF'],
    ['a.sh', text("cat <<-'END' | b", '\ta', '\tEND'), text('\ta', '\tEND'), '<<END'],
    [
      'completions/client',
      text('if a; then', '  b', 'fi', 'complete -F _a a'),
      text('if a; then', '  b', 'complete -F _a a'),
      'if',
    ],
    [
      '.github/workflows/a.yml',
      text('a:', '  - run: |', '      if a; then', '        b', '      fi'),
      text('a:', '  - run: |', '      if a; then', '        b'),
      'if',
    ],
    [
      'a.yaml',
      text('script: |', '  cat <<EOF', '  b', '  EOF', '  c'),
      text('script: |', '  cat <<EOF', '  b', '  c'),
      '<<EOF',
    ],
    ['a.proto', text('message A {', '}'), text('message A {'), '{'],
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

  it('is nothing in what only looks like it', () => {
    const whole = text('a');
    const rows = [
      ['a.sh', text('x=$((1 << 2))', 'cat <<< "$x"', '# cat <<EOF', 'case $x in', '*) y ;;', 'esac')],
      ['a.sh', text('cat <<A <<B', 'if', 'A', '(', 'B').replace('if', 'one').replace('(', 'two')],
      ['a.sh', text('all=(', '  a', ')', 'x=$(', '  b', ')')],
      ['a.go', text('var t = `{{ .Name }} {{ if .A }}x{{ else }}y{{ end }}`')],
      ['a.yaml', text('a:', '  description: |', '    if a is', '    done', '  run: one')],
      ['a.yaml', text('- run: |', '    echo if', '    for a in b; do', '      c', '    done')],
    ] as const;

    for (const [path, merged] of rows)
      expect(findUnbalanced(path, { base: whole, ours: whole, theirs: whole, merged })).toBeUndefined();
  });

  it('is no script in YAML that a side has so itself', () => {
    const odd = text('- run: |', '    a', '    fi');
    const whole = text('- run: |', '    a');
    const merged = text('- run: |', '    a', '    b', '    fi');

    expect(findUnbalanced('a.yml', { base: odd, ours: odd, theirs: whole, merged })).toBeUndefined();
    expect(findUnbalanced('a.yml', { base: whole, ours: whole, theirs: whole, merged })).toBe('if');
  });

  it('is never said of a merge that is one of the sides, whatever is in it', () => {
    const line = fc.constantFrom(
      ...['if a; then', 'fi', '```', '#if A', '#endif', '{', '}', 'a: [', '- b', '', '{{if a}}', '{{end}}'],
      ...['ifeq', 'endif', 'cat <<EOF', 'EOF', '- run: |', '    fi', '<div>', '</div>', '('],
    );
    const lines = fc.array(line, { maxLength: 8 }).map((all) => text(...all));
    fc.assert(
      fc.property(
        lines,
        lines,
        fc.constantFrom('a.sh', 'a.md', 'a.c', 'a.yaml', 'a.go', 'Makefile', 'a.html'),
        (ours, theirs, path) => {
          for (const merged of [ours, theirs])
            expect(findUnbalanced(path, { base: ours, ours, theirs, merged })).toBeUndefined();
        },
      ),
    );
  });
});
