import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freeLicence, makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import type { FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { checkoutPick, continuePick } from '../../../src/sync/pick/checkout-pick.ts';
import { openEngine } from '../../../src/sync/pick/open-engine.ts';
import type { DetailedPick } from '../../../src/sync/pick/pick-commit.ts';
import type { PickResult } from '../../../src/sync/pick/pick-result.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { pick, pickIn } from '../picked.ts';

const change = (files: FixtureCommit['files'], more: Partial<FixtureCommit> = {}): FixtureCommit => ({
  name: 'change',
  from: 'base',
  time: 3000,
  files,
  ...more,
});

const upstreamGuide =
  '# The Quartz server\n\nA Quartz server runs instances.\n\nTry it:\n\n    qz launch\n\nNotes\n\nThe end.\n';

describe('picking', () => {
  it('carries a change of code to where the fork has the file, in the words that the fork uses there', async () => {
    const { result, read } = await pick([
      change({
        'quartz/store/store.go': upstreamStore(
          '\tif shared.IsTrue(path) {\n\t\treturn nil\n\t}\n\n\treturn nil\n',
        ),
      }),
    ]);
    expect(result).toMatchObject({
      status: 'clean',
      files: [{ path: 'internal/store/store.go', from: 'quartz/store/store.go', how: 'merged' }],
    });
    expect(read('internal/store/store.go')).toContain('\tif util.IsTrue(path) {\n');
    expect(read('quartz/store/store.go')).toBeUndefined();
  });

  it('keeps the author, rewrites the message, and gives the same sha every time and in any cache', async () => {
    const commit = change(
      { 'README.md': 'Quartz\nMore\n' },
      {
        message: 'store: Do more\n\nFixes #12\n\nSigned-off-by: Ann Author <ann@example.org>\n',
        authorTime: 2900,
      },
    );
    const one = await pick([commit]);
    const two = await pick([commit]);
    expect(one.result.commit).toBe(two.result.commit);
    const shown = one.git('log', '-1', '--format=%an <%ae> %at|%cn|%B', String(one.result.commit));
    expect(shown).toContain('Ann Author <ann@example.org> 2900|Picker|[import] store: Do more');
    expect(shown).toContain('Fixes upstream: #12'.replace('#12', 'mine/quartz#12'));
    expect(shown.trim().endsWith(`(cherry picked from commit ${one.tiny.sha('change')})`)).toBe(true);
    expect(shown).toContain('Signed-off-by: Ann Author <ann@example.org>\n(cherry picked');
  });

  it('lets the fork as it is decide about words, not the rules alone', async () => {
    // A fork that has renamed its code and not yet its documentation.
    const early: FixtureCommit = {
      name: 'early',
      from: 'rename',
      time: 2500,
      files: { 'doc/guide.md': upstreamGuide },
    };
    const commit = change({
      'doc/guide.md': upstreamGuide.replace('The end.', 'A Quartz server stops.\n\nThe end.'),
    });
    const late = await pick([commit]);
    const kept = await pick([commit], [early]);
    expect(late.read('doc/guide.md')).toContain('An Onyx server stops.');
    expect(kept.read('doc/guide.md')).toContain('A Quartz server stops.');
    // The page says so in the very same surroundings.
    expect(kept.result).toMatchObject({ status: 'clean', doubts: [] });
  });

  it('asks for a review where a page that names upstream gets it in other surroundings', async () => {
    const early: FixtureCommit = {
      name: 'early',
      from: 'rename',
      time: 2500,
      files: { 'doc/guide.md': upstreamGuide },
    };
    const commit = change({
      'doc/guide.md': upstreamGuide.replace('The end.', 'Stop Quartz now.\n\nThe end.'),
    });

    const { result, read } = await pick([commit], [early]);

    expect(read('doc/guide.md')).toContain('Stop Quartz now.');
    expect(result).toMatchObject({ status: 'review', doubts: [{ rule: 'word-left-in-doc' }] });
  });

  it('follows a function that the fork deleted to what replaced its calls, with the places of their arguments', async () => {
    const helpers = (name: string, ...more: readonly string[]): string =>
      `package ${name}\n\n// PathExists says whether a path exists.\nfunc PathExists(path string) bool {\n\treturn path != ""\n}\n${more.join('')}`;
    const within =
      '\n// IsWithin looks a word up.\nfunc IsWithin(word string, list []string) bool {\n\treturn false\n}\n';
    const user = (call: string): string =>
      `package store\n\nimport (\n\t${call.startsWith('slices') ? '"slices"' : '"example.org/onyx/shared/util"'}\n)\n\n// Has looks.\nfunc Has(words []string) bool {\n\treturn ${call}\n}\n`;
    const upstream: FixtureCommit = {
      name: 'upstream',
      from: 'base',
      time: 1500,
      files: { 'shared/helpers.go': helpers('shared', within) },
    };
    const { result, read } = await pick(
      [
        upstream,
        change(
          {
            'quartz/store/store.go': upstreamStore(
              '\tif shared.IsWithin(path, []string{"a", "b"}) {\n\t\treturn nil\n\t}\n\n\treturn nil\n',
            ),
          },
          { from: 'upstream' },
        ),
      ],
      [
        {
          name: 'had',
          from: 'rename',
          time: 2100,
          files: {
            'shared/util/helpers.go': helpers('util', within),
            'internal/store/has.go': user('util.IsWithin("a", words)'),
          },
        },
        {
          name: 'replaced',
          from: 'had',
          time: 2200,
          files: { 'internal/store/has.go': user('slices.Contains(words, "a")') },
        },
        {
          name: 'deleted',
          from: 'replaced',
          time: 2300,
          files: { 'shared/util/helpers.go': helpers('util') },
        },
      ],
    );
    expect(read('internal/store/store.go')).toContain('\tif slices.Contains([]string{"a", "b"}, path) {\n');
    expect(read('internal/store/store.go')).toContain('\t"slices"\n');
    expect(result.status).toBe('clean');
  });

  it('spells words of new lines as a file of the fork does throughout', async () => {
    const make = (go: string, ...more: readonly string[]): string =>
      ['one', 'two', 'three', 'four'].map((name) => `${name}:\n\t${go} build ./${name}\n\n`).join('') +
      more.join('');
    const before: FixtureCommit = {
      name: 'before',
      from: 'base',
      time: 1500,
      files: { Makefile: make('go') },
    };
    const { read, result } = await pick(
      [before, change({ Makefile: make('go', 'five:\n\tgo test ./five\n') }, { from: 'before' })],
      [
        { name: 'same', from: 'rename', time: 2100, authorTime: 1500, files: { Makefile: make('go') } },
        { name: 'own', from: 'same', time: 2200, files: { Makefile: make('$(GO)') } },
      ],
    );
    expect(read('Makefile')).toBe(make('$(GO)', 'five:\n\t$(GO) test ./five\n'));
    expect(result.status).toBe('clean');
    // Where the file does both, nobody knows.
    const both = `${make('$(GO)')}vet:\n\tgo vet ./...\n\n`;
    const mixed = await pick(
      [
        before,
        change(
          { Makefile: make('go').replace('two:', 'five:\n\tgo test ./five\n\ntwo:') },
          { from: 'before' },
        ),
      ],
      [
        { name: 'same', from: 'rename', time: 2100, authorTime: 1500, files: { Makefile: make('go') } },
        {
          name: 'own',
          from: 'same',
          time: 2200,
          files: { Makefile: both.replace('$(GO) build ./four', 'go build ./four') },
        },
      ],
    );
    expect(mixed.result).toMatchObject({ status: 'review', doubts: [{ rule: 'spelling-unsure' }] });
  });

  it('takes a word with a slash for a path only where upstream has a file of that kind', async () => {
    const { read } = await pick([
      change({
        'scripts/run.sh':
          '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nask "quartz/1.0"\nvet quartz/store/made.go\nqz list\n',
      }),
    ]);
    expect(read('scripts/run.sh')).toContain('ask "onyx/1.0"\nvet internal/store/made.go\n');
  });

  it('learns from earlier imports where files went and how words were spelt', async () => {
    const first: FixtureCommit = {
      name: 'first',
      from: 'base',
      time: 2600,
      files: { 'quartz/gem.go': 'package quartz\n\n// Gem is one.\ntype Gem struct{}\n' },
    };
    const imported: FixtureCommit = {
      ...first,
      name: 'imported',
      from: 'rename',
      time: 2700,
      authorTime: 2600,
      files: { 'cmd/stone.go': 'package main\n\n// Gem is one.\ntype Gem struct{}\n' },
    };
    const { result } = await pick(
      [
        first,
        change(
          { 'quartz/gem.go': 'package quartz\n\n// Gem is one.\ntype Gem struct {\n\tSize int\n}\n' },
          { from: 'first' },
        ),
      ],
      [imported],
    );
    expect(result.files).toMatchObject([{ path: 'cmd/stone.go', from: 'quartz/gem.go', how: 'merged' }]);

    // Upstream may have moved it since, in a commit that did not come over.
    const moved: FixtureCommit = {
      name: 'moved',
      from: 'first',
      time: 2800,
      files: { 'quartz/gem.go': null, 'quartz/jewel/gem.go': first.files['quartz/gem.go'] ?? '' },
    };
    const later = await pick(
      [
        first,
        moved,
        change(
          { 'quartz/jewel/gem.go': 'package quartz\n\n// Gem is one.\ntype Gem struct {\n\tSize int\n}\n' },
          { from: 'moved' },
        ),
      ],
      [imported],
    );
    expect(later.result.files).toMatchObject([
      { path: 'cmd/stone.go', from: 'quartz/jewel/gem.go', how: 'merged' },
    ]);
  });

  it('does not learn from an import that the fork commit does not have', async () => {
    const first: FixtureCommit = {
      name: 'first',
      from: 'base',
      time: 2600,
      files: { 'quartz/gem.txt': 'gem\n' },
    };
    const imported: FixtureCommit = {
      ...first,
      name: 'imported',
      from: 'rename',
      time: 2700,
      authorTime: 2600,
      files: { 'cmd/stone.txt': 'gem\n' },
    };
    const { result } = await pick(
      [first, change({ 'quartz/gem.txt': 'gem\ngem\n' }, { from: 'first' })],
      [imported],
      { onto: 'rename' },
    );
    expect(result).toMatchObject({ status: 'conflict', conflicts: [{ type: 'prerequisite-missing' }] });
  });

  it('learns the same from an import of two branches, whatever is picked beside it', async () => {
    // One change on two branches of upstream, as a stable branch takes it from the main one: one author, one date.
    const first = { files: { 'quartz/gem.txt': 'gem\n' }, authorTime: 2600, message: 'gem: Add\n' };
    const onMain: FixtureCommit = { ...first, name: 'onMain', from: 'base', time: 2600 };
    const onStable: FixtureCommit = { ...first, name: 'onStable', from: 'base', time: 2650 };
    const more = { 'quartz/gem.txt': 'gem\ngem\n' };
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        onMain,
        onStable,
        change(more, { name: 'main', from: 'onMain' }),
        change(more, { name: 'stable', from: 'onStable', time: 3100 }),
      ],
      fork: [{ ...first, name: 'imported', from: 'rename', time: 2700, files: { 'cmd/stone.txt': 'gem\n' } }],
    });
    const engine = await openEngine({ ...tiny, pack: loadPack(tiny.rules), program: 'engine.ts' });
    const requests = ['main', 'stable'].map((name) => ({
      upstream: tiny.sha(name),
      onto: tiny.sha('imported'),
    }));
    try {
      const [together, alone]: [DetailedPick[], DetailedPick[]] = [[], []];
      for await (const one of engine.pick(requests, { keep: false })) together.push(one);
      for (const request of requests)
        for await (const one of engine.pick([request], { keep: false })) alone.push(one);

      for (const { result } of [...together, ...alone])
        expect(result.files).toMatchObject([
          { path: 'cmd/stone.txt', from: 'quartz/gem.txt', how: 'merged' },
        ]);
      expect(together.map(({ result }) => result.commit)).toEqual(alone.map(({ result }) => result.commit));
    } finally {
      await engine.close();
    }
  });

  it('appends to lists, skips what never comes over, and says so', async () => {
    const { result, read } = await pick(
      [
        change({
          'doc/extensions.md': '# Extensions\n\n## `first`\n\nThe first.\n\n## `theirs`\n\nTheirs.\n',
          'po/de.po': 'msgid "b"\n',
        }),
      ],
      [
        {
          name: 'ours',
          from: 'rename',
          time: 2500,
          files: { 'doc/extensions.md': '# Extensions\n\n## `first`\n\nThe first.\n\n## `ours`\n\nOurs.\n' },
        },
      ],
    );
    expect(read('doc/extensions.md')).toBe(
      '# Extensions\n\n## `first`\n\nThe first.\n\n## `ours`\n\nOurs.\n\n## `theirs`\n\nTheirs.\n',
    );
    expect(result.reasons).toContain('po/de.po: skipped by rule translations');
  });

  it('carries modes, links, binary files, renames and deletions', async () => {
    const { result, git } = await pick([
      {
        name: 'before',
        from: 'base',
        time: 2500,
        files: { 'pic.bin': Buffer.from([0, 1, 2]), link: { mode: '120000', content: 'README.md' } },
      },
      change(
        {
          'scripts/run.sh': { mode: '100755', content: '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\n' },
          'new.bin': Buffer.from([0, 255, 10, 13]),
          alias: { mode: '120000', content: 'doc/guide.md' },
          'quartz/store/store.go': null,
          'quartz/store/keep.go': upstreamStore('\treturn nil\n'),
          'shared/helpers.go': null,
        },
        { from: 'base' },
      ),
    ]);
    const listed = git('ls-tree', '-r', String(result.commit));
    expect(listed).toMatch(/100755 blob \w+\tscripts\/run\.sh/);
    expect(listed).toMatch(/120000 blob \w+\talias/);
    expect(listed).toContain('\tinternal/store/keep.go');
    expect(listed).not.toContain('\tinternal/store/store.go');
    expect(listed).not.toContain('helpers.go');
    const binary = execFileSync('git', ['cat-file', 'blob', `${result.commit}:new.bin`], {
      cwd: cacheOf(git),
    });
    expect([...binary]).toEqual([0, 255, 10, 13]);
  });

  it('lets uses decide where an import line is all that upstream changed', async () => {
    const same = upstreamStore('\treturn nil\n');
    const aliased = same.replace('\t"example.org/quartz/shared"', '\tshared "example.org/quartz/shared"');
    const dropped = same.replace('\n\t"example.org/quartz/shared"\n', '');

    for (const text of [aliased, dropped]) {
      expect(text).not.toBe(same);
      const { result } = await pick([change({ 'quartz/store/store.go': text })]);
      // The fork's code goes on using its own package: no line of it may go.
      expect(result).toMatchObject({ status: 'empty', doubts: [], conflicts: [] });
    }
  });

  it('keeps carriage returns and a missing final newline', async () => {
    const { read } = await pick([
      { name: 'before', from: 'base', time: 2500, files: {} },
      change({ 'README.md': 'Quartz\r\nlast' }, { from: 'before' }),
    ]);
    expect(read('README.md')).toBe('Onyx\r\nlast');
  });

  it('calls a change that the fork has already empty, and a commit without changes too', async () => {
    const same = { 'doc/new.txt': 'the same\n' };
    const has: FixtureCommit = { name: 'has', from: 'rename', time: 2500, files: same };
    expect((await pick([change(same)], [has])).result).toMatchObject({ status: 'empty', commit: undefined });
    expect((await pick([change({})])).result).toMatchObject({ status: 'empty', files: [] });
  });

  it('calls nothing empty where the fork only reworded the line, or upstream adds what it never had', async () => {
    const page = (...lines: readonly string[]): string => `# Guide\n\n${lines.join('\n')}\n\nThe end.\n`;
    const had = ['A server runs many instances at a time.', 'It listens on port 8443 for all of them.'];
    const before: FixtureCommit = {
      name: 'before',
      from: 'base',
      time: 1500,
      files: { 'doc/page.md': page(...had) },
    };
    const fork = (...lines: readonly string[]): readonly FixtureCommit[] => [
      { name: 'same', from: 'rename', time: 2100, authorTime: 1500, files: { 'doc/page.md': page(...had) } },
      { name: 'own', from: 'same', time: 2200, files: { 'doc/page.md': page(...lines) } },
    ];
    const upstream = (...lines: readonly string[]): readonly FixtureCommit[] => [
      before,
      change({ 'doc/page.md': page(...lines) }, { from: 'before' }),
    ];
    const [first = '', second = ''] = had;
    const changed = upstream(first, second.replace('8443', '8444'));

    const deleted = await pick(changed, fork(first));
    const reworded = await pick(changed, fork('It listens on port 8443 for all of these.', first));

    expect(deleted.result).toMatchObject({ status: 'empty', conflicts: [] });
    expect(reworded.result.status).toBe('conflict');
  });

  it('picks a root commit as the making of its files', async () => {
    const files = { COPYING: freeLicence, 'lonely.txt': 'alone\n' };
    const { result } = await pick([{ name: 'root', time: 2500, files }], [], { pick: 'root' });
    expect(result.files).toEqual([
      { path: 'COPYING', from: 'COPYING', how: 'unchanged' },
      { path: 'lonely.txt', from: 'lonely.txt', how: 'added' },
    ]);
  });

  it('blocks merges, submodules and missing objects, each with its reason', async () => {
    const side: FixtureCommit = { name: 'side', from: 'base', time: 2500, files: { 'side.txt': 'side\n' } };
    const merge = change({}, { from: 'base', merge: 'side' });
    expect((await pick([side, merge])).result).toMatchObject({
      status: 'blocked',
      reasons: [expect.stringMatching(/merge commit/)],
    });
    const module = change({ module: { mode: '160000', content: '1'.repeat(40) } });
    expect((await pick([module])).result.reasons).toEqual([expect.stringMatching(/submodule/)]);
    const tiny = makeTinyFork(temporaryFolder(), { upstream: [change({ 'README.md': 'Quartz!\n' })] });
    const [missing] = await pickIn(tiny, '2'.repeat(40), tiny.sha('rename'));
    expect(missing).toMatchObject({ status: 'blocked', reasons: [`object missing ${'2'.repeat(40)}`] });
  });

  it('asks for review where upstream names what the fork took out', async () => {
    const { result } = await pick([
      change({ 'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\ngemstone\n' }),
    ]);
    expect(result).toMatchObject({ status: 'review', doubts: [{ rule: 'removed-gems' }] });
  });

  it('names Go names that the fork does not have', async () => {
    const { result } = await pick([
      {
        name: 'before',
        from: 'base',
        time: 2500,
        files: { 'shared/more.go': 'package shared\n\n// Polish polishes.\nfunc Polish() {}\n' },
      },
      change(
        { 'quartz/store/store.go': upstreamStore('\tshared.Polish()\n\n\treturn nil\n') },
        { from: 'before' },
      ),
    ]);
    expect(result.status).toBe('review');
    expect(result.doubts.map((doubt) => doubt.rule)).toContain('name-unknown');
  });

  it('names a field that upstream fills and no type of the fork has', async () => {
    const info = (...fields: readonly string[]): string =>
      `package store\n\n// Info is one.\ntype Info struct {\n${fields.map((field) => `\t${field} bool\n`).join('')}}\n`;
    const fill = (...keys: readonly string[]): string =>
      `package store\n\n// Fill fills.\nfunc Fill() Info {\n\treturn Info{\n${keys.map((key) => `\t\t${key}: true,\n`).join('')}\t}\n}\n`;
    const files = (
      fields: readonly string[],
      keys: readonly string[],
      folder: string,
    ): FixtureCommit['files'] => ({
      [`${folder}/info.go`]: info(...fields),
      [`${folder}/fill.go`]: fill(...keys),
    });
    const before: FixtureCommit = {
      name: 'before',
      from: 'base',
      time: 1500,
      files: files(['One'], ['One'], 'quartz/store'),
    };
    const wider: FixtureCommit = {
      name: 'wider',
      from: 'before',
      time: 1600,
      files: { 'quartz/store/info.go': info('One', 'LiveMove') },
    };
    const { result } = await pick(
      [before, wider, change({ 'quartz/store/fill.go': fill('One', 'LiveMove') }, { from: 'wider' })],
      [
        {
          name: 'same',
          from: 'rename',
          time: 2100,
          authorTime: 1500,
          files: files(['One'], ['One'], 'internal/store'),
        },
      ],
    );
    expect(result).toMatchObject({
      status: 'review',
      doubts: [
        {
          path: 'internal/store/fill.go',
          rule: 'no-member',
          why: "the fork's type does not have this: line 7: store.Info has no field LiveMove",
        },
      ],
    });
  });

  it('asks for review where no compiler would take what came out', async () => {
    const before = upstreamStore('\tname := path\n\tif name == "" {\n\t\treturn nil\n\t}\n\n\treturn nil\n');
    const doubtsOf = async (theirs: string, ours: string): Promise<readonly string[]> => {
      const { result } = await pick(
        [
          { name: 'before', from: 'base', time: 2500, files: { 'quartz/store/store.go': before } },
          change(
            {
              'quartz/store/store.go': before.replace(
                '\treturn nil\n}\n\n// Close',
                `${theirs}\n}\n\n// Close`,
              ),
            },
            { from: 'before' },
          ),
        ],
        [{ name: 'ours', from: 'rename', time: 2600, files: { 'internal/store/store.go': ours } }],
      );
      return result.doubts.map(({ rule, why }) => `${rule} ${why}`);
    };
    const ours = before
      .replaceAll('example.org/quartz/shared', 'example.org/onyx/shared/util')
      .replaceAll('shared.', 'util.')
      .replace('Quartz', 'Onyx');
    const renamed = ours.replaceAll('name', 'label');
    expect(await doubtsOf('\treturn fmt.Errorf("bad %q", path)', ours)).toEqual([]);
    expect(await doubtsOf('\treturn fmt.Errorf("bad %q", name)', renamed)).toEqual([
      expect.stringMatching(/^undeclared .*: line 20: name$/),
    ]);
    expect(await doubtsOf('\trest := path\n\n\treturn nil', ours)).toEqual([
      expect.stringMatching(/^unused .*: line 20: rest is not used$/),
    ]);
    expect(await doubtsOf('\treturn Close(path)', ours)).toEqual([
      expect.stringMatching(/^counts-differ .*: line 20: Close takes 0 arguments, not 1$/),
    ]);
  });

  it('carries each function to the file where the fork keeps it since it split the file up', async () => {
    const upstream = (exists: string, truth: string): string =>
      `package shared\n\n// PathExists says whether a path exists.\nfunc PathExists(path string) bool {\n\treturn ${exists}\n}\n\n// IsTrue reads a word.\nfunc IsTrue(word string) bool {\n\treturn ${truth}\n}\n`;
    const padding = (name: string): string =>
      Array.from(
        { length: 8 },
        (_, index) =>
          `\n// ${name}${index} is another one.\nfunc ${name}${index}() int {\n\treturn ${index}\n}\n`,
      ).join('');
    const paths = (exists: string): string =>
      `package util\n\n// PathExists says whether a path exists.\nfunc PathExists(path string) bool {\n\treturn ${exists}\n}\n${padding('Path')}`;
    const words = (truth: string): string =>
      `package util\n\n// IsTrue reads a word.\nfunc IsTrue(word string) bool {\n\treturn ${truth}\n}\n${padding('Word')}`;
    const split: FixtureCommit = {
      name: 'split',
      from: 'rename',
      time: 2500,
      files: {
        'shared/util/helpers.go': null,
        'shared/util/paths.go': paths('path != ""'),
        'shared/util/words.go': words('word == "true"'),
      },
    };
    const { result, read } = await pick(
      [change({ 'shared/helpers.go': upstream('len(path) > 0', 'word == "true" || word == "1"') })],
      [split],
    );
    expect(result.files).toEqual([
      { path: 'shared/util/paths.go', from: 'shared/helpers.go', how: 'merged' },
      { path: 'shared/util/words.go', from: 'shared/helpers.go', how: 'merged' },
    ]);
    expect(read('shared/util/paths.go')).toBe(paths('len(path) > 0'));
    expect(read('shared/util/words.go')).toBe(words('word == "true" || word == "1"'));
    expect(read('shared/helpers.go')).toBeUndefined();

    // A function that is new goes to where the one before it is, and somebody looks at that.
    const added = 'func IsFalse(word string) bool {\n\treturn word == "false"\n}\n';
    const more = await pick(
      [change({ 'shared/helpers.go': `${upstream('path != ""', 'word == "true"')}\n${added}` })],
      [split],
    );
    expect(more.result.status).toBe('review');
    expect(more.result.doubts.map((doubt) => [doubt.path, doubt.rule])).toEqual([
      ['shared/util/words.go', 'place-guessed'],
    ]);
    expect(more.read('shared/util/words.go')).toBe(`${words('word == "true"')}\n${added}`);
  });

  it('carries a function that the fork moved out of a file that is still there', async () => {
    const closing = (body: string): string => `// Close closes it.\nfunc Close() error {\n${body}}\n`;
    const before = upstreamStore('\treturn nil\n');
    const forkStore = before
      .replaceAll('example.org/quartz/shared', 'example.org/onyx/shared/util')
      .replaceAll('shared.', 'util.')
      .replace('Quartz', 'Onyx');
    expect(forkStore).toContain(closing('\treturn nil\n'));
    const away: FixtureCommit = {
      name: 'away',
      from: 'rename',
      time: 2500,
      files: {
        'internal/store/store.go': forkStore.replace(`\n${closing('\treturn nil\n')}`, ''),
        'internal/store/close.go': `package store\n\n${closing('\treturn nil\n')}`,
      },
    };
    const theirs = before
      .replace(closing('\treturn nil\n'), closing('\tfmt.Println("closed")\n\n\treturn nil\n'))
      .replace('No store at', 'There is no store at');
    const { result, read } = await pick([change({ 'quartz/store/store.go': theirs })], [away]);
    expect(result.files.map(({ path, how }) => [path, how])).toEqual([
      ['internal/store/close.go', 'merged'],
      ['internal/store/store.go', 'merged'],
    ]);
    expect(read('internal/store/close.go')).toBe(
      `package store\n\nimport (\n\t"fmt"\n)\n\n${closing('\tfmt.Println("closed")\n\n\treturn nil\n')}`,
    );
    expect(read('internal/store/store.go')).toContain('There is no store at');
    expect(read('internal/store/store.go')).not.toContain('Close');
  });

  it('skips commits that a rule names, and says what makes a skipped file anew', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        change({ 'README.md': 'Quartz 2\n' }, { message: 'Release Quartz 2\n' }),
        change({ 'po/de.po': 'msgid "b"\n' }, { name: 'words' }),
        change({ 'README.md': 'Quartz!\n' }, { name: 'single' }),
      ],
    });
    writeFileSync(
      join(tiny.rules, 'skip.yaml'),
      `skip:
  - id: translations
    description: Made anew after every import.
    files: ["po/*"]
    remake: make words
  - id: releases
    description: Upstream's releases are not ours.
    subjects: ["Release "]
  - id: decided
    description: A person ported this by hand.
    commits: ["${tiny.sha('single')}"]
`,
    );
    const reasonOf = async (name: string): Promise<string> => {
      const [result] = await pickIn(tiny, tiny.sha(name), tiny.sha('rename'));
      return `${result.status}: ${result.reasons.join()}`;
    };
    expect(await reasonOf('change')).toMatch(/^skipped: the whole commit .* releases: Upstream's releases/);
    expect(await reasonOf('words')).toMatch(/^skipped: po\/de.po: .* translations; .*: make words$/);
    expect(await reasonOf('single')).toMatch(/^skipped: .* decided: A person ported this by hand/);
  });

  it('leaves out changes of files and lines that came with a commit which a rule leaves out, and asks for a review', async () => {
    const topical = 'if topical:\n    set tags\n    set title\n';
    const settings = 'a = 1\nb = 2\n';
    const own = 'def build():\n    pass\n';
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        change({ 'doc/conf.py': settings }, { name: 'settings', time: 2100 }),
        change(
          { 'doc/new.md': 'new\n', 'doc/conf.py': settings + topical },
          { name: 'maker', from: 'settings', time: 2200, message: 'Topical pages\n' },
        ),
        change(
          {
            'doc/new.md': 'newer\n',
            'doc/conf.py': settings + topical.replaceAll('set', 'set no'),
            'README.md': 'Quartz 2\n',
          },
          { from: 'maker' },
        ),
      ],
      fork: [
        change({ 'doc/conf.py': settings }, { name: 'import', from: 'rename', time: 2500, authorTime: 2100 }),
        change({ 'doc/conf.py': settings + own }, { name: 'own', from: 'import', time: 2600 }),
      ],
    });
    const picked = () => pickIn(tiny, tiny.sha('change'), tiny.sha('own'));
    const [before] = await picked();
    writeFileSync(
      join(tiny.rules, 'skip.yaml'),
      'skip: []\nleaveOut:\n  - { id: topical, description: The fork has no such pages., subjects: ["Topical *"] }\n',
    );

    const [result, gitDir] = await picked();

    expect(before.conflicts.map((one) => one.type)).toEqual(['prerequisite-missing', 'prerequisite-missing']);
    expect(result.status).toBe('review');
    expect(result.doubts.map((doubt) => [doubt.path, doubt.rule])).toEqual([
      ['doc/conf.py', 'left-out'],
      ['doc/new.md', 'left-out'],
    ]);
    expect(result.reasons).toEqual([
      `doc/conf.py: changes what rule topical: ${tiny.sha('maker')} leaves out; that was left out`,
      `doc/new.md: changes what rule topical: ${tiny.sha('maker')} leaves out; that was left out`,
    ]);
    const show = (path: string) =>
      execFileSync('git', [`--git-dir=${gitDir}`, 'show', `${result.commit}:${path}`], { encoding: 'utf8' });
    expect(show('doc/conf.py')).toBe(settings + own);
    expect(show('README.md')).toBe('Onyx 2\n');
  });

  it('has nothing to rename where the fork does not use the name that upstream renames throughout', async () => {
    const settings = (name: string, first: string) =>
      ['first', 'second', 'third', 'fourth']
        .map((key, index) => `${key} = ${index === 0 ? first : name}\n\n`)
        .join('');
    const before = change(
      { 'settings.txt': settings('project_default', 'project_default') },
      { name: 'settings', time: 2100 },
    );
    const fork = [
      change(
        { 'settings.txt': before.files['settings.txt'] ?? '' },
        { name: 'import', from: 'rename', time: 2500, authorTime: 2100 },
      ),
      change(
        { 'settings.txt': settings('project_default', '7') },
        { name: 'own', from: 'import', time: 2600 },
      ),
    ];
    const rename = change({ 'settings.txt': settings('api_default', 'api_default') }, { from: 'settings' });
    const other = change(
      { 'settings.txt': settings('project_default', 'api_default') },
      { from: 'settings' },
    );

    const throughout = await pick([before, rename], fork);
    const once = await pick([before, other], fork);

    expect(throughout.result.status).toBe('review');
    expect(throughout.result.doubts.map((doubt) => doubt.rule)).toEqual(['renamed-away']);
    expect(throughout.read('settings.txt')).toBe(settings('api_default', '7'));
    expect(once.result.conflicts.map((conflict) => conflict.type)).toEqual(['really-diverged']);
  });

  it('applies a rule only to the part of upstream history that it is for', async () => {
    const folder = temporaryFolder();
    const later = change(
      { 'doc/new.txt': 'the Quartz name\n' },
      { name: 'later', from: 'change', time: 3100 },
    );
    const tiny = makeTinyFork(folder, { upstream: [change({ 'doc/old.txt': 'the Quartz name\n' }), later] });
    const text = readFileSync(join(tiny.rules, 'text.yaml'), 'utf8');
    const limited = text.replace(
      '    from: Quartz\n',
      `    from: Quartz\n    since: "${tiny.sha('later')}"\n`,
    );
    writeFileSync(join(tiny.rules, 'text.yaml'), limited);
    for (const [name, path, expected] of [
      ['change', 'doc/old.txt', 'the Quartz name\n'],
      ['later', 'doc/new.txt', 'the Onyx name\n'],
    ] as const) {
      const [result, gitDir] = await pickIn(tiny, tiny.sha(name), tiny.sha('rename'));
      const shown = execFileSync('git', [`--git-dir=${gitDir}`, 'show', `${result.commit}:${path}`], {
        encoding: 'utf8',
      });
      expect(shown).toBe(expected);
    }
  });

  it('never writes to its inputs', async () => {
    const tiny = makeTinyFork(temporaryFolder(), { upstream: [change({ 'README.md': 'Quartz!\n' })] });
    const before = [snapshot(tiny.upstream), snapshot(tiny.fork)];
    await pickIn(tiny, tiny.sha('change'), tiny.sha('rename'));
    expect([snapshot(tiny.upstream), snapshot(tiny.fork)]).toEqual(before);
  });
});

describe('conflicts', () => {
  const guide = (end: string): string => upstreamGuide.replace('The end.', end);
  const ours = (name: string, files: FixtureCommit['files']): FixtureCommit => ({
    name,
    from: 'rename',
    time: 2500,
    files,
  });

  it('are really diverged where both sides wrote something else, with all sides and the fork commit', async () => {
    const forkGuide =
      '# The Onyx server\n\nAn Onyx server runs instances.\n\nTry it:\n\n    ox launch\n\nNotes\n\nOver.\n';
    const { result, tiny } = await pick(
      [change({ 'doc/guide.md': guide('Finished!') })],
      [ours('end', { 'doc/guide.md': forkGuide })],
    );
    expect(result).toMatchObject({
      status: 'conflict',
      tree: undefined,
      conflicts: [
        {
          path: 'doc/guide.md',
          type: 'really-diverged',
          forkCommit: tiny.sha('end'),
          hunks: [{ ours: 'Over.\n', base: 'The end.\n', theirs: 'Finished!\n' }],
        },
      ],
    });
  });

  it('are those of generated files too, alone and beside others', async () => {
    const made = (words: string): FixtureCommit['files'] => ({
      'README.md': `${words}\n`,
      'doc/guide.md': guide(words),
    });
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        change(made('both'), { name: 'both' }),
        change({ 'README.md': 'alone\n' }, { name: 'alone' }),
      ],
      fork: [ours('ours', made('ours'))],
    });
    const picks: PickResult[] = [];
    for (const remake of [', remake: make it', '']) {
      const rule = `{ id: made, description: Made from the sources., files: [README.md], driver: generated${remake} }`;
      writeFileSync(join(tiny.rules, 'merge.yaml'), `merge:\n  - ${rule}\n`);
      for (const name of ['both', 'alone'])
        picks.push((await pickIn(tiny, tiny.sha(name), tiny.sha('ours')))[0]);
    }

    const generated = { path: 'README.md', type: 'generated', hunks: [{ ours: 'ours\n' }] };
    const diverged = { path: 'doc/guide.md', type: 'really-diverged' };
    expect(picks).toMatchObject([
      { status: 'conflict', conflicts: [{ ...generated, next: 'make it' }, diverged] },
      { status: 'conflict', conflicts: [{ ...generated, next: 'make it' }] },
      { status: 'conflict', conflicts: [generated, diverged] },
      { status: 'conflict', conflicts: [generated] },
    ]);
    expect(picks[1]?.reasons).toEqual([expect.stringContaining('make it anew afterwards: make it')]);
  });

  it('name the fork commit of the very lines, not the last one of the file', async () => {
    const forkGuide = (end: string, notes: string): string =>
      upstreamGuide
        .replaceAll('Quartz', 'Onyx')
        .replace('A Onyx', 'An Onyx')
        .replace('qz', 'ox')
        .replace('The end.', end)
        .replace('Notes', notes);
    const { result, tiny } = await pick(
      [change({ 'doc/guide.md': guide('Finished!') })],
      [
        { ...ours('end', { 'doc/guide.md': forkGuide('Over.', 'Notes') }), message: 'doc: Over\n' },
        { ...ours('later', { 'doc/guide.md': forkGuide('Over.', 'Our notes') }), from: 'end', time: 2600 },
      ],
    );
    expect(result.conflicts).toMatchObject([
      { forkCommit: tiny.sha('end'), hunks: [{ forkCommit: tiny.sha('end'), forkSubject: 'doc: Over' }] },
    ]);
  });

  it('name the upstream commits that are missing for the same lines', async () => {
    const first: FixtureCommit = {
      name: 'first',
      from: 'base',
      time: 2400,
      files: { 'doc/guide.md': guide('Not quite.') },
    };
    const forkGuide = upstreamGuide
      .replaceAll('Quartz', 'Onyx')
      .replace('A Onyx', 'An Onyx')
      .replace('qz', 'ox')
      .replace('The end.', 'Over and out.');
    const { result, tiny } = await pick(
      [first, change({ 'doc/guide.md': guide('Finished!') }, { from: 'first' })],
      [ours('end', { 'doc/guide.md': forkGuide })],
    );
    expect(result.conflicts).toMatchObject([
      { type: 'prerequisite-missing', prerequisites: [tiny.sha('first')] },
    ]);
  });

  it('name them where the fork has other lines in the place of what they brought', async () => {
    const settings = 'first = 1\nsecond = 2\n';
    const block = (name: string): string =>
      ['limit', name, 'timeout', 'retries', 'backlog'].map((key) => `${key}_of_server = 3\n`).join('');
    const base = change({ 'settings.txt': settings }, { name: 'settings', time: 2100 });
    const { result, tiny } = await pick(
      [
        base,
        change(
          { 'settings.txt': settings + block('window') },
          { name: 'first', from: 'settings', time: 2400 },
        ),
        change({ 'settings.txt': settings + block('frame') }, { from: 'first' }),
      ],
      [
        change(
          { 'settings.txt': settings },
          { name: 'import', from: 'rename', time: 2500, authorTime: 2100 },
        ),
        change({ 'settings.txt': `${settings}our own line\n` }, { name: 'own', from: 'import', time: 2600 }),
      ],
    );
    expect(result.conflicts).toMatchObject([
      { type: 'prerequisite-missing', prerequisites: [tiny.sha('first')] },
    ]);
  });

  it('do not take lines for deleted where this clone lacks a version of the file', async () => {
    const settings = 'first = 1\nsecond = 2\n';
    const block = ['limit', 'window', 'timeout', 'retries', 'backlog'].map((key) => `${key} = 3\n`).join('');
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        change({ 'settings.txt': settings + block }, { name: 'settings', time: 2100 }),
        change(
          { 'settings.txt': `${settings}${block}passing\n` },
          { name: 'passing', from: 'settings', time: 2200 },
        ),
        change({ 'settings.txt': settings + block }, { name: 'gone', from: 'passing', time: 2300 }),
        change(
          { 'settings.txt': settings + block.replace('window', 'frame'), 'README.md': 'Quartz 2\n' },
          { from: 'gone' },
        ),
      ],
      fork: [
        change(
          { 'settings.txt': settings + block },
          { name: 'import', from: 'rename', time: 2500, authorTime: 2100 },
        ),
        change({ 'settings.txt': `${settings}our own line\n` }, { name: 'own', from: 'import', time: 2600 }),
      ],
    });
    const picked = () => pickIn(tiny, tiny.sha('change'), tiny.sha('own'));
    const [whole] = await picked();
    const blob = execFileSync(
      'git',
      [`--git-dir=${tiny.upstream}`, 'rev-parse', `${tiny.sha('passing')}:settings.txt`],
      {
        encoding: 'utf8',
      },
    ).trim();
    rmSync(join(tiny.upstream, 'objects', blob.slice(0, 2), blob.slice(2)));
    rmSync(tiny.cache, { recursive: true });

    const [partial] = await picked();

    expect(whole.status).toBe('review');
    expect(partial.status).toBe('blocked');
    expect(partial.reasons.join()).toContain(blob);
  });

  it('say that a rule is missing for a file that nobody placed', async () => {
    // Upstream had it before the fork point, on a branch that had parted by then.
    const before: FixtureCommit = {
      name: 'before',
      time: 500,
      files: { COPYING: freeLicence, 'x/odd.txt': 'odd\n' },
    };
    const { result } = await pick([before, change({ 'x/odd.txt': 'odder\n' }, { from: 'before' })]);
    expect(result.conflicts).toMatchObject([{ path: 'x/odd.txt', type: 'rule-missing' }]);
  });

  it('go to a person and come back as a commit of the author upstream', async () => {
    // Arrange
    const folder = temporaryFolder();
    const tiny = makeTinyFork(folder, {
      upstream: [change({ 'doc/guide.md': guide('Finished!'), 'README.md': 'Quartz\nMore\n' })],
      fork: [ours('end', { 'doc/guide.md': guide('Over.').replaceAll('Quartz', 'Onyx') })],
    });
    const engine = await openEngine({ ...tiny, pack: loadPack(tiny.rules), program: 'engine.ts' });
    const request = { upstream: tiny.sha('change'), onto: tiny.sha('end') };
    const work = join(folder, 'work');
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', work, '-c', 'user.name=Pat', '-c', 'user.email=pat@example.org', ...args], {
        encoding: 'utf8',
      });
    try {
      // Act
      const { open } = await checkoutPick(engine, request, work);
      const marked = readFileSync(join(work, 'doc/guide.md'), 'utf8');
      const unmerged = git('ls-files', '-u');
      await expect(continuePick(engine, work)).rejects.toThrow(/nothing was committed/);
      git('add', '-A');
      git('commit', '-q', '--no-edit');
      await expect(continuePick(engine, work)).rejects.toThrow(/conflict markers are left/);
      writeFileSync(join(work, 'doc/guide.md'), marked.replace(/<{7}[\s\S]*>{7}.*\n/, 'Solved.\n'));
      git('commit', '-q', '-a', '--amend', '--no-edit');
      const commit = await continuePick(engine, work);
      // Assert
      expect(open).toEqual(['doc/guide.md']);
      expect(marked).toContain('<<<<<<< fork\nOver.\n');
      expect(unmerged.split('\n').filter((line) => line !== '')).toHaveLength(3);
      const shown = execFileSync(
        'git',
        [`--git-dir=${engine.gitDir}`, 'show', '--format=%an|%cn|%s|%b', commit],
        { encoding: 'utf8' },
      );
      expect(shown).toContain('Ann Author|Pat|[import] change|');
      expect(shown).toContain('+Solved.');
      expect(shown).toContain('+More');
      await expect(checkoutPick(engine, request, work)).rejects.toThrow(/not empty/);
    } finally {
      await engine.close();
    }
  });
});

function upstreamStore(end: string): string {
  return `package store

import (
\t"fmt"

\t"example.org/quartz/shared"
)

// Open opens the Quartz store.
func Open(path string) error {
\tif !shared.PathExists(path) {
\t\treturn fmt.Errorf("No store at %q", path)
\t}

${end}}

// Close closes it.
func Close() error {
\treturn nil
}
`;
}

/** Names, sizes and times of everything in a folder. */
function snapshot(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const path = join(folder, name);
      const stat = existsSync(path) ? statSync(path) : undefined;
      return `${name} ${stat?.size} ${stat?.mtimeMs}`;
    });
}

function cacheOf(git: (...args: string[]) => string): string {
  return git('rev-parse', '--absolute-git-dir').trim();
}
