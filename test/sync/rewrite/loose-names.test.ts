import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isBalanced,
  looseNames,
  remadeNames,
  splitFunctions,
  unusedNames,
} from '../../../src/sync/rewrite/go/loose-names.ts';
import { codeOnly, withImportBlock, withoutMadeBlock } from '../../../src/sync/rewrite/go/scan-go.ts';

const source = `package store

func (s *Store) Load(ctx context.Context, names ...string) (out []string, err error) {
	var limit, rest int
	for i, name := range names {
		entry, ok := s.entries[name]
		if !ok {
			return nil, fmt.Errorf("no %q", name)
		}

		out = append(out, describe(entry, Options{Limit: limit, Depth: i}))
	}

	type row struct {
		Key string
		a, b int
	}

	done := func(r row) bool { return r.a < rest }
	switch v := s.kind.(type) {
	case Plain, Fancy:
		return v.list(done), nil
	}

again:
	if helper(limit) {
		goto again
	}

	return out, err
}

func one() int { return 1 }

func init() {
	register(one)
}
`;

describe('names of a Go function', () => {
  const functions = splitFunctions(codeOnly(source));

  it('are cut function by function, one-line bodies among them', () => {
    expect([...functions.keys()]).toEqual(['Store.Load', 'one', 'init']);
    expect(functions.get('one')).toBe('func one() int { return 1 }');
  });

  it('are loose where the function does not declare them itself', () => {
    const loose = looseNames(functions.get('Store.Load') ?? '');
    for (const own of [
      's',
      'ctx',
      'names',
      'out',
      'err',
      'limit',
      'rest',
      'i',
      'name',
      'entry',
      'ok',
      'r',
      'v',
    ])
      expect(loose).not.toContain(own);
    for (const own of ['row', 'again', 'done', 'Limit', 'Depth']) expect(loose).not.toContain(own);
    for (const outer of ['fmt', 'describe', 'Options', 'helper', 'Plain']) expect(loose).toContain(outer);
  });

  it('are unused where := makes them and nothing reads them', () => {
    expect(unusedNames('func f() {\n\ta, b := g()\n\t_ = a\n}')).toEqual(['b']);
    expect(unusedNames('func f() {\n\ta, err := g()\n\treturn a, err\n}')).toEqual([]);
    expect(unusedNames('func f() {\n\t_, b := g()\n\tuse(b.c)\n}')).toEqual([]);
  });

  it('are read out of any text without failing, and fast', () => {
    const piece = fc.constantFrom(
      'func F(',
      ')',
      '{',
      '}',
      '[',
      ']',
      'a, b',
      ':=',
      '\n',
      ' ',
      'var (',
      'struct {',
      '"',
      '`',
      '.x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const code = codeOnly(pieces.join(''));
        for (const part of [code, ...splitFunctions(code).values()]) {
          looseNames(part);
          unusedNames(part);
          isBalanced(part);
        }
      }),
    );
    expect(looseNames(`func f() {\n${'a, '.repeat(5000)}\n}`)).toContain('a');
  });

  it('and brackets have their halves, those in strings apart', () => {
    expect(isBalanced(codeOnly('func f() { g("{", `(`, \'[\') } // }'))).toBe(true);
    expect(isBalanced('func f() { if x { }')).toBe(false);
    expect(isBalanced('a(]')).toBe(false);
  });
});

describe('a file without a block of imports', () => {
  it('gets one, and loses it again where nothing came in', () => {
    const bare = 'package a\n\nfunc F() {}\n';
    const made = withImportBlock(bare);
    expect(made).toBe('package a\n\nimport (\n)\n\nfunc F() {}\n');
    expect(withoutMadeBlock(made ?? '', bare)).toBe(bare);
  });

  it('keeps its one-line imports where they stayed the same, and a block where more came in', () => {
    const single = 'package a\n\nimport "fmt"\n\nfunc F() {}\n';
    const made = withImportBlock(single) ?? '';
    expect(made).toBe('package a\n\nimport (\n\t"fmt"\n)\n\nfunc F() {}\n');
    expect(withoutMadeBlock(made, single)).toBe(single);
    const more = made.replace('\t"fmt"\n', '\t"fmt"\n\t"os"\n');
    expect(withoutMadeBlock(more, single)).toBe(more);
  });

  it('is left alone where the import belongs to a comment of cgo, or where there is no package', () => {
    expect(withImportBlock('package a\n\n// #include <a.h>\nimport "C"\n')).toBeUndefined();
    expect(withImportBlock('not go\n')).toBeUndefined();
  });
});

describe('names that are made twice in one block', () => {
  const body = (...lines: readonly string[]): string =>
    `func F() error {\n${lines.map((line) => `\t${line}\n`).join('')}}\n`;

  it('are those of a statement that makes no new one', () => {
    expect(remadeNames(body('s := d.State()', 'a()', 's := d.State()'))).toEqual(['s']);
    expect(remadeNames(body('info, err := a()', 'b()', 'err := c()'))).toEqual(['err']);
    expect(remadeNames(body('x := a()', 'var x int'))).toEqual(['x']);
  });

  it('are not those of another block, or of a statement that makes one more', () => {
    for (const lines of [
      ['a, err := x()', 'b, err := y()'],
      ['err := x()', 'if z {', '\terr := y()', '}'],
      ['switch x {', 'case 1:', '\tn := 1', 'case 2:', '\tn := 2', 'default:', '\tn := 3', '}'],
      ['func() {', '\tn := 1', '}()', 'func() {', '\tn := 2', '}()'],
      ['_ := x', '_ := y', 'if err := a(); err != nil {', '}', 'if err := b(); err != nil {', '}'],
    ])
      expect(remadeNames(body(...lines))).toEqual([]);
  });
});
