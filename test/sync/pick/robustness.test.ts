import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import Database from 'better-sqlite3';
import { describe, expect, it, vi } from 'vitest';
import { makeTinyFork, type TinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { addCommits, commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { resolveCommit, resolveCommits } from '../../../src/sync/git/resolve-commit.ts';
import { isGoFile, isLesson, isPick, isText } from '../../../src/sync/pick/cached-values.ts';
import { type EngineOptions, openEngine } from '../../../src/sync/pick/open-engine.ts';
import type { PickResult } from '../../../src/sync/pick/pick-result.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const child = (name: string, files: FixtureCommit['files'], from = 'base'): FixtureCommit =>
  commit(name, from, 3000, files);

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' });

/** Picks each of the named commits onto `rename`, in one run. */
async function pickEach(
  tiny: TinyFork,
  names: readonly string[],
  options: Partial<EngineOptions> = {},
): Promise<readonly PickResult[]> {
  const pack = loadPack(tiny.rules);
  const engine = await openEngine({ ...tiny, pack, program: 'engine.ts', ...options });
  const requests = names.map((name) => ({ upstream: tiny.sha(name), onto: tiny.sha('rename') }));
  const results: PickResult[] = [];
  try {
    for await (const { result } of engine.pick(requests, { keep: true })) results.push(result);
    return results;
  } finally {
    await engine.close();
  }
}

/** What a picked commit changed, as git lists it. */
function changesOf(tiny: TinyFork, result: PickResult | undefined): readonly string[] {
  const [scratch = ''] = readdirSync(tiny.cache).filter((name) => name.endsWith('.git'));
  const listed = git(
    `--git-dir=${join(tiny.cache, scratch)}`,
    ...['diff-tree', '-r', '-z', '--no-renames', result?.onto ?? '', result?.commit ?? ''],
  );
  const fields = listed.split('\0').slice(0, -1);
  // Entry and path take turns; a path may look like an entry.
  return fields.flatMap((field, index) => {
    const [before = '', after = ''] = field.slice(1).split(' ');
    return index % 2 === 0 ? [`${before} ${after} ${fields[index + 1]}`] : [];
  });
}

function objectPath(gitDir: string, sha: string): string {
  return join(gitDir, 'objects', sha.slice(0, 2), sha.slice(2));
}

describe('repositories', () => {
  it('with SHA-256 names are refused by name', async () => {
    const folder = temporaryFolder();
    const tiny = makeTinyFork(join(folder, 'tiny'));
    git('init', '--quiet', '--object-format=sha256', join(folder, 'new'));
    await expect(pickEach(tiny, [], { upstream: join(folder, 'new') })).rejects.toMatchObject({
      problem: { code: 'object-names', format: 'sha256' },
    });
  });

  it('whose paths hold what an alternates file would take for its own are read all the same', async () => {
    const folder = join(temporaryFolder(), 'a "quoted"\n#folder');
    const tiny = makeTinyFork(folder, { upstream: [child('change', { 'README.md': 'Quartz\nMore\n' })] });
    const [result] = await pickEach(tiny, ['change']);
    expect(result?.status).toBe('clean');
  });

  it('that lack an object block the picks that need it, and no others', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        child('lacking', { 'README.md': 'Quartz\nlost\n' }),
        child('whole', { 'README.md': 'Quartz\nkept\n' }),
      ],
    });
    const lost = git(`--git-dir=${tiny.upstream}`, 'rev-parse', 'lacking:README.md').trim();
    rmSync(objectPath(tiny.upstream, lost));
    const results = await pickEach(tiny, ['lacking', 'whole']);
    expect(results).toMatchObject([
      { status: 'blocked', commit: undefined, reasons: [`object missing ${lost}`] },
      { status: 'clean' },
    ]);
  });

  it("that are partial clones are not filled behind anybody's back", async () => {
    // Arrange
    const folder = temporaryFolder();
    const tiny = makeTinyFork(join(folder, 'tiny'), {
      upstream: [
        child('change', { 'README.md': 'Quartz\nMore\n' }),
        child('link', { alias: { mode: '120000', content: 'x' } }),
      ],
    });
    git(`--git-dir=${tiny.upstream}`, 'config', 'uploadpack.allowFilter', 'true');
    const partial = join(folder, 'partial.git');
    git('clone', '--quiet', '--bare', '--filter=blob:none', `file://${tiny.upstream}`, partial);
    const held = git(`--git-dir=${partial}`, 'count-objects', '-v');
    // Act
    const [result] = await pickEach(tiny, ['change'], { upstream: partial });
    // Assert
    expect(result).toMatchObject({
      status: 'blocked',
      reasons: [expect.stringMatching(/^object missing [0-9a-f]{40}$/)],
    });
    expect(git(`--git-dir=${partial}`, 'count-objects', '-v')).toBe(held);
  });

  it('that hold a damaged object block the picks that need it', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [child('change', { 'README.md': 'Quartz\nMore\n' })],
    });
    const blob = git(`--git-dir=${tiny.upstream}`, 'rev-parse', 'change:README.md').trim();
    rmSync(objectPath(tiny.upstream, blob), { force: true });
    writeFileSync(objectPath(tiny.upstream, blob), 'no object at all');
    expect(await pickEach(tiny, ['change'])).toMatchObject([
      { status: 'blocked', reasons: [`object missing ${blob}`] },
    ]);
  });
});

describe('names of commits', () => {
  it('are resolved together, full shas untouched', async () => {
    const tiny = makeTinyFork(temporaryFolder());
    const missing = '5'.repeat(40);
    const short = tiny.sha('base').slice(0, 8);
    expect(await resolveCommits(tiny.upstream, ['base', missing, short, 'base'])).toEqual([
      tiny.sha('base'),
      missing,
      tiny.sha('base'),
      tiny.sha('base'),
    ]);
  });

  it('that fit several commits are answered with all of them', async () => {
    const tiny = makeTinyFork(temporaryFolder());
    const many = Array.from({ length: 700 }, (_, index) => child(`c${index}`, { n: `${index}\n` }));
    const shas = [...addCommits(tiny.upstream, many, new Map([['base', tiny.sha('base')]])).values()];
    const short = shas.map((sha) => sha.slice(0, 4)).find((one, index, all) => all.indexOf(one) !== index);
    if (short === undefined) throw new Error('no two of the commits begin alike');
    await expect(resolveCommit(tiny.upstream, short)).rejects.toMatchObject({
      problem: {
        code: 'ambiguous-commit',
        candidates: expect.arrayContaining(shas.filter((sha) => sha.startsWith(short))),
      },
    });
  });

  it.each(['--upload-pack=touch x', '-c', '', 'a\nb', 'x\0y'])(
    'like %j are refused before git sees them',
    async (name) => {
      const tiny = makeTinyFork(temporaryFolder());
      await expect(resolveCommit(tiny.upstream, name)).rejects.toMatchObject({ problem: { code: 'usage' } });
    },
  );

  it.each(['--upload-pack=touch x', 'ext::sh -c false', '/nonexistent'])(
    'are not looked up in %j',
    async (repository) => {
      await expect(resolveCommit(repository, 'main')).rejects.toMatchObject({
        problem: { code: 'not-a-repository' },
      });
    },
  );
});

describe('files', () => {
  it('have any name that git allows', async () => {
    const names = [
      '-rf',
      'new\nline.txt',
      '"quoted"',
      'tab\t.txt',
      'sch\u00f6n \ud83d\ude00',
      ':(glob)*',
      ' ',
    ];
    const files = Object.fromEntries(names.map((name) => [name, 'Quartz\n']));
    const changed = Object.fromEntries(names.map((name) => [name, 'Quartz\nMore\n']));
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [child('made', files), child('changed', changed, 'made')],
    });
    const [made] = await pickEach(tiny, ['made']);
    expect(changesOf(tiny, made).toSorted()).toEqual(names.map((name) => `000000 100644 ${name}`).toSorted());
  });

  it('change their kind: mode, link, folder', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        child('mode', { 'README.md': { mode: '100755', content: 'Quartz\n' } }),
        child('link', { 'po/de.po': null, 'go.mod': { mode: '120000', content: 'README.md' } }),
        child('folder', { 'README.md': null, 'README.md/inner.txt': 'x\n' }),
      ],
    });
    const [mode, link, folder] = await pickEach(tiny, ['mode', 'link', 'folder']);
    expect(changesOf(tiny, mode)).toEqual(['100644 100755 README.md']);
    // The fork's go.mod is another one: a link in its place is nothing to decide alone.
    expect(link).toMatchObject({ status: 'conflict', conflicts: [{ path: 'go.mod' }] });
    expect(changesOf(tiny, folder)).toEqual(['100644 000000 README.md', '000000 100644 README.md/inner.txt']);
  });

  it('that upstream renamed and changed are renamed and changed', async () => {
    const long = Array.from({ length: 20 }, (_, index) => `line ${index} of Quartz\n`).join('');
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        child('long', { 'quartz/long.txt': long }),
        child('moved', { 'quartz/long.txt': null, 'quartz/longer.txt': `${long}end\n` }, 'long'),
      ],
      fork: [
        {
          name: 'has',
          from: 'rename',
          time: 3100,
          authorTime: 3000,
          files: { 'internal/long.txt': long.replaceAll('Quartz', 'Onyx') },
        },
      ],
    });
    const pack = loadPack(tiny.rules);
    const engine = await openEngine({ ...tiny, pack, program: 'engine.ts' });
    try {
      for await (const { result } of engine.pick([{ upstream: tiny.sha('moved'), onto: tiny.sha('has') }], {
        keep: true,
      })) {
        expect(changesOf(tiny, result)).toEqual([
          '100644 000000 internal/long.txt',
          '000000 100644 internal/longer.txt',
        ]);
        const text = git(`--git-dir=${engine.gitDir}`, 'show', `${result.commit}:internal/longer.txt`);
        expect(text).toBe(`${long.replaceAll('Quartz', 'Onyx')}end\n`);
      }
    } finally {
      await engine.close();
    }
  });
});

describe('the cache', () => {
  const withProgram = (tiny: TinyFork): Partial<EngineOptions> => {
    const program = join(tiny.cache, '..', 'program.js');
    writeFileSync(program, 'version 1');
    return { program };
  };
  const scene = (): TinyFork =>
    makeTinyFork(temporaryFolder(), { upstream: [child('change', { 'README.md': 'Quartz\nMore\n' })] });
  const fileOf = (tiny: TinyFork): string => {
    const [scratch = ''] = readdirSync(tiny.cache).filter((name) => name.endsWith('.git'));
    return join(tiny.cache, scratch, 'cache.sqlite');
  };
  const fresh = async (tiny: TinyFork): Promise<readonly PickResult[]> =>
    pickEach(tiny, ['change'], { cache: join(tiny.cache, '..', 'another-cache') });

  it.each([
    ['is no database', (path: string) => writeFileSync(path, 'garbage '.repeat(2000))],
    ['is cut off', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 5000))],
  ])('that %s is made anew, with a note', async (_, damage) => {
    const tiny = scene();
    const options = withProgram(tiny);
    await pickEach(tiny, ['change'], options);
    damage(fileOf(tiny));
    const notes: string[] = [];
    const again = await pickEach(tiny, ['change'], { ...options, note: (text) => notes.push(text) });
    expect(again).toEqual(await fresh(tiny));
    expect(notes.join()).toMatch(/damaged and is made anew|not used any further/);
    expect((await pickEach(tiny, ['change'], options))[0]?.commit).toBe(again[0]?.commit);
  });

  it('that belongs to another program is refused and left alone', async () => {
    const tiny = scene();
    const options = withProgram(tiny);
    await pickEach(tiny, ['change'], options);
    rmSync(fileOf(tiny));
    const other = new Database(fileOf(tiny));
    other.exec("CREATE TABLE letters (text TEXT); INSERT INTO letters VALUES ('dear')");
    other.close();
    const before = readFileSync(fileOf(tiny));
    await expect(pickEach(tiny, ['change'], options)).rejects.toMatchObject({
      problem: { code: 'cache-unusable' },
    });
    expect(readFileSync(fileOf(tiny))).toEqual(before);
  });

  it('holds what is of the form that is asked for', async () => {
    const tiny = scene();
    await pickEach(tiny, ['change'], withProgram(tiny));
    const forms: Readonly<Record<string, (value: unknown) => boolean>> = {
      pick: isPick,
      lesson: isLesson,
      moves: isText,
      'go-file': isGoFile,
    };
    const database = new Database(fileOf(tiny), { readonly: true });
    const entries = database
      .prepare<[], { kind: string; value: Buffer }>('SELECT kind, value FROM entries')
      .all();
    database.close();

    expect(entries.map(({ kind }) => kind)).toContain('pick');
    for (const { kind, value } of entries)
      expect([kind, forms[kind]?.(deserialize(value))]).toEqual([kind, true]);
  });

  it('never answers with an entry that changed under it', async () => {
    const tiny = scene();
    const options = withProgram(tiny);
    await pickEach(tiny, ['change'], options);
    const database = new Database(fileOf(tiny));
    const entries = database
      .prepare<[], { rowid: number; value: Buffer }>('SELECT rowid, value FROM entries')
      .all();
    for (const { rowid, value } of entries) {
      const last = value.length - 1;
      value[last] = (value[last] ?? 0) ^ 1;
      database.prepare('UPDATE entries SET value = ? WHERE rowid = ?').run(value, rowid);
    }
    database.close();
    expect(entries.length).toBeGreaterThan(0);
    expect(await pickEach(tiny, ['change'], options)).toEqual(await fresh(tiny));
  });

  it('does not answer for another engine or other rules', async () => {
    const tiny = scene();
    const options = withProgram(tiny);
    await pickEach(tiny, ['change'], options);
    const text = readFileSync(join(tiny.rules, 'text.yaml'), 'utf8');
    writeFileSync(join(tiny.rules, 'text.yaml'), text.replace(/to: Onyx$/m, 'to: Onyks'));
    const other = await pickEach(tiny, ['change'], options);
    expect(other).toEqual(await fresh(tiny));
    writeFileSync(join(tiny.cache, '..', 'program.js'), 'version 2');
    await pickEach(tiny, ['change'], options);
    const database = new Database(fileOf(tiny), { readonly: true });
    const engines = database.prepare('SELECT count(DISTINCT engine) FROM makers').pluck().get();
    database.close();
    expect(engines).toBe(1);
  });

  it('serves several at once', async () => {
    const tiny = scene();
    const options = withProgram(tiny);
    const results = await Promise.all(Array.from({ length: 4 }, () => pickEach(tiny, ['change'], options)));
    const expected = await fresh(tiny);
    for (const result of results) expect(result).toEqual(expected);
    expect(readdirSync(tiny.cache).filter((name) => !name.endsWith('.git'))).toEqual([]);
  });

  it('can lose any of its files between two runs', async () => {
    const tiny = scene();
    const options = withProgram(tiny);
    const [first] = await pickEach(tiny, ['change'], options);
    const scratch = join(fileOf(tiny), '..');
    rmSync(join(scratch, 'HEAD'));
    expect((await pickEach(tiny, ['change'], options))[0]?.commit).toBe(first?.commit);
    rmSync(join(scratch, 'objects'), { recursive: true });
    expect((await pickEach(tiny, ['change'], options))[0]?.commit).toBe(first?.commit);
  });
});

describe('an interruption', () => {
  it('ends after the pick under way: what was printed is kept, and the same command goes on', async () => {
    // Arrange
    const commits = Array.from({ length: 300 }, (_, index) =>
      child(`c${index}`, { 'README.md': `Quartz\n${index}\n` }),
    );
    const tiny = makeTinyFork(temporaryFolder(), { upstream: commits });
    const main = join(import.meta.dirname, '..', '..', '..', 'src', 'sync', 'cli', 'main.ts');
    const picking = spawn(process.execPath, [
      main,
      ...['pick', '--stdin', '--json', '--threads', '1', '--rules', tiny.rules],
      ...['--upstream', tiny.upstream, '--fork', tiny.fork, '--cache', tiny.cache],
    ]);
    let stdout = '';
    let stderr = '';
    picking.stdout.on('data', (chunk: Buffer) => {
      if (stdout === '') picking.kill('SIGINT');
      stdout += chunk.toString();
    });
    picking.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    // Act
    picking.stdin.end(commits.map(({ name }) => `${tiny.sha(name)}\t${tiny.sha('rename')}\n`).join(''));
    const code = await new Promise((resolve) => picking.on('close', resolve));
    // Assert
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(5);
    expect(stderr).toContain(`Interrupted after ${lines.length} of 300 picks`);
    expect(lines.map((line) => line.upstream)).toEqual(
      commits.slice(0, lines.length).map(({ name }) => tiny.sha(name)),
    );
    const [scratch = ''] = readdirSync(tiny.cache).filter((name) => name.endsWith('.git'));
    for (const { commit } of lines)
      expect(git(`--git-dir=${join(tiny.cache, scratch)}`, 'cat-file', '-t', commit)).toBe('commit\n');
    expect(statSync(join(tiny.cache, scratch, 'refs', 'picks')).isDirectory()).toBe(true);
  });

  it('waits for no pick that does not end', async () => {
    // Arrange: a git that takes every question for objects and answers none.
    const tiny = makeTinyFork(temporaryFolder(), { upstream: [child('c', { 'README.md': 'Quartz\n1\n' })] });
    const bin = temporaryFolder();
    const asked = join(bin, 'asked');
    const real = process.env['PATH'] ?? '';
    writeFileSync(
      join(bin, 'git'),
      `#!/bin/sh\ncase "$*" in *--batch-command*) touch '${asked}'; exec cat >/dev/null;; esac\nPATH='${real}'\nexec git "$@"\n`,
      { mode: 0o755 },
    );
    const main = join(import.meta.dirname, '..', '..', '..', 'src', 'sync', 'cli', 'main.ts');
    const picking = spawn(
      process.execPath,
      [
        main,
        ...['pick', tiny.sha('c'), '--onto', tiny.sha('rename'), '--json', '--rules', tiny.rules],
        ...['--upstream', tiny.upstream, '--fork', tiny.fork, '--cache', tiny.cache],
      ],
      { env: { ...process.env, PATH: `${bin}:${real}` } },
    );
    let stderr = '';
    picking.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    await vi.waitFor(() => expect(existsSync(asked)).toBe(true), { timeout: 60_000 });
    // Act
    picking.kill('SIGTERM');
    const code = await new Promise((resolve) => picking.on('close', resolve));
    // Assert
    expect(code).toBe(5);
    expect(stderr).toContain('Interrupted after 0 of 1 picks');
  });
});
