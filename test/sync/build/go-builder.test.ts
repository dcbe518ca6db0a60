import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { addCommits, writeHistory } from '../../../fixtures/histories/write-history.ts';
import { buildBranch } from '../../../src/sync/build/broken-picks.ts';
import { type GoBuilder, openGoBuilder } from '../../../src/sync/build/go-builder.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const hasGo = spawnSync('go', ['version']).status === 0;

const make = (parameters: string): string =>
  `package tool\n\n// Make makes it.\nfunc Make(${parameters}) string {\n\treturn name\n}\n`;
const use = (call: string): string =>
  `package main\n\nimport "example.org/onyx/tool"\n\nfunc main() {\n\tprintln(tool.Make(${call}))\n}\n`;
const base = {
  'go.mod': 'module example.org/onyx\n\ngo 1.20\n',
  'tool/make.go': make('name string'),
  'cmd/main.go': use('"a"'),
  'other/broken.go': 'package other\n\nvar broken = missing\n',
  'far/far.go': 'package far\n\nimport "example.net/nowhere/far"\n\nvar Far = far.Far\n',
};

async function open(): Promise<{
  readonly gitDir: string;
  readonly builder: GoBuilder;
  readonly commit: (name: string) => string;
}> {
  const gitDir = join(temporaryFolder(), 'repo.git');
  const first = writeHistory(gitDir, [{ name: 'base', time: 1000, files: base }]);
  const all = addCommits(
    gitDir,
    [
      { name: 'half', from: 'base', time: 1100, files: { 'tool/make.go': make('name, kind string') } },
      { name: 'rest', from: 'half', time: 1200, files: { 'cmd/main.go': use('"a", "b"') } },
      {
        name: 'wrong',
        from: 'rest',
        time: 1300,
        files: {
          'tool/more.go': 'package tool\n\nvar more = nothing\n',
          'other/more.go': 'package other\n',
          'far/more.go': 'package far\n',
        },
      },
    ],
    first,
  );
  const builder = await openGoBuilder({ gitDir, timeoutMs: 120_000, environment: [] });
  if (builder === undefined) throw new Error('Go is not installed');
  onTestFinished(() => builder.close());
  return { gitDir, builder, commit: (name) => all.get(name) ?? first.get(name) ?? '' };
}

it('is not there where Go is not installed', async () => {
  vi.stubEnv('PATH', temporaryFolder());
  onTestFinished(() => void vi.unstubAllEnvs());

  expect(await openGoBuilder({ gitDir: '/nowhere', timeoutMs: 60_000, environment: [] })).toBeUndefined();
});

describe.skipIf(!hasGo)('building what picks touched', { timeout: 240_000 }, () => {
  it('names the pick since which a package does not build, and not what was broken or is out of reach', async () => {
    const { builder, commit } = await open();
    const pick = (name: string, ...paths: readonly string[]) => ({
      upstream: name,
      commit: commit(name),
      files: paths.map((path) => ({ path })),
    });
    const half = pick('half', 'tool/make.go');
    const rest = pick('rest', 'cmd/main.go');
    const wrong = pick('wrong', 'tool/more.go', 'other/more.go', 'far/more.go');

    const finished = await buildBranch(builder, commit('base'), [half, rest]);
    const unfinished = await buildBranch(builder, commit('base'), [half]);
    const broken = await buildBranch(builder, commit('base'), [half, rest, wrong]);

    expect(finished).toEqual({ packages: 2, unknown: 0, why: undefined, broken: [] });
    expect(unfinished.broken).toEqual([
      {
        upstream: 'half',
        folder: 'cmd',
        why: expect.stringContaining('not enough arguments in call to tool.Make'),
      },
    ]);
    // One whose module is not here, and one that needs what does not build.
    expect(broken).toMatchObject({ unknown: 2, why: expect.stringContaining('example.net/nowhere/far') });
    expect(broken.broken).toEqual([
      { upstream: 'wrong', folder: 'tool', why: expect.stringContaining('undefined: nothing') },
    ]);
  });

  it('builds a package that no program imports, beside one that is imported', async () => {
    const { gitDir, builder } = await open();
    const files = { 'lonely/lonely.go': 'package lonely\n\nvar lonely = nothing\n' };
    const known = addCommits(
      gitDir,
      [{ name: 'lonely', time: 1400, files: { ...base, ...files } }],
      new Map(),
    );

    const alone = await builder.build(known.get('lonely') ?? '', ['lonely']);
    const beside = await builder.build(known.get('lonely') ?? '', ['lonely', 'cmd']);

    for (const { failed, unknown } of [alone, beside]) {
      expect([...unknown]).toEqual([]);
      expect([...failed]).toEqual([['lonely', expect.stringContaining('undefined: nothing')]]);
    }
  });

  it('knows nothing of a package that needs one which does not build', async () => {
    const { gitDir, builder } = await open();
    const bad = { 'tool/make.go': `${make('name string')}\nvar wrong = nothing\n` };
    const known = addCommits(gitDir, [
      { name: 'base', time: 1000, files: base },
      { name: 'bad', from: 'base', time: 1400, files: bad },
      // Its caller is broken too, which nobody can see before the package is mended.
      { name: 'caller', from: 'bad', time: 1500, files: { 'cmd/main.go': use('1, 2, 3') } },
      { name: 'mended', from: 'caller', time: 1600, files: { 'tool/make.go': make('name string') } },
    ]);
    const commit = (name: string): string => known.get(name) ?? '';
    const pick = (name: string, path: string) => ({
      upstream: name,
      commit: commit(name),
      files: [{ path }],
    });

    const alone = await builder.build(commit('bad'), ['tool']);
    const after = await buildBranch(builder, commit('caller'), [pick('mended', 'tool/make.go')]);

    expect([...alone.failed]).toEqual([['tool', expect.stringContaining('undefined: nothing')]]);
    expect([...alone.unknown]).toEqual([['cmd', 'it needs example.org/onyx/tool, which does not build']]);
    // Nobody knows since when.
    expect(after.broken).toEqual([]);
  });

  it('looks at what imported a package that is gone', async () => {
    const { gitDir, builder } = await open();
    const known = addCommits(gitDir, [
      { name: 'base', time: 1000, files: base },
      { name: 'gone', from: 'base', time: 1400, files: { 'tool/make.go': null } },
    ]);
    const gone = known.get('gone') ?? '';

    const { broken } = await buildBranch(builder, known.get('base') ?? '', [
      { upstream: 'gone', commit: gone, files: [{ path: 'tool/make.go' }] },
    ]);

    expect(broken).toEqual([{ upstream: 'gone', folder: 'cmd', why: expect.stringContaining('tool') }]);
  });

  it.each([
    ['fails', 'no module at all\n', { failed: expect.stringContaining('go.mod') }],
    [
      'is unknown',
      'module example.org/onyx\n\ngo 99.1\n',
      { unknown: expect.stringContaining('requires go >= 99.1') },
    ],
    ['is unknown', undefined, { unknown: expect.stringContaining('does not contain main module') }],
  ])('%s where Go cannot list the packages for their go.mod: %j', async (_, goMod, expected) => {
    const { gitDir, builder } = await open();
    const { 'go.mod': _module, ...others } = base;
    const files = goMod === undefined ? others : { ...base, 'go.mod': goMod };
    const known = addCommits(gitDir, [{ name: 'module', time: 1400, files }]);

    const { packages, failed, unknown } = await builder.build(known.get('module') ?? '', ['tool', 'cmd']);

    expect(packages).toEqual(['tool', 'cmd']);
    for (const folder of packages)
      expect({ failed: failed.get(folder), unknown: unknown.get(folder) }).toEqual(expected);
  });

  it.each([
    {
      what: 'has C include',
      of: (secret: string) => `package tool\n\n// #include "${secret}"\nimport "C"\n\nvar size C.int\n`,
    },
    { what: 'links to', of: (content: string) => ({ mode: '120000' as const, content }) },
  ])('shows nothing of a file of this machine that a commit $what', async ({ of }) => {
    const { gitDir, builder } = await open();
    const secret = join(temporaryFolder(), 'netrc');
    writeFileSync(secret, 'machine password-of-mine\n');
    const files = { ...base, 'tool/more.go': of(secret) };
    const known = addCommits(gitDir, [{ name: 'hostile', time: 1500, files }]);

    const { packages, failed, unknown } = await builder.build(known.get('hostile') ?? '', ['tool']);

    expect(packages).toContain('tool');
    expect([...failed.values(), ...unknown.values()].join('\n')).not.toMatch(/machine|password-of-mine/);
  });

  it.each([
    ['as it is usually written', (path: string) => `#include "${path}"\n`],
    ['behind a comment', (path: string) => `/* x */ #include "${path}"\n`],
    ['with a comment within, over two lines', (path: string) => `# /* x\n*/ include "${path}"\n`],
  ])('shows nothing of a file that assembler of a commit includes %s', async (_, of) => {
    const { gitDir, builder } = await open();
    const secret = join(temporaryFolder(), 'netrc');
    writeFileSync(secret, 'machine password-of-mine\n');
    const macros = '#define machine TEXT\n#define login TEXT\n';
    const files = {
      ...base,
      'tool/more.go': 'package tool\n\nfunc more()\n',
      'tool/more.s': `${macros}#include "own.h"\n`,
      'tool/own.h': of(secret),
    };
    const known = addCommits(gitDir, [{ name: 'hostile', time: 1500, files }]);

    const { failed, unknown } = await builder.build(known.get('hostile') ?? '', ['tool']);

    expect([...failed.values(), ...unknown.values()].join('\n')).not.toMatch(/machine|password-of-mine/);
    expect(unknown.get('tool')).toContain('own.h');
    expect(unknown.get('cmd')).toContain('own.h');
  });

  it('builds assembler that includes what Go and the folder have', async () => {
    const { gitDir, builder } = await open();
    const files = {
      ...base,
      'tool/more.go': 'package tool\n\nfunc more()\n',
      'tool/more.s':
        '// include nothing else\n#include "textflag.h"\n#include "own.h"\nTEXT ·more(SB), NOSPLIT, $0\n\tRET\n',
      'tool/own.h': '#define MINE 1\n',
    };
    const known = addCommits(gitDir, [{ name: 'assembler', time: 1500, files }]);

    const { failed, unknown } = await builder.build(known.get('assembler') ?? '', ['tool']);

    expect([...failed, ...unknown]).toEqual([]);
  });

  it('builds where the folder for temporary files is a link, and has all that Go writes in its own', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    // A Go that tells where it would put its own temporary files, and then is Go.
    const told = join(folder, 'told');
    const go = execFileSync('which', ['go'], { encoding: 'utf8' }).trim();
    mkdirSync(join(folder, 'bin'));
    const script = `#!/bin/sh\n[ "$1" = env ] || echo "$GOTMPDIR" >>"${told}"\nexec "${go}" "$@"\n`;
    writeFileSync(join(folder, 'bin', 'go'), script, { mode: 0o755 });
    vi.stubEnv('TMPDIR', join(folder, 'link'));
    vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env['PATH']}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { builder, commit } = await open();

    const { packages } = await builder.build(commit('base'), ['tool']);

    expect(packages).toEqual(['cmd', 'tool']);
    const [place, ...others] = new Set(readFileSync(told, 'utf8').trim().split('\n'));
    expect(others).toEqual([]);
    expect(place).toMatch(/\/real\/fork-sync-build-\w+\/tmp$/);
  });

  it('builds where Go has no home of its own', async () => {
    for (const name of ['HOME', 'GOPATH', 'GOCACHE', 'GOMODCACHE', 'XDG_CACHE_HOME'])
      vi.stubEnv(name, undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { builder, commit } = await open();

    const { packages, failed, unknown } = await builder.build(commit('base'), ['tool']);

    expect(packages).toEqual(['cmd', 'tool']);
    expect([...failed, ...unknown]).toEqual([]);
  });

  it('leaves the repository and the folder for temporary files as they were', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('fork-sync-build-'));
    const { gitDir, builder, commit } = await open();
    const state = () =>
      execFileSync('git', [`--git-dir=${gitDir}`, 'for-each-ref'], { encoding: 'utf8' }) +
      readdirSync(gitDir, { recursive: true }).toSorted().join('\n');
    const one = state();

    await builder.build(commit('half'), ['tool']);
    builder.close();

    expect(state()).toBe(one);
    const left = readdirSync(tmpdir()).filter((name) => name.startsWith('fork-sync-build-'));
    expect(left.filter((name) => !before.includes(name))).toEqual([]);
  });
});
