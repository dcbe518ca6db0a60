import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUnreadable, parseDeclarations, parseGo } from '../../../src/sync/go/parse-go.ts';
import { printSignature, printType } from '../../../src/sync/go/print-type.ts';
import { readDeclarations, type Table } from '../../../src/sync/go/read-declarations.ts';
import { skeletonOf } from '../../../src/sync/go/skeleton.ts';
import type { Declaration } from '../../../src/sync/go/syntax.ts';

const source = `//go:build linux

// Package store keeps things; "quoted" and \`raw\` in a comment say nothing.
package store

import (
	"context"
	. "fmt"
	util "example.org/onyx/shared/util"
)

import _ "embed"

const (
	First = iota
	Second
	name, other = "a", 'b'
)

var table, rest = map[string][]int{"a": {1, 2}, "b": nil}, [...]string{0: "x"}

type (
	Key   [32]byte
	Names []string
	Set[K comparable, V any] map[K]V
	Alias = util.Thing
)

type Shape interface {
	Area(unit string) (size float64, err error)
	fmt.Stringer
	~int | Names
}

type Square struct {
	*Key
	Set[string, int]
	util.Thing \`json:",inline"\`
	a, b     int \`yaml:"a"\`
	names    []string
	sum      [1 << 4]byte
	on       func(ctx context.Context, more ...string) (<-chan struct{}, error)
	nested   struct{ x, y map[string]*Key }
}

func (s *Square) Area(string) (size float64, err error) { return 2 * .5e3, nil }

func (s *Set[K, V]) Add(k K, v V) { (*s)[k] = v }

func Open[T ~string | int](path T, flags ...int) (*Square, error) {
again:
	for i, v := range []struct{ a int }{{1}, {2}} {
		if s, ok := any(v).(Shape); ok && (Square{}).a == i {
			_ = s
			continue again
		} else if x := (Key{}); len(x) > 0 {
			goto again
		}
	}

	switch v := any(path).(type) {
	case nil, func(int) error:
		return nil, v.(error)
	default:
	}

	select {
	case v, ok := <-make(chan int):
		_, _ = v, ok
	case c <- 1:
	default:
		defer func() { recover() }()
	}

	for range 3 {
		go func(i int) {}(1)
	}

	return &Square{a: 1, on: func(context.Context, ...string) (<-chan struct{}, error) { return nil, nil }}, nil
}

func assembly(x uintptr)
`;

const namesIn = (table: Table<unknown>) => Array.from(table, ([name]) => name);
const readWhole = (text: string) => parseDeclarations(text, parseGo(text).spans);

describe('reading Go', () => {
  const all = readWhole(source);

  it('finds what a file imports and declares', () => {
    const file = readDeclarations('store/store.go', source);

    expect(file).toMatchObject({ packageName: 'store', conditional: true, repeated: [] });
    expect(file.imports.map(({ alias, path }) => [alias, path])).toEqual([
      [undefined, 'context'],
      ['.', 'fmt'],
      ['util', 'example.org/onyx/shared/util'],
      ['_', 'embed'],
    ]);
    expect(namesIn(file.types)).toEqual(['Key', 'Names', 'Set', 'Alias', 'Shape', 'Square']);
    expect(namesIn(file.functions)).toEqual(['Open', 'assembly']);
    expect(namesIn(file.values)).toEqual(['First', 'Second', 'name', 'other', 'table', 'rest']);
    expect([...file.methods].map(([type, methods]) => [type, namesIn(methods)])).toEqual([
      ['Square', ['Area']],
      ['Set', ['Add']],
    ]);
    const open = file.functions.get('Open');
    expect(open === undefined ? '' : printSignature(open.type)).toBe('(T,int...)(*Square,error)');
  });

  it('tells fields from what is embedded', () => {
    const type = readDeclarations('a.go', source).types.get('Square')?.type;
    if (type?.kind !== 'struct') throw new Error('no struct');

    expect(type.fields.map(({ name, embedded, type: of }) => [name, embedded, printType(of)])).toEqual([
      ['Key', true, '*Key'],
      ['Set', true, 'Set[string,int]'],
      ['Thing', true, 'util.Thing'],
      ['a', false, 'int'],
      ['b', false, 'int'],
      ['names', false, '[]string'],
      ['sum', false, '[literal<<literal]byte'],
      ['on', false, 'func(context.Context,string...)(chan struct{},error)'],
      ['nested', false, 'struct{x map[string]*Key;y map[string]*Key}'],
    ]);
  });

  it('declares the same without what is in functions', () => {
    const plain = parseGo(source);
    const outline = (of: typeof all) =>
      of.map((one) => (one.kind === 'function' ? { ...one, body: undefined } : one));

    expect(outline(plain.declarations)).toEqual(outline(all));
    expect(plain.spans.map(({ from, to }) => source.slice(from, to).split(/[\s(]/, 1)[0])).toEqual([
      'const',
      'var',
      'type',
      'type',
      'type',
      'func',
      'func',
      'func',
      'func',
    ]);
    expect(source.slice(plain.spans.at(-1)?.from, plain.spans.at(-1)?.to)).toBe('func assembly(x uintptr)');
  });

  it('keeps a skeleton that declares the same, without what nobody asks of a file', () => {
    const { spans, declarations } = parseGo(source);
    const skeleton = skeletonOf(source, spans);
    const outline = (one: Declaration): unknown => {
      if (one.kind === 'type') return [one.name, one.alias, one.parameters.length, printType(one.type)];
      if (one.kind === 'values')
        return [
          one.constant,
          one.names.map(({ name }) => name),
          printType(one.type),
          one.values.map(printType),
        ];
      return [one.name, one.receiver, one.parameters.length, printSignature(one.type)];
    };

    const read = parseDeclarations(skeleton.text, skeleton.spans);

    expect(read.map(outline)).toEqual(declarations.map(outline));
    expect(skeleton.text).toContain('\nvar table,rest = map[string][]int{},[...]string{}\n');
    expect(skeleton.text).not.toMatch(/recover|yaml|\/\//);
  });

  it('tells where in the source a name is declared', () => {
    const file = readDeclarations('a.go', source);
    const methods = [...file.methods.values()].flatMap((table) => [...table]);
    const values = Array.from(file.values, ([name, { declaration, index }]) => [
      name,
      declaration.names[index]?.at ?? 0,
    ]);
    const places = [...file.types, ...file.functions, ...methods].map(([name, { at }]) => [name, at]);

    for (const [name, at] of [...places, ...values] as [string, number][])
      expect(source.slice(at, at + name.length)).toBe(name);
    expect(values).toHaveLength(6);
  });

  it('reads one declaration as it does among all', () => {
    const { spans } = parseGo(source);

    expect(spans.toReversed().flatMap((span) => parseDeclarations(source, [span]))).toHaveLength(all.length);
    expect(spans.flatMap((span) => parseDeclarations(source, [span]))).toEqual(all);
  });

  it('reads a part of a file, or one with anything in it, or says that it is no Go', () => {
    const pieces = source.split(/(?<=[\s(){}[\],.:=])/);
    const text = fc.oneof(
      fc.nat(source.length).map((end) => source.slice(0, end)),
      fc
        .array(fc.constantFrom(...pieces, '"', '`', '/*', '\\', '<-', '\u00ff'), { maxLength: 60 })
        .map((parts) => `package a\n${parts.join('')}`),
      fc
        .tuple(fc.nat(pieces.length - 1), fc.constantFrom(...pieces, ''))
        .map(([at, piece]) => pieces.with(at, piece).join('')),
    );

    fc.assert(
      fc.property(text, (given) => {
        try {
          const { declarations } = parseGo(given);
          expect(readWhole(given)).toHaveLength(declarations.length);
        } catch (error) {
          expect(isUnreadable(error)).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('takes no longer for what no person wrote', () => {
    const begun = performance.now();
    for (const part of [
      'struct{a[',
      'func(',
      '(',
      '[]',
      '{',
      '/**/ a ',
      '"a" + ',
      'if a {',
      '<-chan ',
      '*',
      'interface{a;',
    ])
      for (const before of ['var a = ', 'type a ', 'func a() { b := '])
        try {
          readWhole(`package a\n${before}${part.repeat(20_000)}`);
        } catch (error) {
          expect(isUnreadable(error)).toBe(true);
        }
    // Twice the work for each level more would never end.
    expect(performance.now() - begun).toBeLessThan(20_000);
  });
});
