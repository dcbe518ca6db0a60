// A fork with a GitHub before it and a configuration for it, for tests of whole nights.
import { spawn } from 'node:child_process';
import { appendFileSync, cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { stringify } from 'yaml';
import { closedLicence, makeTinyFork, type TinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { type FixtureCommit, setBranch } from '../../../fixtures/histories/write-history.ts';
import { Failure } from '../../../src/core/failure.ts';
import { type CommentOptions, runComment } from '../../../src/sync/cli/run-comment.ts';
import { loadConfig } from '../../../src/sync/nightly/load-config.ts';
import { type Night, runNight } from '../../../src/sync/nightly/run-night.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import type { StandIn, StandInOptions } from '../../fakes/github/github-stand-in.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { startForTest } from '../publish/on-github.ts';

export const root = join(import.meta.dirname, '..', '..', '..');
export const branch = 'sync/quartz';
/** Stands only in commits that the licence bars. */
export const secretOfBlocked = 'xylophone-4711';

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

export interface Scene {
  readonly tiny: TinyFork;
  readonly github: StandIn;
  readonly onyx: string;
  readonly folder: string;
  readonly config: string;
  configure(change: (config: Record<string, Record<string, unknown>>) => void): void;
  /** `fork-sync comment` within this process. */
  comment(options: CommentOptions): Promise<Done>;
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

export async function openScene(options: Partial<StandInOptions> = {}): Promise<Scene> {
  const folder = temporaryFolder();
  const tiny = makeTinyFork(folder, {
    upstream,
    fork: [{ name: 'readme', from: 'rename', time: 2500, files: { 'README.md': 'Onyx is black\n' } }],
  });
  setBranch(tiny.upstream, 'main', tiny.sha('blocked'));
  setBranch(tiny.fork, 'main', tiny.sha('readme'));
  const onyx = join(folder, 'onyx.git');
  cpSync(tiny.fork, onyx, { recursive: true });
  appendFileSync(join(onyx, 'config'), '[receive]\n\tautogc = false\n');
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
    async comment(options) {
      process.env['FORK_SYNC_TOKEN'] = github.token;
      const said = { stdout: '', stderr: '' };
      const writers = (['stdout', 'stderr'] as const).map((name) =>
        vi.spyOn(process[name], 'write').mockImplementation((text) => {
          said[name] += String(text);
          return true;
        }),
      );
      try {
        return { status: await runComment({ config, ...options }), ...said };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return { ...said, status: error.exitCode, stderr: `${said.stderr}${error.message}` };
      } finally {
        for (const writer of writers) writer.mockRestore();
      }
    },
    run: (args = ['nightly', '--publish'], more = {}) =>
      new Promise((resolve) => {
        const child = spawn(
          process.execPath,
          [
            join(root, 'bin', 'fork-sync.js'),
            ...args,
            ...(args.includes('--config') || args[0] === 'checkout' ? [] : ['--config', config]),
          ],
          {
            cwd: folder,
            env: {
              PATH: process.env['PATH'],
              HOME: folder,
              NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
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
