import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closedLicence, makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { forkSync, repositoriesOf } from '../fork-sync.ts';

const root = join(import.meta.dirname, '..', '..', '..');

describe('fork-sync', () => {
  it('lists its commands', () => {
    const help = forkSync(['--help']).stdout;
    for (const command of ['pick', 'replay', 'rules', 'drift', 'checkout', 'continue'])
      expect(help).toContain(command);
  });

  it('says its version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(forkSync(['--version']).stdout).toBe(`${version}\n`);
  });

  it.each([
    { args: ['scan'], starts: 1 },
    { args: ['--no-color', 'status'], starts: 1 },
    { args: ['--no-color', 'pick'], starts: 2 },
  ])('begins again with less memory only where it picks: $args', ({ args, starts }) => {
    const env = { ...process.env, NODE_OPTIONS: '--import=data:text/javascript,console.log(`started`)' };
    const { stdout } = forkSync(args, { env });
    expect(stdout).toBe('started\n'.repeat(starts));
  });

  it('answers wrong usage with 2 and what to do', () => {
    const unknown = forkSync(['pikc']);
    const bare = forkSync(['pick', 'abc']);
    expect([unknown.status, bare.status]).toEqual([2, 2]);
    expect(bare.stderr).toContain('Give --upstream REPOSITORY and --fork REPOSITORY.');
  });

  it('blocks a barred commit alone where none of the branches of the pack is there', () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        { name: 'barred', from: 'base', time: 2100, files: { COPYING: closedLicence } },
        { name: 'free', from: 'base', time: 2200, files: { 'README.md': 'Quartz!\n' } },
      ],
    });
    const input = ['barred', 'free'].map((name) => `${tiny.sha(name)}\t${tiny.sha('rename')}\n`).join('');
    const common = repositoriesOf(tiny);

    const run = forkSync(['pick', '--stdin', '--json', ...common], { input });

    const lines = run.stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).status)).toEqual(['blocked', 'clean']);
    expect(run.status).toBe(3);
  });

  it('picks pairs from standard input, one line of JSON each and in order', () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        { name: 'one', from: 'base', time: 2100, files: { 'README.md': 'Quartz\nsch\u00f6n\n' } },
        { name: 'two', from: 'base', time: 2200, files: { 'sch\u00f6n.txt': 'x\n' } },
      ],
    });
    const repositories = [
      '--upstream',
      tiny.upstream,
      '--fork',
      tiny.fork,
      '--cache',
      tiny.cache,
      '--rules',
      tiny.rules,
    ];
    const input = `${tiny.sha('two')}\trename\none\t${tiny.sha('rename')}\n${'3'.repeat(40)}\trename\n`;
    const done = forkSync(['pick', '--stdin', '--json', ...repositories], { input });
    const lines = done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => line.status)).toEqual(['clean', 'clean', 'blocked']);
    expect(lines[0].files).toEqual([{ path: 'sch\u00f6n.txt', from: 'sch\u00f6n.txt', how: 'added' }]);
    expect(lines[2]).toMatchObject({
      tree: null,
      commit: null,
      reasons: [`object missing ${'3'.repeat(40)}`],
    });
    expect(Object.keys(lines[1])).toEqual([
      'upstream',
      'onto',
      'status',
      'tree',
      'commit',
      'files',
      'doubts',
      'conflicts',
      'reasons',
    ]);
    expect(done.status).toBe(3);
  });

  it('refuses what is no repository, no commit and no pack, and what tries to be an option', () => {
    const tiny = makeTinyFork(temporaryFolder());
    const common = ['--fork', tiny.fork, '--cache', tiny.cache, '--rules', tiny.rules, '--onto', 'rename'];
    const none = forkSync(['pick', tiny.sha('base'), '--upstream', '/nonexistent', ...common]);
    const unknown = forkSync(['pick', 'nobody', '--upstream', tiny.upstream, ...common]);
    const option = forkSync(['pick', '--upstream', tiny.upstream, ...common, '--', '--upload-pack=touch x']);
    writeFileSync(join(tiny.rules, 'skip.yaml'), 'skipp: []\n');
    const pack = forkSync(['pick', tiny.sha('base'), '--upstream', tiny.upstream, ...common]);
    expect(none.stderr).toContain('This is not a git repository');
    expect(unknown.stderr).toContain('No commit is called nobody');
    expect(option.status).toBe(2);
    expect(pack.stderr).toContain('did you mean skip?');
    expect([none.status, unknown.status, pack.status]).toEqual([1, 1, 1]);
  });

  it('says before the work that a page cannot be written', () => {
    const tiny = makeTinyFork(temporaryFolder());
    const common = ['--upstream', tiny.upstream, '--fork', tiny.fork, '--rules', tiny.rules];

    const done = forkSync([
      'report',
      join(tiny.rules, 'none', 'page.html'),
      ...common,
      '--cache',
      tiny.cache,
    ]);

    expect(done.status).toBe(1);
    expect(done.stderr).toContain('its folder is not there (ENOENT)');
    expect(done.stderr).not.toContain('    at ');
    expect(existsSync(tiny.cache)).toBe(false);
  });

  it('checks, tests and explains the pack that comes with it', () => {
    const check = forkSync(['rules', 'check']);
    const explain = forkSync(['rules', 'explain', 'run lxc list on LXD']);
    expect(check).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing wrong') });
    expect(explain.stdout).toContain('run incus list on Incus');
    expect(explain.stdout).toMatch(/client-command: characters 5-7 \(lxc\) become incus/);
    expect(forkSync(['rules', 'test']).status).toBe(0);
  });
});
