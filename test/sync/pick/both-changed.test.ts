import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { pick, pickIn } from '../picked.ts';

/** Upstream has a file and changes it; the fork has its own version. */
function versions(
  path: { readonly upstream: string; readonly fork: string },
  text: { readonly before: string; readonly after: string; readonly fork: string },
): readonly [readonly FixtureCommit[], readonly FixtureCommit[]] {
  return [
    [
      commit('before', 'base', 1100, { [path.upstream]: text.before }),
      commit('change', 'before', 3000, { [path.upstream]: text.after }),
    ],
    [commit('own', 'rename', 2500, { [path.fork]: text.fork }, { authorTime: 1100 })],
  ];
}

const workflow = (...lines: readonly string[]): string =>
  ['jobs:', '  build:', '    steps:', ...lines.map((line) => `      ${line}`), '      run: make', ''].join(
    '\n',
  );

describe('a line that both sides changed', () => {
  it('is a conflict where the fork gave the same value another way', async () => {
    // Arrange
    const place = { upstream: 'ci/tests.yml', fork: 'ci/tests.yml' };
    const histories = versions(place, {
      before: workflow('go-version: 1.19.x'),
      after: workflow('go-version: 1.21.x'),
      fork: workflow('go-version: stable'),
    });

    // Act
    const { result } = await pick(...histories);

    // Assert
    expect(result).toMatchObject({ status: 'conflict', conflicts: [{ type: 'really-diverged' }] });
  });

  it('is a conflict where both raised one number, each in its own steps', async () => {
    const place = { upstream: 'ci/tools.txt', fork: 'ci/tools.txt' };
    const histories = versions(place, {
      before: 'tools\n\nneeds go 1.24.0\n\nand more\n',
      after: 'tools\n\nneeds go 1.25.8\n\nand more\n',
      fork: 'tools\n\nneeds go 1.25.12\n\nand more\n',
    });

    const { result } = await pick(...histories);

    expect(result.status).toBe('conflict');
  });

  it('is a conflict where both brought the same words and went on otherwise', async () => {
    const place = { upstream: 'ci/tests.yml', fork: 'ci/tests.yml' };
    const histories = versions(place, {
      before: workflow('snap install ceph --edge'),
      after: workflow('snap install ceph --channel=quincy/edge'),
      fork: workflow('snap install ceph --channel=quincy/stable'),
    });

    const { result } = await pick(...histories);

    expect(result.status).toBe('conflict');
  });

  it('is taken from upstream where that replaced all that the fork says otherwise', async () => {
    const place = { upstream: 'quartz/api/api.go', fork: 'internal/api/api.go' };
    const api = (access: string): string =>
      `package api\n\nvar get = action{Handler: listGet, Access: ${access}}\n\nvar put = action{Handler: listPut}\n`;
    const histories = versions(place, {
      before: api('allowProject("lists", "view")'),
      after: api('allow(objects.List, objects.View, "name")'),
      fork: api('allowProject()'),
    });

    const { read } = await pick(...histories);

    expect(read('internal/api/api.go')).toContain('Access: allow(objects.List, objects.View, "name")}');
  });

  it("has upstream's call again where the fork's takes no values beside the text", async () => {
    const place = { upstream: 'quartz/find/find.go', fork: 'internal/find/find.go' };
    const find = (imported: string, made: string): string =>
      `package find\n\nimport (\n\t"${imported}"\n)\n\n// Find finds.\nfunc Find(name string) error {\n\treturn ${made}\n}\n`;
    const histories = versions(place, {
      before: find('fmt', 'fmt.Errorf("Could not find it")'),
      after: find('fmt', 'fmt.Errorf("Could not find it by name %q", name)'),
      fork: find('errors', 'errors.New("Could not find it")'),
    });

    const { result, read } = await pick(...histories);

    expect(read('internal/find/find.go')).toBe(
      find('fmt', 'fmt.Errorf("Could not find it by name %q", name)'),
    );
    expect(result.status).toBe('clean');
  });
});

describe('a new line', () => {
  it('has the indentation that the fork gave to the lines around it', async () => {
    // Arrange
    const lines = ['check() {', '  if one; then', '    start one', '    stop one', '  fi', '}', ''];
    const more = [...lines.slice(0, 3), '    if two; then', '      start two', '    fi', ...lines.slice(3)];
    const [upstream, fork] = versions(
      { upstream: 'test/check.sh', fork: 'test/check.sh' },
      {
        before: lines.join('\n'),
        after: more.join('\n'),
        fork: lines.map((line) => line.replace(/^ +/, (blanks) => blanks + blanks)).join('\n'),
      },
    );

    // Act
    const { result, read } = await pick(upstream, fork);

    // Assert
    const added = ['        if two; then', '            start two', '        fi'];
    expect(read('test/check.sh')).toContain(`\n${added.join('\n')}\n`);
    expect(result.status).toBe('clean');
  });
});

describe('a file that both sides moved', () => {
  it('stays where the fork moved it on from there', async () => {
    const tool = 'package main\n\nfunc main() {\n\tprintln("one")\n\tprintln("two")\n}\n';
    const { result } = await pick(
      [
        commit('before', 'base', 1100, { 'quartz/config/tool.go': tool }),
        commit('change', 'before', 3000, { 'quartz/config/tool.go': null, 'quartz/tool/tool.go': tool }),
      ],
      [
        commit('own', 'rename', 2400, { 'internal/tool/tool.go': tool }, { authorTime: 1100 }),
        commit('away', 'own', 2500, { 'internal/tool/tool.go': null, 'cmd/tool/tool.go': tool }),
      ],
    );

    expect(result).toMatchObject({
      status: 'empty',
      files: [{ path: 'cmd/tool/tool.go', how: 'unchanged' }],
    });
  });

  it('keeps its own name where upstream moved it to another folder', async () => {
    const tool = 'package main\n\nfunc main() {\n\tprintln("one")\n\tprintln("two")\n}\n';
    const { result, read } = await pick(
      [
        commit('before', 'base', 1100, { 'quartz/config/tool.go': tool }),
        commit('change', 'before', 3000, { 'quartz/config/tool.go': null, 'quartz/tool/tool.go': tool }),
      ],
      [
        commit('own', 'rename', 2400, { 'internal/config/tool.go': tool }, { authorTime: 1100 }),
        commit('renamed', 'own', 2500, {
          'internal/config/tool.go': null,
          'internal/config/own_tool.go': tool,
        }),
      ],
    );

    expect(read('internal/tool/own_tool.go')).toBe(tool);
    expect(result.status).toBe('clean');
  });
});

describe('a long line of a page', () => {
  it('is not added again where the fork has it', async () => {
    const link = '- Downloads for Linux: [`tool.x86_64`](https://example.org/downloads/latest/tool.x86_64)';
    const place = { upstream: 'doc/install.md', fork: 'doc/install.md' };
    const page = (first: readonly string[], last: readonly string[]): string =>
      [
        '# Install',
        '',
        'Builds are there:',
        '',
        ...first,
        'One.',
        '',
        'Two.',
        '',
        ...last,
        'The end.',
        '',
      ].join('\n');
    const histories = versions(place, {
      before: page([], []),
      after: page([link, ''], []),
      fork: page([], [link, '']),
    });

    const { result } = await pick(...histories);

    expect(result.status).toBe('empty');
  });
});

describe('half of a commit', () => {
  it('is a review where the rest uses what stood in a file that the fork deleted', async () => {
    const conf = (more: string): string =>
      `import own_conf\n\nignored = ['one']\n${more}\nfor tag in tags:\n    add(tag)\n`;
    const { result } = await pick(
      [
        commit('before', 'base', 1100, { 'site/conf.py': conf(''), 'site/own_conf.py': 'tags = []\n' }),
        commit('change', 'before', 3000, {
          'site/conf.py': conf('ignored.extend(own_ignored)\n'),
          'site/own_conf.py': "tags = []\nown_ignored = ['two']\n",
        }),
      ],
      [
        commit(
          'own',
          'rename',
          2400,
          { 'site/conf.py': conf(''), 'site/own_conf.py': 'tags = []\n' },
          { authorTime: 1100 },
        ),
        commit('gone', 'own', 2500, { 'site/own_conf.py': null }),
      ],
    );

    expect(result).toMatchObject({
      status: 'review',
      doubts: [
        {
          path: 'site/conf.py',
          rule: 'uses-left-out',
          why: expect.stringContaining('own_ignored (site/own_conf.py)'),
        },
      ],
    });
  });

  it('is a conflict where a generated file is all of it and did not merge', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('before', 'base', 1100, { 'doc/api.yaml': 'list:\n- one\n- two\n' }),
        commit('change', 'before', 3000, { 'doc/api.yaml': 'list:\n- one\n- three\n' }),
      ],
      fork: [
        commit('own', 'rename', 2500, { 'doc/api.yaml': 'list:\n- one\n- four\n' }, { authorTime: 1100 }),
      ],
    });
    appendFileSync(
      join(tiny.rules, 'merge.yaml'),
      '  - id: api\n    description: Made from comments in the code.\n    files: [doc/api.yaml]\n    driver: generated\n    remake: make api\n',
    );

    const [result] = await pickIn(tiny, tiny.sha('change'), tiny.sha('own'));

    expect(result).toMatchObject({
      status: 'conflict',
      conflicts: [{ path: 'doc/api.yaml', type: 'generated', next: 'make api' }],
    });
  });
});

describe('a doubt about a name that is in no list of the fork', () => {
  const client = (body: string): string => `package client\n\nfunc make(r *server) {\n${body}}\n`;
  const asks = (name: string): string => `\tr.check("${name}")\n`;
  const make = (extension: string) => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('before', 'base', 1100, { 'client/client.go': client('') }),
        commit('change', 'before', 3000, { 'client/client.go': client(asks(extension)) }),
      ],
      fork: [
        commit(
          'own',
          'rename',
          2500,
          {
            'client/client.go': client(''),
            'client/check.go':
              'package client\n\ntype server struct{}\n\nfunc (r *server) check(name string) {}\n',
            'internal/api.go': 'package internal\n\nvar names = []string{\n\t"known",\n}\n',
          },
          { authorTime: 1100 },
        ),
      ],
    });
    appendFileSync(
      join(tiny.rules, 'doubts.yaml'),
      '  - id: unknown-name\n    description: The fork does not have this name in its list.\n    words: [check]\n    unlistedIn: [internal/api.go, gone.go]\n',
    );
    return pickIn(tiny, tiny.sha('change'), tiny.sha('own'));
  };

  it('is there for a name that the list does not have', async () => {
    const [result] = await make('unheard');

    expect(result).toMatchObject({
      status: 'review',
      doubts: [{ rule: 'unknown-name', why: expect.stringContaining('unheard') }],
    });
  });

  it('is not there for one that it has', async () => {
    const [result] = await make('known');

    expect(result).toMatchObject({ status: 'clean', doubts: [] });
  });
});
