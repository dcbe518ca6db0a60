import { describe, expect, it } from 'vitest';
import { tidyGo } from '../../../src/sync/pick/tidy-go.ts';
import { fixImports } from '../../../src/sync/rewrite/go/fix-imports.ts';
import type { GoIndex, GoPackage } from '../../../src/sync/rewrite/go/go-index.ts';
import { createSymbolFinder, type GoContext } from '../../../src/sync/rewrite/go/go-names.ts';
import {
  argumentList,
  codeOnly,
  findImportBlock,
  lineScopes,
  parseImports,
  readGoFile,
  splitDeclarations,
  usedQualifiers,
} from '../../../src/sync/rewrite/go/scan-go.ts';

describe('scanning Go', () => {
  it('blanks strings and comments, and keeps every position', () => {
    const source = 'a := "x.Y // no" // b.C\n`raw\nd.E` + f.G() /* h.I */';
    const code = codeOnly(source);
    expect(code).toHaveLength(source.length);
    expect([...usedQualifiers(code).keys()]).toEqual(['f']);
  });

  it('reads imports, exported names and parameters', () => {
    const file = readGoFile(
      'package a\n\nimport (\n\t"fmt"\n\tx "b/c"\n)\n\nconst (\n\tOne = 1\n\ttwo = 2\n)\n\n' +
        'type T struct {\n\tField int\n}\n\nfunc (t *T) Do(a int, b ...string) error {\n}\n\nfunc Free() {}\n',
    );
    expect(file.imports).toEqual([
      { alias: undefined, path: 'fmt' },
      { alias: 'x', path: 'b/c' },
    ]);
    expect(new Set(file.exported)).toEqual(new Set(['One', 'T', 'Free']));
    expect(file.functions).toEqual([
      { name: 'T.Do', parameters: 2, variadic: true },
      { name: 'Free', parameters: 0, variadic: false },
    ]);
  });

  it('counts arguments across nested calls and lines', () => {
    expect(argumentList('(a, b(c, d), []int{1, 2},\n e)', 0)).toMatchObject({ count: 4 });
    expect(argumentList('()', 0)).toMatchObject({ count: 0 });
    expect(argumentList('(a,\n)', 0)).toMatchObject({ count: 1 });
  });

  it('tells code from strings and comments within a line', () => {
    const { at } = lineScopes('f("lxd") // lxd');
    expect([at(0), at(4), at(12)]).toEqual(['code', 'string', 'comment']);
  });

  it('cuts a file into declarations with their comments', () => {
    const chunks = splitDeclarations(
      'package a\n\n// F does.\nfunc F() {\n\tx()\n}\n\nfunc (s *S) M() {\n}\n',
    );
    expect(chunks.get('F')).toBe('// F does.\nfunc F() {\n\tx()\n}');
    expect([...chunks.keys()]).toEqual(['F', 'S.M']);
  });

  it('takes no longer for a line that no person wrote, and keeps every place', () => {
    const begun = performance.now();
    for (const part of ['"\\', "'\\", '/*', '`"']) {
      const source = `x := 1\n${part.repeat(100_001)}`;
      expect(codeOnly(source)).toHaveLength(source.length);
    }
    // The square of it would be minutes.
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

function index(
  module: string,
  packages: Readonly<Record<string, readonly string[]>>,
  imported: Readonly<Record<string, string>> = {},
): GoIndex {
  const found = new Map<string, GoPackage>();
  for (const [folder, exported] of Object.entries(packages))
    found.set(folder, {
      folder,
      exported: new Set(exported),
      importedAs: Object.entries(imported).flatMap(([local, path]) => [local, path, 2]),
      files: [],
      tests: [],
      hasWord: () => false,
      hasFunction: () => false,
      declares: () => false,
    });
  return {
    module,
    goVersion: '',
    packages: found,
    importPathsFor: (local) => new Map(imported[local] === undefined ? [] : [[imported[local], 2]]),
    usualAlias: (path) => Object.entries(imported).find(([, other]) => other === path)?.[0],
    imports: (path) => Object.values(imported).includes(path),
    functionPlaces: () => [],
    callables: () => [],
    hasWord: () => false,
  };
}

const context: GoContext = {
  imports: [],
  fork: index(
    'example.org/onyx',
    { 'shared/util': ['PathExists', 'ValueInSlice'], 'internal/store': ['Open'] },
    { util: 'example.org/onyx/shared/util' },
  ),
  upstream: index('example.org/quartz', {
    shared: ['PathExists', 'StringInSlice'],
    'quartz/store': ['Open'],
  }),
  upstreamModules: ['example.org/quartz'],
  symbols: [
    {
      id: 'slices',
      description: '',
      package: 'shared',
      to: 'shared/util',
      renamed: { StringInSlice: 'ValueInSlice' },
    },
    { id: 'ioutil', description: '', package: 'io/ioutil', to: 'os', foreign: true, names: ['ReadFile'] },
  ],
  folderOf: (folder) => (folder.startsWith('quartz/') ? `internal/${folder.slice(7)}` : folder),
  newFolders: new Set(),
};

describe('tidying merged Go', () => {
  const tidy = (merged: string, ours: string, theirs = '') =>
    tidyGo('a.go', { merged, ours, theirs, go: context, declared: new Set() }).text;
  const body = (...lines: readonly string[]): string =>
    `func Update() error {\n${lines.map((line) => `\t${line}\n`).join('')}}\n`;

  it('brings back a name that the fork had no use for, where the rest of the line is the same and code behind it asks', () => {
    const ours = body('removed, _ := old.Update(all)', 'use(removed)');
    const theirs = body('removed, keys := old.Update(all)', 'use(removed)', 'check(keys)');
    const merged = body('removed, _ := old.Update(all)', 'use(removed)', 'check(keys)');

    expect(tidy(merged, ours, theirs)).toBe(theirs);
    expect(tidy(ours, ours, theirs)).toBe(ours);
    const own = body('keys := mine()', 'removed, _ := old.Update(all)', 'check(keys)');
    expect(tidy(own, own, theirs)).toBe(own);
    const other = body('removed, _ := old.Update(some)', 'check(keys)');
    expect(tidy(other, other, theirs)).toBe(other);
  });

  it('calls a function of the fork without the last arguments, where the fork took those parameters away, and says so', () => {
    const function_ = (parameters: number) => ({
      path: 'a.go',
      name: 'MayChange',
      parameters,
      variadic: false,
    });
    const go = (fork: readonly number[], upstream: number): GoContext => {
      const of = index('example.org/onyx', { 'internal/auth': ['MayChange'] });
      const found = of.packages.get('internal/auth');
      if (found === undefined) throw new Error('the index has no package');
      const facts = { functions: fork.map(function_) } as unknown as GoPackage['files'][number]['facts'];
      const packages = new Map([['internal/auth', { ...found, files: [{ path: 'a.go', sha: '', facts }] }]]);
      return {
        ...context,
        fork: { ...of, packages },
        upstream: { ...context.upstream, callables: () => [function_(upstream)] },
      };
    };
    const source = (call: string): string =>
      `package a\n\nimport (\n\t"os"\n\n\t"example.org/onyx/internal/auth"\n)\n\n${body(call, '}')}`;
    const called = source('if auth.MayChange(r, name(a, b), "manage, it") {');
    const cut = (fork: readonly number[], upstream: number, merged = called, ours = '') =>
      tidyGo('a.go', { merged, ours, theirs: '', go: go(fork, upstream), declared: new Set() });

    expect(cut([2], 3)).toMatchObject({
      text: source('if auth.MayChange(r, name(a, b)) {'),
      signs: [{ path: 'a.go', name: 'arguments-cut', detail: 'auth.MayChange(3) -> MayChange(2)' }],
    });
    // Two functions of that name, one that upstream calls otherwise too, or a call that was there: nobody knows.
    expect(cut([2, 1], 3).text).toBe(called);
    expect(cut([2], 4).text).toBe(called);
    expect(cut([2], 3, called, called).text).toBe(called);
    // A method and somebody else's function may have the name, and a string is a string.
    for (const other of [
      'd.MayChange(a, b, c) {',
      'os.MayChange(a, b, c) {',
      'x := `auth.MayChange(a, b, c)`',
    ])
      expect(cut([2], 3, source(other))).toEqual({ text: source(other), signs: [] });
    const text = 'var text = `\nauth.MayChange(a, b, c)\n\tkey:    value\n`\n';
    expect(cut([2], 3, source('x()') + text).text).toBe(source('x()') + text);
  });

  it('puts one blank behind a key that has lost its neighbours, as gofmt does', () => {
    const before = 'var keys = map[string]Key{\n\t"first":      {},\n\t"the.second": {},\n}\n';
    const after = 'var keys = map[string]Key{\n\t"first":      {},\n\t// New.\n\t"the.second": {},\n}\n';
    expect(tidy(after, before)).toBe(after.replace('"first":      {}', '"first": {}'));
    expect(tidy(before, before)).toBe(before);
    expect(tidy(after, after)).toBe(after);
  });
});

describe('symbols', () => {
  const imports = [
    { alias: undefined, path: 'example.org/quartz/shared' },
    { alias: undefined, path: 'example.org/quartz/quartz/store' },
    { alias: undefined, path: 'io/ioutil' },
  ];

  it('follow rules, moves and packages of others', () => {
    const find = createSymbolFinder(context, imports, []);
    expect(find('shared.StringInSlice')).toBe('util.ValueInSlice');
    expect(find('shared.PathExists')).toBe('util.PathExists');
    expect(find('store.Open')).toBe('store.Open');
    expect(find('ioutil.ReadFile')).toBe('os.ReadFile');
    expect(find('other.Thing')).toBeUndefined();
  });

  it('do not follow a rule whose target the fork does not have yet', () => {
    const early = {
      ...context,
      fork: index('example.org/onyx', { shared: ['PathExists', 'StringInSlice'] }),
    };
    expect(createSymbolFinder(early, imports, [])('shared.StringInSlice')).toBe('shared.StringInSlice');
  });
});

describe('fixImports', () => {
  const file = (imports: string, body: string) =>
    `package a\n\nimport (\n${imports})\n\nfunc F() {\n${body}}\n`;

  it('adds what new code needs, in its group and order, and drops what nothing uses', () => {
    const ours = file('\t"fmt"\n\t"os"\n', '\tfmt.Println(os.Args)\n');
    const merged = file('\t"fmt"\n\t"os"\n', '\tfmt.Println(strings.Join(nil, ""), util.PathExists(""))\n');
    const theirs = file('\t"fmt"\n\t"strings"\n\n\t"example.org/quartz/shared"\n', '');
    const fixed = fixImports(
      { merged, ours, upstreamBase: file('\t"fmt"\n\t"os"\n', ''), upstreamTheirs: theirs },
      context,
    );
    expect(findImportBlock(fixed.text)?.lines).toEqual([
      '\t"fmt"',
      '\t"strings"',
      '',
      '\t"example.org/onyx/shared/util"',
    ]);
    expect(fixed.unresolved).toEqual([]);
  });

  it('writes the package that the fork has in place of one of others, under the same name', () => {
    const swapped = {
      ...context,
      imports: [{ id: 'lite', description: '', from: 'example.com/go-lite', to: 'example.com/go-heavy' }],
    };
    const theirs = file('\t"example.com/go-lite"\n\t"example.com/go-lite/client"\n', '');
    const fixed = fixImports(
      {
        merged: file('\t"os"\n', '\tos.Exit(lite.New(client.One))\n'),
        ours: file('\t"os"\n', '\tos.Exit(0)\n'),
        upstreamBase: file('', ''),
        upstreamTheirs: theirs,
      },
      swapped,
    );
    expect(findImportBlock(fixed.text)?.lines).toEqual([
      '\t"os"',
      '',
      '\tlite "example.com/go-heavy"',
      '\t"example.com/go-heavy/client"',
    ]);
  });

  describe('where upstream exchanges or drops an import', () => {
    const fix = (
      [base, theirs, here]: readonly [string, string, string],
      ours: string,
      merged = ours,
      where: GoContext = context,
    ) =>
      findImportBlock(
        fixImports(
          {
            merged: file(here, merged),
            ours: file(here, ours),
            upstreamBase: file(base, ''),
            upstreamTheirs: file(theirs, ''),
          },
          where,
        ).text,
      )?.lines;
    const shared = '\t"example.org/quartz/shared"\n';
    const elsewhere = '\tshared "example.org/quartz/quartz/elsewhere"\n';
    const store = '\tshared "example.org/quartz/quartz/store"\n';
    const keeps = {
      ...context,
      fork: index('example.org/onyx', { shared: ['IsTrue'], 'internal/store': ['Open'] }),
    };
    const ours = '\t"example.org/onyx/shared"\n';

    it('keeps it while code uses it and no package of the fork serves in its place', () => {
      const kept = ['\t"example.org/onyx/shared"'];
      expect(fix([shared, elsewhere, ours], '\tshared.IsTrue()\n', undefined, keeps)).toEqual(kept);
      // The package is there, without what is asked of it.
      expect(fix([shared, store, ours], '\tshared.IsTrue()\n', undefined, keeps)).toEqual(kept);
      expect(fix([shared, '', ours], '\tshared.IsTrue()\n', undefined, keeps)).toEqual(kept);
    });

    it('exchanges it where the fork has the other package, with all that is asked of the name', () => {
      const lines = fix([shared, store, ours], '\tshared.IsTrue()\n', '\tshared.Open()\n', keeps);
      expect(lines).toEqual(['\tshared "example.org/onyx/internal/store"']);
    });

    it("keeps the fork's own alias of a package that is still used", () => {
      const own = '\tcommon "example.org/onyx/shared"\n';
      const kept = ['\tcommon "example.org/onyx/shared"'];

      expect(fix([shared, '', own], '\tcommon.IsTrue()\n', undefined, keeps)).toEqual(kept);
      expect(fix([shared, elsewhere, own], '\tcommon.IsTrue()\n', undefined, keeps)).toEqual(kept);
    });

    it('drops it where only a variable has its name', () => {
      const lines = fix(
        ['\t"io/fs"\n', '', '\t"io/fs"\n'],
        '\tfs.Walk()\n',
        '\tfs := open()\n\tfs.Close()\n\tfs.Name = Name\n',
      );
      expect(lines).toBeUndefined();
    });
  });

  it('leaves a block that is right as it stands', () => {
    const text = file('\t"os"\n\t"fmt"\n', '\tfmt.Println(os.Args)\n');
    const fixed = fixImports({ merged: text, ours: text, upstreamBase: text, upstreamTheirs: text }, context);
    expect(fixed).toMatchObject({ text, changed: false });
  });

  it('guesses no package of the fork that a variable is named after and made from', () => {
    const util = '\t"example.org/quartz/shared/util"\n';
    const fix = (made: string) =>
      fixImports(
        {
          merged: file('\t"fmt"\n', `\tutil := util.${made}("")\n\tutil.Close()\n`),
          ours: file('\t"fmt"\n', '\tfmt.Print()\n'),
          upstreamBase: file('\t"fmt"\n', ''),
          upstreamTheirs: file(`\t"fmt"\n\n${util}`, ''),
        },
        { ...context, upstream: index('example.org/quartz', { 'shared/util': [made] }) },
      );

    expect(fix('PathExists')).toMatchObject({ guessed: [], unresolved: [] });
    // Nothing of what is asked is in the package.
    expect(fix('Elsewhere')).toMatchObject({ guessed: ['example.org/onyx/shared/util'] });
  });

  it('takes a variable for what it is, and says what it could not find', () => {
    const merged = file('\t"fmt"\n', '\tclient := fmt.Sprint()\n\tclient.Do()\n\tnowhere.Go()\n');
    const fixed = fixImports(
      { merged, ours: file('\t"fmt"\n', '\tfmt.Print()\n'), upstreamBase: '', upstreamTheirs: '' },
      context,
    );
    expect(fixed.unresolved).toEqual(['nowhere']);
    expect(parseImports(fixed.text)).toHaveLength(1);
  });
});
