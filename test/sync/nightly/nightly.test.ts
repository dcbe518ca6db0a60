import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { closedLicence, makeTinyFork, type TinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import type { FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { loadConfig } from '../../../src/sync/nightly/load-config.ts';
import { takeLock } from '../../../src/sync/nightly/lock.ts';
import { type Night, runNight } from '../../../src/sync/nightly/run-night.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import type { StandIn, StandInOptions } from '../../fakes/github/github-stand-in.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { startForTest } from '../publish/on-github.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const branch = 'sync/quartz';
/** Stands only in commits that the licence bars. */
const secretOfBlocked = 'xylophone-4711';

const upstream: readonly FixtureCommit[] = [
  {
    name: 'restart',
    from: 'base',
    time: 3000,
    message: 'scripts: Restart as well\n\nFixes #7\n\nSigned-off-by: Ann Author <ann@example.org>\n',
    files: { 'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\nqz restart\n' },
  },
  {
    name: 'hostile',
    from: 'restart',
    time: 3100,
    message: '@everyone closes #1 | <img src=x> `\u001b[31m\n\nSigned-off-by: Ann Author <ann@example.org>\n',
    files: { 'README.md': 'Quartz, a gem\n' },
  },
  {
    name: 'blocked',
    from: 'hostile',
    time: 3200,
    message: `Relicense\n\n${secretOfBlocked}\n\nSigned-off-by: Ann Author <ann@example.org>\n`,
    files: { COPYING: closedLicence, 'closed.txt': `${secretOfBlocked}\n` },
  },
];

interface Scene {
  readonly tiny: TinyFork;
  readonly github: StandIn;
  readonly onyx: string;
  readonly folder: string;
  readonly config: string;
  configure(change: (config: Record<string, Record<string, unknown>>) => void): void;
  /** The whole program, as a process of its own. */
  run(args?: readonly string[], more?: RunOptions): Promise<Done>;
  /** The same night within this process. */
  night(options?: { readonly publish?: boolean; readonly token?: string }): Promise<Night>;
}

interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Called now and then while the program runs. */
  readonly watch?: () => void;
  readonly onErrorText?: (text: string, pid: number) => void;
}

interface Done {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function scene(options: Partial<StandInOptions> = {}): Promise<Scene> {
  const folder = temporaryFolder();
  const tiny = makeTinyFork(folder, {
    upstream: [...upstream, { name: 'main', from: 'blocked', time: 3300, files: {} }],
    fork: [
      { name: 'readme', from: 'rename', time: 2500, files: { 'README.md': 'Onyx is black\n' } },
      { name: 'main', from: 'readme', time: 2600, files: {} },
    ],
  });
  execFileSync('git', [`--git-dir=${tiny.upstream}`, 'update-ref', 'refs/heads/main', tiny.sha('blocked')]);
  execFileSync('git', [`--git-dir=${tiny.fork}`, 'update-ref', 'refs/heads/main', tiny.sha('readme')]);
  const onyx = join(folder, 'onyx.git');
  cpSync(tiny.fork, onyx, { recursive: true });
  const github = await startForTest({ gitDir: onyx, ...options });
  const config = join(folder, 'fork-sync.yaml');
  const value: Record<string, unknown> & Record<string, Record<string, unknown>> = Object.assign(
    { upstream: 'upstream.git', fork: 'fork.git', rules: 'rules', cache: 'cache' } as never,
    {
      forge: { apiUrl: `${github.url}/api/v3` },
      publish: {
        repositories: ['mine/onyx'],
        repository: 'mine/onyx',
        base: 'main',
        branch,
        labels: ['sync'],
        decisions: '.fork-sync/decisions',
      },
      limits: { waitSeconds: 0, pauseMilliseconds: 1 },
    },
  );
  const write = (): void => writeFileSync(config, stringify(value));
  write();
  return {
    tiny,
    github,
    onyx,
    folder,
    config,
    configure(change) {
      change(value);
      write();
    },
    async night({ publish = true, token = github.token } = {}) {
      const loaded = loadConfig(config);
      const pack = loadPack(tiny.rules);
      process.env['FORK_SYNC_TOKEN'] = token;
      return runNight({
        config: loaded,
        pack,
        publish,
        offline: false,
        program: 'engine.ts',
        tell: () => {},
        stop: () => false,
        upstreamTips: async () => [{ branch: 'main', sha: tiny.sha('blocked') }],
      });
    },
    run: (args = ['nightly', '--publish'], more = {}) =>
      new Promise((resolve) => {
        const child = spawn(
          process.execPath,
          [
            join(root, 'bin', 'fork-sync.js'),
            ...args,
            ...(args.includes('--config') ? [] : ['--config', config]),
          ],
          {
            cwd: folder,
            env: {
              PATH: process.env['PATH'],
              HOME: folder,
              FORK_SYNC_TOKEN: github.token,
              ...more.environment,
            },
          },
        );
        let stdout = '';
        let stderr = '';
        child.stdout.on('data', (chunk) => {
          stdout += chunk;
        });
        child.stderr.on('data', (chunk) => {
          stderr += chunk;
          more.onErrorText?.(stderr, child.pid ?? 0);
        });
        const timer = more.watch === undefined ? undefined : setInterval(more.watch, 8);
        child.on('close', (status) => {
          clearInterval(timer);
          resolve({ status, stdout, stderr });
        });
      }),
  };
}

/** Every file below a folder, as text. */
function textsBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

function commandLines(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    })
    .join('\n');
}

describe('fork-sync nightly', () => {
  it('publishes a night; the second run writes nothing; the token and what is barred are nowhere', async () => {
    const here = await scene();
    let lines = '';
    let seen = 0;
    const watch = (): void => {
      const now = commandLines();
      if (now.includes('remote-http')) seen += 1;
      lines += now.includes(here.github.token) ? now : '';
    };

    const dry = await here.run(['nightly']);
    const writesOfDry = here.github.writes().length;
    const first = await here.run(
      ['nightly', '--publish', '--json', '--html', join(here.folder, 'page.html')],
      { watch },
    );
    const writes = here.github.writes().length;
    const second = await here.run();

    expect(dry.stderr).toContain('would push sync/quartz');
    expect(dry.stdout).toContain('This was a dry run');
    expect([writesOfDry, dry.status]).toEqual([0, 3]);
    expect(first.status).toBe(3);
    const night = JSON.parse(first.stdout);
    expect(night).toMatchObject({
      outcome: 'published',
      exit: 3,
      pullRequest: expect.stringContaining('/pull/1'),
    });
    expect(night.plan.entries.map(({ state }: { readonly state: string }) => state)).toEqual([
      'clean',
      'conflict',
    ]);
    expect([second.status, here.github.writes().length]).toEqual([4, writes]);
    expect(second.stdout).toMatch(/^\d+ calls of the forge, 0 writes, /m);
    const [pull, status] = here.github.threads;
    expect(pull).toMatchObject({ labels: ['sync', 'needs a person'], pull: { draft: true } });
    expect(status?.body).toContain('1 clean, 1 conflict');
    expect(status?.body).toContain('1 blocked');

    // The token: in no output, file, comment or command line.
    const page = readFileSync(join(here.folder, 'page.html'), 'utf8');
    const said = here.github.threads.flatMap(({ title, body, comments }) => [
      title,
      body,
      ...comments.map((one) => one.body),
    ]);
    const outputs = [dry, first, second].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    const basic = Buffer.from(`x-access-token:${here.github.token}`).toString('base64');
    for (const text of [...outputs, ...said, page, textsBelow(join(here.folder, 'cache')), lines])
      for (const secret of [here.github.token, basic]) expect(text).not.toContain(secret);
    expect(seen).toBeGreaterThan(0);

    // What the licence bars: nothing but sha, subject and reason.
    execFileSync('git', [`--git-dir=${here.onyx}`, 'repack', '-q', '-a', '-d']);
    const objects = execFileSync(
      'git',
      [`--git-dir=${here.onyx}`, 'cat-file', '--batch', '--batch-all-objects'],
      { encoding: 'latin1' },
    );
    for (const text of [...outputs, ...said, page, objects]) expect(text).not.toContain(secretOfBlocked);
  });

  it('goes on where a signal stopped it', async () => {
    const here = await scene();
    let stopped = false;
    const first = await here.run(undefined, {
      onErrorText(text, pid) {
        if (stopped || !text.includes('open a pull request')) return;
        stopped = true;
        process.kill(pid, 'SIGTERM');
      },
    });
    const second = await here.night();
    expect(first.status).toBe(5);
    expect(first.stderr).toContain('Stops after this step.');
    expect([3, 4]).toContain(second.exit);
    expect(here.github.threads.map(({ comments }) => comments.length)).toEqual([1, 0]);
  });

  it('lets one run at a time work on a cache', async () => {
    const here = await scene();
    const unlock = takeLock(join(here.folder, 'cache'));
    await expect(here.night()).rejects.toMatchObject({
      problem: { code: 'already-running', pid: process.pid },
      exitCode: 1,
    });
    unlock();
    expect((await here.night()).exit).toBe(3);
  });

  it('is not stopped by the lock of a run that was killed', async () => {
    const here = await scene();
    const program = `import { takeLock } from '${join(root, 'src', 'sync', 'nightly', 'lock.ts')}';
      takeLock('${join(here.folder, 'cache')}'); process.kill(process.pid, 'SIGKILL');`;
    spawnSync(process.execPath, ['--input-type=module', '-e', program]);
    expect(existsSync(join(here.folder, 'cache', 'nightly.json'))).toBe(true);
    expect((await here.night()).exit).toBe(3);
  });

  it('makes the same again when its cache is gone', async () => {
    const here = await scene();
    await here.night();
    const writes = here.github.writes().length;
    rmSync(join(here.folder, 'cache'), { recursive: true });
    expect((await here.night()).exit).toBe(4);
    expect(here.github.writes().length).toBe(writes);
  });

  it('obeys commands on the status issue and on the pull request', async () => {
    const here = await scene();
    await here.night();
    here.github.permissions.set('mia', 'write');
    here.github.say(2, 'mia', `/sync skip ${here.tiny.sha('hostile')} upstream-only`);
    here.github.say(
      1,
      'mia',
      `/sync explain ${here.tiny.sha('blocked').slice(0, 10)}\n/sync park ${here.tiny.sha('restart')}`,
    );
    const { result } = await here.night();
    expect(result.plan.entries.map(({ state }) => state)).toEqual(['parked']);
    expect(here.github.threads.map(({ comments }) => comments.at(-1)?.body)).toEqual([
      expect.stringContaining('`Relicense`: **blocked**'),
      expect.stringContaining('is skipped (upstream-only)'),
    ]);
    expect((await here.night()).exit).toBe(4);
  });

  it('builds without anything secret around, and does not push what does not build', async () => {
    const here = await scene();
    here.configure((config) => {
      config['preflight'] = { build: ['sh', '-c', 'cat scripts/run.sh >&2; env >&2; exit 7'] };
    });
    process.env['FORK_SYNC_TEST_SECRET'] = here.github.token;
    const { exit, result } = await here.night();
    delete process.env['FORK_SYNC_TEST_SECRET'];
    expect([exit, result.outcome]).toEqual([3, 'build-failed']);
    expect(result.notices.join()).toContain('ended with status 7');
    expect(result.notices.join()).not.toContain(here.github.token);
    expect(here.github.threads.map(({ title }) => title)).toEqual(['Upstream commits: where they stand']);
  });

  it('needs a token to publish and none to plan, and offline not even a network', async () => {
    const here = await scene();
    await expect(here.night({ publish: true, token: '' })).rejects.toMatchObject({
      message: expect.stringContaining('Put it into the variable FORK_SYNC_TOKEN'),
    });
    expect((await here.night({ publish: false, token: '' })).told).toContainEqual(
      expect.stringContaining('open a pull request'),
    );
    await here.github.close();
    const offline = await here.run(['nightly', '--offline'], { environment: { FORK_SYNC_TOKEN: '' } });
    expect(offline.status).toBe(3);
    expect(offline.stderr).toContain('would open a pull request');
  });

  it('takes its token from a file as well', async () => {
    const here = await scene();
    writeFileSync(join(here.folder, 'token'), `${here.github.token}\n`, { mode: 0o600 });
    here.configure((config) => {
      config['forge'] = { ...config['forge'], tokenFile: 'token' };
    });
    expect((await here.night({ publish: true, token: '' })).exit).toBe(3);
  });
});
