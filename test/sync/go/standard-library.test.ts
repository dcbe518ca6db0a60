import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../temporary-folder.ts';
import { type Files, faultsOf } from './memory-tree.ts';

/** As much of a standard library as these tests need, as Go lays it out. */
const library: Files = {
  'slices/slices.go': `package slices

import "cmp"

// Contains reports whether v is present in s.
func Contains[S ~[]E, E comparable](s S, v E) bool {
	return Index(s, v) >= 0
}

func Index[S ~[]E, E comparable](s S, v E) int {
	return -1
}

func Sort[S ~[]E, E cmp.Ordered](x S) {
}

func Clone[S ~[]E, E any](s S) S {
	return s
}
`,
  'cmp/cmp.go': `package cmp

type Ordered interface {
	~int | ~string
}
`,
  'strings/strings.go': `package strings

func Join(elems []string, sep string) string {
	return ""
}

func Split(s, sep string) []string {
	return nil
}
`,
  'strings/builder.go': `package strings

// A Builder is used to build a string.
type Builder struct {
	buf []byte
}

func (b *Builder) WriteString(s string) (int, error) {
	return 0, nil
}
`,
  'strings/strings_test.go': 'package strings\n\nfunc OnlyInTests() {\n}\n',
  'os/file.go': `package os

import "io/fs"

type FileMode = fs.FileMode

const (
	O_RDONLY int = 0 // open the file read-only.
	O_WRONLY int = 1
)

var (
	Args   []string
	ErrBad = error(nil)
)

// ReadFile reads one.
func ReadFile(name string) ([]byte, error) {
	return nil, nil
}

func Chmod(name string, mode FileMode) error {
	return nil
}
`,
  'os/file_unix.go':
    '//go:build unix || (js && wasm)\n\npackage os\n\ntype file struct {\n\tfd int\n}\n\nfunc Fd() int {\n\treturn 0\n}\n',
  'os/file_windows.go':
    'package os\n\ntype file struct {\n\tfd uintptr\n}\n\nfunc Fd() uintptr {\n\treturn 0\n}\n\nfunc Drive() string {\n\treturn ""\n}\n',
  'os/pid_cgo.go': '//go:build cgo\n\npackage os\n\nfunc Pid() int {\n\treturn 0\n}\n',
  'io/fs/fs.go': 'package fs\n\ntype FileMode uint32\n',
  'io/io.go': `package io

type StringWriter interface {
	WriteString(s string) (n int, err error)
}

type Writer interface {
	Write(p []byte) (n int, err error)
}
`,
};

function layOut(version = 'go1.22.3') {
  const root = temporaryFolder();
  for (const [path, text] of Object.entries(library)) {
    const file = join(root, 'src', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return { root, version };
}

interface Wrong {
  readonly go?: string;
  readonly installed?: string;
  readonly path?: string;
}

/** What is wrong with a file that imports these packages and has this in a function; its lines are counted from there. */
async function wrongWith(packages: string, code: string, how: Wrong = {}): Promise<readonly string[]> {
  const imports = packages === '' ? [] : packages.split(' ');
  const text = `package main\n\nimport (\n${imports.map((one) => `\t"${one}"\n`).join('')})\n\nfunc use(list []string, one string, more []int, number int) error {\n${code}\n\treturn nil\n}\n`;
  const path = how.path ?? 'cmd/use.go';
  const goMod = `module example.org/onyx\n\ngo ${how.go ?? '1.22'}\n`;
  const faults = await faultsOf(
    { 'go.mod': goMod, 'cmd/main.go': 'package main\n' },
    { [path]: text },
    layOut(how.installed),
  );
  return faults.map((fault) => fault.slice(path.length + 1).replace(/^\d+ /, ''));
}

describe('the standard library of the Go that is installed', () => {
  it.each([
    [
      'slices',
      '\t_ = slices.Contains("a", list)',
      'types-differ argument 1 of slices.Contains is untyped string, not [][]string',
    ],
    [
      'slices',
      '\t_ = slices.Contains(one, list)',
      'types-differ argument 1 of slices.Contains is string, not [][]string',
    ],
    [
      'slices',
      '\t_ = slices.Contains(list, number)',
      'types-differ argument 2 of slices.Contains is int, not string',
    ],
    [
      'slices',
      '\t_ = slices.Contains(more, "a")',
      'types-differ argument 2 of slices.Contains is untyped string, not int',
    ],
    ['slices', '\tslices.Sort(one)', 'types-differ argument 1 of slices.Sort is string, not []?'],
    ['slices', '\t_ = slices.Contains(list)', 'counts-differ slices.Contains takes 2 arguments, not 1'],
    ['slices', '\tmore = slices.Clone(list)', 'types-differ more is []string, not []int'],
    [
      'strings',
      '\t_ = strings.Join(",", list)',
      'types-differ argument 1 of strings.Join is untyped string, not []string',
    ],
    ['strings', '\tnumber = strings.Split(one, ",")', 'types-differ number is []string, not int'],
    [
      'strings',
      '\tvar b strings.Builder\n\tb.WriteLine(one)',
      'no-member strings.Builder has no field or method WriteLine',
    ],
    ['strings', '\tstrings.OnlyInTests()', 'undeclared strings.OnlyInTests'],
    ['os', '\tos.NoSuch()', 'undeclared os.NoSuch'],
    ['os', '\tdata := os.ReadFile(one)\n\t_ = data', 'counts-differ os.ReadFile gives 2 results, not 1'],
    ['os', '\tone = os.Fd()', 'types-differ one is int, not string'],
    [
      'io strings',
      '\tvar w io.Writer = &strings.Builder{}\n\t_ = w',
      'not-implemented *strings.Builder is no io.Writer: it has no method Write',
    ],
  ])('says what is wrong with %s: %s', async (packages, code, fault) => {
    const faults = await wrongWith(packages, code);

    expect(faults).toContain(fault);
  });

  it.each([
    [
      'slices',
      '\t_ = slices.Contains(list, one)\n\t_ = slices.Contains([]string{"a"}, "a")\n\t_ = slices.Contains(nil, one)',
    ],
    [
      'slices',
      '\ttype names []string\n\tvar own names\n\t_ = slices.Contains(own, "a")\n\town = slices.Clone(own)\n\tslices.Sort(own)',
    ],
    [
      'slices',
      '\t_ = slices.Contains([]any{one}, "a")\n\t_ = slices.Contains[[]any](nil, one)\n\t_ = slices.Index[[]string, string](list, one)',
    ],
    ['slices', '\tlist = slices.Clone(list)\n\tmore = slices.Clone(more)'],
    [
      'strings',
      '\tone = strings.Join(strings.Split(one, ","), ";")\n\tvar b strings.Builder\n\t_, _ = b.WriteString(one)',
    ],
    [
      'os io/fs',
      '\t_, err := os.ReadFile(one)\n\tif err == os.ErrBad {\n\t\treturn err\n\t}\n\t_ = os.O_WRONLY\n\treturn os.Chmod(os.Args[0], fs.FileMode(0o600))',
    ],
    ['io strings', '\tvar w io.StringWriter = &strings.Builder{}\n\t_, _ = w.WriteString(one)'],
    ['os', '\tos.Drive()\n\tnumber = os.Pid()\n\tone = os.Pid()'],
    ['unsafe', '\t_ = unsafe.Sizeof(one)\n\t_ = unsafe.NoSuch'],
    ['example.net/os nowhere', '\tos.NoSuch()\n\tnowhere.NoSuch()'],
  ])('takes what is right, and what nobody knows: %s %s', async (packages, code) => {
    expect(await wrongWith(packages, code)).toEqual([]);
  });

  it('holds nothing against a name that a newer Go may have, where the fork asks for that', async () => {
    const code =
      '\tos.NoSuch()\n\tvar b strings.Builder\n\tb.WriteLine(one)\n\t_ = strings.Builder{Line: one}';

    expect(await wrongWith('os strings', code, { go: '1.23.0' })).toEqual([]);
    expect(await wrongWith('os strings', code, { go: '1.22.9', installed: 'go1.22.1' })).toHaveLength(3);
  });

  it('still knows what an older Go has', async () => {
    const faults = await wrongWith('strings', '\t_ = strings.Join(",", list)', { go: '1.23' });

    expect(faults).toEqual([
      'types-differ argument 1 of strings.Join is untyped string, not []string',
      'types-differ argument 2 of strings.Join is []string, not string',
    ]);
  });

  it('is not asked about a file for another system', async () => {
    expect(
      await wrongWith('os', '\tvar fd uintptr = os.Fd()\n\t_ = fd', { path: 'cmd/use_windows.go' }),
    ).toEqual([]);
  });
});

it('nothing of it is known where Go is not installed', async () => {
  const text = 'package main\n\nimport (\n\t"os"\n)\n\nfunc use() {\n\tos.NoSuch()\n}\n';

  expect(await faultsOf({ 'cmd/main.go': 'package main\n' }, { 'cmd/use.go': text })).toEqual([]);
});
