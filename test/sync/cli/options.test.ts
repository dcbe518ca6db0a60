import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTinyFork, type TinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { forkSync, repositoriesOf } from '../fork-sync.ts';

const sha = '1'.repeat(40);
const repositories = ['--upstream', '/nonexistent/u', '--fork', '/nonexistent/f'];

describe('an option that would not be used is answered', () => {
  it.each<[string, readonly string[], string]>([
    ['of another command', ['drift', '--threads', '2'], "unknown option '--threads'"],
    ['of another command', ['scan', '--limit', '3'], "unknown option '--limit'"],
    ['of another command', ['plan', '--threads', '2'], "unknown option '--threads'"],
    ['of another command', ['park', 'x', '--cache', '/c'], "unknown option '--cache'"],
    ['of another command', ['reopen', 'x', '--fork', '/f'], "unknown option '--fork'"],
    [
      'with pairs on standard input',
      ['pick', '--stdin', '--onto', 'x', ...repositories],
      '--onto is not used with --stdin',
    ],
    [
      'with pairs on standard input',
      ['pick', sha, '--stdin', ...repositories],
      'Commits are named, and --stdin as well',
    ],
    [
      'of a pull request',
      ['checkout', sha, 'dir', '--commit', 'x', ...repositories],
      '--commit is not used where',
    ],
    [
      'beside a pull request',
      ['checkout', 'https://github.com/a/b/pull/1', 'dir', '--onto', 'x'],
      '--onto is not used for a pull request',
    ],
    [
      'for which nothing is kept',
      ['replay', '--pairs', '/dev/null', '--quick', '--html', 'x.html', ...repositories],
      '--html is not used with --quick',
    ],
    [
      'of another list',
      ['scan', '--courtesy', '--state', 'pending', ...repositories],
      '--state is not used with --courtesy',
    ],
    [
      'of a condition that is not set',
      [
        'skip',
        sha,
        '--onto',
        'x',
        '--reason',
        'not-wanted',
        '--why',
        'x',
        '--by',
        'A <a@b>',
        ...repositories,
      ],
      '--onto is not used without --look-again-when',
    ],
    [
      'for pairs that are not given',
      ['rules', 'check', '--fork', '/f'],
      '--fork is not used without --pairs',
    ],
    ['that is given twice', ['drift', '--onto', 'a', '--onto', 'b', ...repositories], 'It is given twice.'],
    ['that is empty', ['drift', '--onto', '', ...repositories], 'It is empty.'],
    ['that is no number', ['plan', '--limit', '1e3', ...repositories], 'This is not a number of picks: 1e3'],
    [
      'that is no number',
      ['replay', '--pairs', '/dev/null', '--isolated', '0x1', ...repositories],
      'This is not a number of picks: 0x1',
    ],
  ])('%s: %j', (_what, args, why) => {
    const done = forkSync(args);

    expect({ status: done.status, stdout: done.stdout }).toEqual({ status: 2, stdout: '' });
    expect(done.stderr).toContain(why);
  });

  it('--from of a repository that has another upstream already', () => {
    const tiny = makeTinyFork(temporaryFolder());
    execFileSync('git', [
      `--git-dir=${tiny.upstream}`,
      'remote',
      'add',
      'origin',
      'https://example.org/quartz.git',
    ]);

    const done = forkSync([
      'fetch',
      '--from',
      'https://example.org/other.git',
      ...repositoriesOf(tiny),
      '--onto',
      'rename',
    ]);

    expect(done.status).toBe(2);
    expect(done.stderr).toContain(
      'its upstream is https://example.org/quartz.git: --from is only for the first time',
    );
  });
});

it('states and lists that are asked for are what JSON holds too', () => {
  const tiny = makeTinyFork(temporaryFolder(), {
    upstream: [{ name: 'one', from: 'base', time: 3000, files: { 'doc/one.md': 'One\n' } }],
  });
  const scan = (...args: readonly string[]) =>
    JSON.parse(
      forkSync([
        'scan',
        '--json',
        ...args,
        ...repositoriesOf(tiny),
        '--onto',
        'rename',
        '--branch',
        'main=one',
      ]).stdout,
    );

  expect(scan('--state', 'pending').commits).toMatchObject([{ sha: tiny.sha('one'), state: 'pending' }]);
  expect(scan('--state', 'imported').commits).toEqual([]);
  expect(Object.keys(scan('--courtesy'))).toEqual(['upstream', 'fork', 'courtesy']);
});

/** A fork in a place whose name a shell would take apart, and which has letters of more than one byte. */
function conflictingFork(): TinyFork {
  const tiny = makeTinyFork(join(temporaryFolder(), "it's a \u65e5 $HOME"), {
    upstream: [{ name: 'change', from: 'base', time: 3000, files: { 'README.md': 'Quartz is white\n' } }],
    fork: [{ name: 'readme', from: 'rename', time: 2500, files: { 'README.md': 'Onyx is black\n' } }],
  });
  return tiny;
}

describe('commands that are printed can be called as they are', () => {
  const shell = (line: string, cwd: string) => spawnSync('/bin/sh', ['-c', line], { cwd, encoding: 'utf8' });

  it('what comes next after a conflict, and after that', () => {
    const tiny = conflictingFork();
    const here = temporaryFolder();
    const picked = forkSync(['pick', 'change', '--onto', 'readme', ...repositoriesOf(tiny)]);
    const json = forkSync(['pick', 'change', '--onto', 'readme', '--json', ...repositoriesOf(tiny)]);
    const next = /next: (.*)/.exec(picked.stdout)?.[1] ?? '';

    const laidOut = shell(next, here);
    const then = /prepared\), (.*)/.exec(laidOut.stdout)?.[1] ?? '';
    const folder = join(here, `solve-${tiny.sha('change').slice(0, 12)}`);
    writeFileSync(join(folder, 'README.md'), 'Onyx is grey\n');
    execFileSync('git', ['-C', folder, 'add', 'README.md']);
    execFileSync('git', [
      '-C',
      folder,
      '-c',
      'user.name=A',
      '-c',
      'user.email=a@b',
      'commit',
      '--quiet',
      '--no-edit',
    ]);
    const done = shell(then, here);
    const fetch = /to have it: (.*)/.exec(done.stdout)?.[1] ?? '';
    execFileSync('git', ['init', '--quiet', '--bare', join(here, 'mine')]);
    const fetched = shell(fetch, join(here, 'mine'));

    expect(next).toMatch(/^\/\S+ ?\S+ checkout /);
    expect(JSON.parse(json.stdout).conflicts[0].next).toBe(next);
    expect([laidOut.status, done.status, fetched.status]).toEqual([0, 0, 0]);
  });

  it('how to have a pick, from a cache in such a place', () => {
    const tiny = makeTinyFork(join(temporaryFolder(), 'a \u65e5'), {
      upstream: [{ name: 'change', from: 'base', time: 3000, files: { 'doc/new.md': 'New\n' } }],
    });
    const mine = join(temporaryFolder(), 'mine');
    execFileSync('git', ['init', '--quiet', '--bare', mine]);

    const { stdout } = forkSync(['pick', 'change', '--onto', 'rename', ...repositoriesOf(tiny)]);
    const fetched = shell(/to have it: (.*)/.exec(stdout)?.[1] ?? 'false', mine);

    expect(fetched).toMatchObject({ status: 0 });
  });

  it('how to look at a rule pack again', () => {
    const tiny = makeTinyFork(join(temporaryFolder(), 'a b'));
    writeFileSync(join(tiny.rules, 'skip.yaml'), 'skipp: []\n');

    const { stderr } = forkSync(['rules', 'check', '--rules', tiny.rules]);
    const again = shell(/run: (.*)/.exec(stderr)?.[1] ?? 'false', '/');

    expect(again).toMatchObject({ status: 1, stderr });
  });
});

describe('foreign text moves no cursor and turns no line', () => {
  const hostile = 'a\u001b[2J\u009b31m\u202eb\u2028c';
  const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/;

  it('in paths, names and lines of files that an error names', () => {
    const folder = join(temporaryFolder(), hostile);
    mkdirSync(folder);
    const tiny = makeTinyFork(join(folder, 'tiny'));
    writeFileSync(join(tiny.rules, 'skip.yaml'), `"${hostile}": []\n`);
    writeFileSync(join(folder, 'pairs'), 'no pair\n');
    symlinkSync('/dev/zero', join(folder, 'zero'));
    const errors = [
      forkSync(['pick', hostile, '--onto', 'x', '--upstream', tiny.upstream, '--fork', tiny.fork]),
      forkSync(['pick', sha, '--onto', 'x', '--upstream', folder, '--fork', folder]),
      forkSync(['rules', 'check', '--rules', tiny.rules]),
      forkSync(['replay', '--pairs', join(folder, 'pairs'), ...repositories]),
      forkSync(['replay', '--pairs', join(folder, 'zero'), ...repositories]),
      forkSync(['nightly', '--config', join(folder, 'none.yaml')]),
      forkSync(['scan', '--state', hostile, ...repositories]),
      forkSync([hostile]),
    ];

    for (const { stdout, stderr, status } of errors) {
      expect([1, 2]).toContain(status);
      expect(stdout + stderr).not.toMatch(raw);
      expect(stderr).toMatch(/\\u\{?(?:1b|001b)|pair/);
    }
  });

  it('in subjects, as a table and as JSON, which says the same', () => {
    const subject = 'doc: \u001b[2J\u009b31m\u202ex';
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        {
          name: 'one',
          from: 'base',
          time: 3000,
          message: `${subject}\n\nSigned-off-by: A <a@b>\n`,
          files: { 'doc/a.md': 'A\n' },
        },
      ],
    });
    const common = [...repositoriesOf(tiny), '--onto', 'rename', '--branch', 'main=one'];

    const table = forkSync(['scan', ...common]).stdout;
    const json = forkSync(['scan', '--json', ...common]).stdout;

    expect(table + json).not.toMatch(raw);
    expect(JSON.parse(json).commits[0].subject).toBe(subject);
  });
});
