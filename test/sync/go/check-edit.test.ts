import { describe, expect, it } from 'vitest';
import { type Files, faultsOf } from './memory-tree.ts';

const client = `package client

import (
	"example.org/onyx/shared/api"
)

// Server is what a client talks to.
type Server interface {
	GetProject(name string) (project *api.Project, err error)
	DeleteProject(name string) (err error)
}
`;
const protocol = `package client

import (
	"example.org/onyx/shared/api"
)

type Protocol struct {
	address string
}

// GetProject asks for a project.
func (r *Protocol) GetProject(name string) (*api.Project, error) {
	return &api.Project{Name: name}, nil
}

// DeleteProject deletes it.
func (r *Protocol) DeleteProject(name string) error {
	return nil
}
`;
const command = `package main

import (
	"example.org/onyx/client"
)

func remove(d client.Server, name string) error {
	return d.DeleteProject(name)
}

func main() {
	_ = remove(nil, "")
}
`;
const api = `package api

// Project is one.
type Project struct {
	Name   string
	Config map[string]string
}
`;
const fork: Files = {
  'client/interfaces.go': client,
  'client/projects.go': protocol,
  'cmd/onyx/main.go': command,
  'shared/api/project.go': api,
};
const edited = (path: string, from: string, to: string): Record<string, string> => {
  const text = fork[path] ?? '';
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  return { [path]: text.replace(from, to) };
};
const source = (imports: string, code: string): string =>
  `package main\n${imports === '' ? '' : `\nimport (\n${imports})\n`}\n${code}`;

/** What is wrong with a file of its own beside the fork's. */
const wrongIn = (imports: string, code: string, more: Files = {}) =>
  faultsOf({ ...fork, ...more }, { 'cmd/onyx/extra.go': source(imports, code) });

describe('an edit of Go files', () => {
  it('that compiles is taken', async () => {
    const edit = {
      ...edited(
        'client/interfaces.go',
        'DeleteProject(name string)',
        'DeleteProject(name string, force bool)',
      ),
      ...edited('client/projects.go', 'DeleteProject(name string)', 'DeleteProject(name string, force bool)'),
      ...edited('cmd/onyx/main.go', 'DeleteProject(name)', 'DeleteProject(name, false)'),
    };

    expect(await faultsOf(fork, edit)).toEqual([]);
  });

  it('that gives an interface a method names the types that lack it', async () => {
    const edit = edited(
      'client/interfaces.go',
      '\tDeleteProject',
      '\tRenameProject(name string, other string) (err error)\n\tDeleteProject',
    );

    expect(await faultsOf(fork, edit)).toEqual([
      'client/projects.go:7 not-implemented Protocol is no Server any more: it has no method RenameProject',
    ]);
  });

  it('that gives a method of an interface a parameter names its callers and its implementation', async () => {
    const edit = edited(
      'client/interfaces.go',
      'DeleteProject(name string)',
      'DeleteProject(name string, force bool)',
    );

    expect(await faultsOf(fork, edit)).toEqual([
      'cmd/onyx/main.go:8 counts-differ d.DeleteProject takes 2 arguments, not 1',
      'client/projects.go:7 not-implemented Protocol is no Server any more: its method DeleteProject is another',
    ]);
  });

  it('that changes the method alone names the interface that it no longer is', async () => {
    const edit = edited(
      'client/projects.go',
      'DeleteProject(name string) error {\n\treturn nil',
      'DeleteProject(name string) (bool, error) {\n\treturn true, nil',
    );

    expect(await faultsOf(fork, edit)).toEqual([
      'client/projects.go:7 not-implemented Protocol is no Server any more: its method DeleteProject is another',
    ]);
  });

  it('that also moves the type within its file names the line where it is then', async () => {
    const edit = edited(
      'client/projects.go',
      'type Protocol struct',
      '// One.\n// Two.\ntype Protocol struct',
    );
    const text = edit['client/projects.go'] ?? '';

    expect(
      await faultsOf(fork, {
        'client/projects.go': text.replace('DeleteProject(name string)', 'DeleteProject()'),
      }),
    ).toContain(
      'client/projects.go:9 not-implemented Protocol is no Server any more: its method DeleteProject is another',
    );
  });

  it("that changes a function's results names its own returns and callers in files that it left alone", async () => {
    const before = {
      'a/can.go':
        'package a\n\nfunc canMigrate(live bool) string {\n\tif live {\n\t\treturn "live"\n\t}\n\n\treturn ""\n}\n',
      'a/use.go': 'package a\n\nfunc Use() string {\n\thow := canMigrate(true)\n\treturn how\n}\n',
      'b/can.go':
        'package b\n\nfunc canMigrate() string { return "" }\n\nfunc Use() string { return canMigrate() }\n',
    };
    const edit = { 'a/can.go': before['a/can.go'].replace(') string', ') (bool, bool)') };

    expect(await faultsOf(before, edit)).toEqual([
      'a/can.go:5 counts-differ return: 2 wanted, 1 given',
      'a/can.go:8 counts-differ return: 2 wanted, 1 given',
      'a/use.go:4 counts-differ canMigrate gives 2 results, not 1',
    ]);
  });

  it('that removes a field names who reads and who fills it, in any package', async () => {
    const before = {
      ...fork,
      'cmd/onyx/show.go':
        'package main\n\nimport (\n\t"example.org/onyx/shared/api"\n)\n\nfunc show(project api.Project) string {\n\tother := api.Project{Config: nil}\n\treturn project.Config["a"] + other.Name\n}\n',
    };
    const edit = edited('shared/api/project.go', '\tConfig map[string]string\n', '');

    expect(await faultsOf(before, edit)).toEqual([
      'cmd/onyx/show.go:8 no-member api.Project has no field Config',
      'cmd/onyx/show.go:9 no-member api.Project has no field or method Config',
    ]);
  });

  it('that moves a declaration to another file of its package changes nothing', async () => {
    const helper = '\nfunc helper(name string) bool {\n\treturn name == ""\n}\n';
    const before = {
      'a/one.go': `package a\n${helper}\nvar isNone = helper("")\n`,
      'a/two.go': 'package a\n',
    };

    expect(
      await faultsOf(before, {
        'a/one.go': 'package a\n\nvar isNone = helper("")\n',
        'a/two.go': `package a\n${helper}`,
      }),
    ).toEqual([]);
  });

  it('that deletes a file names those who used it', async () => {
    expect(await faultsOf(fork, { 'shared/api/project.go': undefined })).toEqual(
      expect.arrayContaining(['client/projects.go:12 undeclared api.Project']),
    );
  });

  it('is not blamed for what was wrong before', async () => {
    const broken = { 'a/one.go': 'package a\n\nfunc one() int {\n\treturn missing\n}\n' };

    expect(await faultsOf(broken, { 'a/one.go': `${broken['a/one.go']}\nvar two = 2\n` })).toEqual([]);
  });

  it('of code nested deeper than this process follows says nothing', async () => {
    const sum = Array.from({ length: 100_000 }, () => '"a"').join(' + ');

    expect(await wrongIn('', `var sum = ${sum}\n`)).toEqual([]);
  });

  it('names a file that is no Go any more', async () => {
    expect(
      await faultsOf(fork, edited('shared/api/project.go', '\tName   string', '\tName string string')),
    ).toEqual(['shared/api/project.go:5 not-parsed expected }']);
  });
});

describe('a name', () => {
  it('that only another block declares is not there in a closure', async () => {
    const code = `func try(run func() error) {
	defer func() {
		r := recover()
		if r != nil {
			err = failure(r)
		}
	}()

	if err := run(); err != nil {
		return
	}
}

func failure(reason any) error {
	return nil
}
`;

    expect(await wrongIn('', code)).toEqual(['cmd/onyx/extra.go:7 undeclared err']);
    expect(
      await wrongIn('', code.replace('(run func() error) {', '(run func() error) (err error) {')),
    ).toEqual([]);
  });

  it('of a package that is not imported is not there', async () => {
    const code = 'func decode(data []byte) any {\n\tkey, _ := pkcs12.Decode(data, "")\n\treturn key\n}\n';

    expect(await wrongIn('', code)).toEqual(['cmd/onyx/extra.go:4 undeclared pkcs12']);
    // What a package is called that is not here shows in its path somehow.
    for (const path of ['software.sslmate.com/src/go-pkcs12', 'example.com/pkcs12/v2', 'gopkg.in/pkcs12.v2'])
      expect(await wrongIn(`\t"${path}"\n`, code)).toEqual([]);
  });

  it("that a package of the fork does not declare is named with its package; others' are unknown", async () => {
    const imports = '\t"os"\n\n\t"example.org/onyx/shared/api"\n';

    expect(await wrongIn(imports, 'var one = api.Instance{}\n\nvar two = os.NoSuchThing\n')).toEqual([
      'cmd/onyx/extra.go:9 undeclared api.Instance',
    ]);
  });

  it('that is declared twice is named, in one file or two, but not for another system', async () => {
    expect(await wrongIn('', 'func remove() {\n}\n')).toEqual(['cmd/onyx/extra.go:3 declared-twice remove']);
    expect(await wrongIn('', 'func other() {\n}\n\nfunc other() {\n}\n')).toEqual([
      'cmd/onyx/extra.go:6 declared-twice other',
    ]);
    expect(await faultsOf(fork, { 'cmd/onyx/extra_windows.go': source('', 'func remove() {\n}\n') })).toEqual(
      [],
    );
    expect(await wrongIn('', 'func other() {\n\tx := 1\n\tx := 2\n\t_ = x\n}\n')).toEqual([
      'cmd/onyx/extra.go:5 declared-twice no new variable: x',
    ]);
  });

  it.each([
    ['in code', '\tfmt.Println()\n', true],
    ['behind a string', '\tprintln("a", fmt.Sprint())\n', true],
    ['beside a raw string', '\tprintln(`a`)\n\tfmt.Println()\n', true],
    ['in a string', '\tprintln("fmt.Println")\n', false],
    ['in a raw string', '\tprintln(`\nfmt.Println`)\n', false],
    ['in a comment', '\t// fmt.Println\n\t/* fmt.\n\tfmt.Println */\n', false],
    ['in a longer name', '\tmyfmt.Println()\n\tone.fmt.Println()\n', false],
  ])('that a function uses which the pick left alone is no unused import: %s', async (_, code, isUsed) => {
    const text = (first: string) =>
      `package main\n\nimport (\n\t"fmt"\n)\n\nfunc first() {\n${first}}\n\nfunc rest() {\n${code}}\n`;
    const path = 'cmd/onyx/print.go';

    const found = await faultsOf({ ...fork, [path]: text('\tfmt.Print()\n') }, { [path]: text('') });

    expect(found).toEqual(isUsed ? [] : [`${path}:4 unused the import fmt is not used`]);
  });

  it('that has a key or a label twice is named, where a compiler would not take it', async () => {
    const map = 'var all = map[string]int{\n\t"onyx": 1,\n\t"x": 2,\n\t"onyx": 3,\n}\n';
    const cases = (tag: string, ...labels: readonly string[]): string =>
      `func other(name string, is bool) {\n\tswitch ${tag}{\n${labels.map((label) => `\tcase ${label}:\n`).join('')}\t}\n}\n`;

    expect(await wrongIn('', map)).toEqual(['cmd/onyx/extra.go:6 declared-twice key "onyx"']);
    expect(await wrongIn('', cases('name ', '"a", "b"', '"a"'))).toEqual([
      'cmd/onyx/extra.go:6 declared-twice case "a"',
    ]);
    // Conditions may come again, and what is computed is not known; two literals are two lists of keys.
    expect(await wrongIn('', cases('', 'is', 'is'))).toEqual([]);
    expect(await wrongIn('', cases('name ', '"a"', '"a" + name', '"a" + name'))).toEqual([]);
    expect(await wrongIn('', 'var all = []map[string]int{\n\t{"onyx": 1},\n\t{"onyx": 2},\n}\n')).toEqual([]);
  });

  it('that nothing uses is named: imports and variables', async () => {
    const code = 'func other() {\n\tvar used int\n\tset := 1\n\tset = 2\n\tused++\n}\n';

    expect(await wrongIn('\t"fmt"\n\t"io"\n', `${code}\nvar _ io.Reader\n`)).toEqual([
      'cmd/onyx/extra.go:10 unused set is not used',
      'cmd/onyx/extra.go:4 unused the import fmt is not used',
    ]);
  });
});

describe('a type', () => {
  const types = `type Meters int

type Shape interface {
	Area() Meters
	Name() string
}

type base struct{ name string }

func (b *base) Name() string { return b.name }

type Square struct {
	base
	side Meters
}

func (s *Square) Area() Meters { return s.side }

func measure(shape Shape, unit string, scale int) (Meters, error) {
	return shape.Area(), nil
}
`;
  const wrong = (body: string) =>
    wrongIn('', `func try() {\n${body}}\n`, { 'cmd/onyx/types.go': source('', types) });

  it('of an argument has to be that of its place', async () => {
    expect(await wrong('\t_, _ = measure(&Square{side: 2}, "m", 1)\n')).toEqual([]);
    expect(await wrong('\t_, _ = measure(&Square{}, 1, "m")\n')).toEqual([
      'cmd/onyx/extra.go:4 types-differ argument 2 of measure is untyped int, not string',
      'cmd/onyx/extra.go:4 types-differ argument 3 of measure is untyped string, not int',
    ]);
    expect(await wrong('\tsize := Meters(2)\n\t_, _ = measure(&Square{}, "m", size)\n')).toEqual([
      'cmd/onyx/extra.go:5 types-differ argument 3 of measure is main.Meters, not int',
    ]);
  });

  it('has the fields and methods of what it embeds, and is an interface by them', async () => {
    expect(await wrong('\ts := &Square{}\n\t_ = s.name + s.Name()\n\tvar _ Shape = s\n')).toEqual([]);
    expect(await wrong('\tvar _ Shape = &base{}\n')).toEqual([
      'cmd/onyx/extra.go:4 not-implemented *main.base is no main.Shape: it has no method Area',
    ]);
    expect(await wrong('\ts := Square{}\n\t_ = s.width\n')).toEqual([
      'cmd/onyx/extra.go:5 no-member main.Square has no field or method width',
    ]);
  });

  it('gives as many results as are taken', async () => {
    expect(await wrong('\tsize := measure(nil, "", 1)\n\t_ = size\n')).toEqual([
      'cmd/onyx/extra.go:4 counts-differ measure gives 2 results, not 1',
    ]);
    expect(
      await wrong('\tsize, err := measure(nil, "", 1)\n\tif err == nil && size > 2 {\n\t\treturn\n\t}\n'),
    ).toEqual([]);
  });

  it('that embeds what is out of reach may have anything', async () => {
    const imports = '\t"net/http"\n\n\tyaml "example.com/some/v3"\n';
    const code = `type server struct {
	http.Server
	*yaml.Node
}

func try(s *server, list []yaml.Node) error {
	s.Anything(list[0].Kind, s.Whatever)
	value, err := yaml.Parse(s.Addr)
	if err != nil {
		return err
	}

	return value.Close()
}
`;

    expect(await wrongIn(imports, code)).toEqual([]);
  });

  it('with parameters is not judged', async () => {
    const code = `type list[T any] struct{ all []T }

func (l *list[T]) add(one T) *list[T] {
	l.all = append(l.all, one)
	return l
}

func first[T comparable, U ~int | string](of []T, or U) (T, U) {
	return of[0], or
}

func try() string {
	l := (&list[int]{}).add(1)
	for index, one := range l.all {
		if index == one {
			break
		}
	}

	name, _ := first[string, int]([]string{""}, 1)
	return name
}
`;

    expect(await wrongIn('', code)).toEqual([]);
  });
});

describe('what leads from package to package', () => {
  /** Packages of which each embeds the type of the next; the last one has the field. */
  const chain = (length: number): Files =>
    Object.fromEntries(
      Array.from({ length }, (_, place): [string, string] => {
        const next = `p${place + 1}`;
        const inner =
          place === length - 1
            ? 'type T struct {\n\tDepth int\n}\n'
            : `import "example.org/onyx/${next}"\n\ntype T struct {\n\t${next}.T\n}\n`;
        return [`p${place}/t.go`, `package p${place}\n\n${inner}`];
      }),
    );
  const use = (field: string): Files => ({
    'use/use.go': `package use\n\nimport "example.org/onyx/p0"\n\nfunc Use(t p0.T) int {\n\treturn t.${field}\n}\n`,
  });

  it('is followed as long as it has an end', async () => {
    const before = chain(8);

    expect(await faultsOf({ ...before, ...use('Depth') }, use('Missing'))).toEqual([
      expect.stringContaining('use/use.go:6 no-member'),
    ]);
  });

  it('is said where it is not followed to its end', async () => {
    const before = chain(20);

    expect(await faultsOf({ ...before, ...use('Depth') }, use('Missing'))).toEqual([
      'use/use.go:1 not-settled its types lead from package to package without an end',
    ]);
  });
});
