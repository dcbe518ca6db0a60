import { describe, expect, it } from 'vitest';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { packDoubts } from '../../../src/sync/pick/doubts.ts';
import { pick } from '../picked.ts';

const change = (files: FixtureCommit['files'], from = 'base'): FixtureCommit =>
  commit('change', from, 3000, files);

const doubtsOf = (result: { readonly doubts: readonly { readonly rule: string }[] }): readonly string[] => [
  ...new Set(result.doubts.map(({ rule }) => rule)),
];

/** What both had before the change, in the fork's words already. */
function both(
  upstream: FixtureCommit['files'],
  fork: FixtureCommit['files'],
): readonly [FixtureCommit, FixtureCommit] {
  return [
    commit('before', 'base', 1500, upstream),
    commit('same', 'rename', 2100, fork, { authorTime: 1500 }),
  ];
}

describe('packDoubts', () => {
  const rules = [{ id: 'removed', description: 'Gone.', words: ['gem'] }];
  const asked = async (before: string, after: string): Promise<readonly string[]> => {
    const file = { path: 'a', added: ['a gem'], texts: async () => ({ before, after }) };
    return (await packDoubts(rules, file)).map(({ rule }) => rule);
  };

  it('asks where the file names more of what the fork took out than before', async () => {
    expect(await asked('', 'a gem')).toEqual(['removed']);
    expect(await asked('a gem', 'a gem, a gem')).toEqual(['removed']);
  });

  it('asks for nothing where the fork has kept the line, or the new one was left out', async () => {
    expect(await asked('the gem', 'a gem')).toEqual([]);
    expect(await asked('', '')).toEqual([]);
  });
});

describe('doubts about words', () => {
  const page = (name: string, ...more: readonly string[]): string =>
    [...Array(10).keys()].map((number) => `The ${number}th page of ${name} says so.\n\n`).join('') +
    more.join('');

  it('are none where a page names upstream throughout, and one where it has the word in two spellings', async () => {
    const theirs = change({ 'doc/a.md': page('Quartz', 'Quartz ends.\n') }, 'before');
    const pickOnto = (fork: string) => {
      const [before, same] = both({ 'doc/a.md': page('Quartz') }, { 'doc/a.md': fork });
      return pick([before, theirs], [same]);
    };

    const throughout = await pickOnto(page('Quartz'));
    const fewer = await pickOnto(page('Quartz').replace('0th page of Quartz', '0th page of it'));
    const inTwo = await pickOnto(
      page('Onyx')
        .replace('0th page of Onyx', '0th page of Quartz')
        .replace('1th page of Onyx', '1th page of Quartz'),
    );

    expect([throughout.result.status, doubtsOf(throughout.result)]).toEqual(['clean', []]);
    expect(doubtsOf(fewer.result)).toEqual(['word-left-in-doc']);
    expect(inTwo.read('doc/a.md')).toContain('Onyx ends.');
    expect(doubtsOf(inTwo.result)).toEqual(['word-in-two-spellings']);
  });

  it('are none about a new page or file of code in which nothing names upstream', async () => {
    const code = (comment: string): string => `package store\n\n// ${comment}\nfunc More() {}\n`;
    const pickNew = async (files: FixtureCommit['files']) => doubtsOf((await pick([change(files)])).result);

    expect(await pickNew({ 'doc/new.md': 'A page.\n' })).toEqual([]);
    expect(await pickNew({ 'doc/new.md': 'A page of Quartz.\n' })).toContain('new-doc');
    expect(await pickNew({ 'quartz/store/more.go': code('More does more.') })).toEqual([]);
    expect(await pickNew({ 'quartz/store/more.go': code('More stops Quartz.') })).toContain('new-code');
    expect(
      await pickNew({
        'quartz/store/more.go': code('More.').replace(
          '// More',
          '//go:embed a.json\nvar all string\n\n// More',
        ),
      }),
    ).toEqual(['new-code']);
  });

  it('name a path that begins with a folder which the fork has elsewhere, and that names nothing', async () => {
    const { result } = await pick([
      change({ 'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\ncat quartz/before.txt\n' }),
    ]);

    expect(doubtsOf(result)).toContain('place-unknown');
  });

  it('name a mark before words that the fork has dropped from the whole list', async () => {
    const list = (mark: string, ...more: readonly string[]): string =>
      ['one', 'two', 'three', ...more].map((name) => `${mark}${name}\n`).join('');
    const [before, same] = both({ 'doc/index.md': list('/') }, { 'doc/index.md': list('') });
    const kept = both({ 'doc/index.md': list('/') }, { 'doc/index.md': list('/') })[1];
    const theirs = change({ 'doc/index.md': list('/', 'four') }, 'before');

    expect(doubtsOf((await pick([before, theirs], [same])).result)).toEqual(['spelling-unsure']);
    expect(doubtsOf((await pick([before, theirs], [kept])).result)).toEqual([]);
  });

  it('are none about a deletion of what the fork had changed, unless upstream has it again elsewhere', async () => {
    const rest = 'first line\n\nsecond line\n\nthird line\n\n';
    const block = (...own: readonly string[]): string =>
      ['block one:', ...own, '    build everything from the sources', '    and pack it up', ''].join('\n');
    const [before, same] = both(
      { 'scripts/notes.txt': rest + block() },
      { 'scripts/notes.txt': rest + block('    clean up') },
    );
    const pickOf = async (text: string) =>
      doubtsOf((await pick([before, change({ 'scripts/notes.txt': text }, 'before')], [same])).result);

    expect(await pickOf(rest)).toEqual([]);
    // Upstream wrote it anew in its place.
    expect(await pickOf(`${rest}build everything from other sources at once\n`)).toEqual([]);
    expect(await pickOf('block two:\n    build everything from the new sources\n\n' + rest)).toEqual([
      'upstream-deleted',
    ]);
  });
});
