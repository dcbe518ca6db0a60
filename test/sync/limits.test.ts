// What is only large meets no limit, and what is no list of commits, or no configuration, meets one that is named.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../fixtures/histories/tiny-fork.ts';
import { walkHistory } from '../../src/sync/git/history.ts';
import { openObjectReader } from '../../src/sync/git/object-reader.ts';
import { openObjects } from '../../src/sync/git/objects.ts';
import { loadConfig } from '../../src/sync/nightly/load-config.ts';
import type { RefChange } from '../../src/sync/publish/git-remote.ts';
import { pushInOrder } from '../../src/sync/publish/push-in-order.ts';
import { type MovesCache, openRenameHistory, readMoves } from '../../src/sync/scan/rename-history.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { forkSync, repositoriesOf } from './fork-sync.ts';

it('files are followed through more commits than git is asked about at once', {
  timeout: 120_000,
}, async () => {
  const gitDir = join(temporaryFolder(), 'long.git');
  execFileSync('git', ['init', '--quiet', '--bare', gitDir]);
  const count = 20_500;
  const commit = (index: number, change: string): string =>
    `commit refs/heads/main\nmark :${index + 2}\ncommitter A <a@b> ${1000 + index} +0000\ndata 1\nx\n${index === 0 ? '' : `from :${index + 1}\n`}${change}\n`;
  const stream = [
    'blob\nmark :1\ndata 5\ntext\n\n',
    commit(0, 'M 100644 :1 f0'),
    ...Array.from({ length: count }, (_, index) => commit(index + 1, `R f${index} f${index + 1}`)),
    'done\n',
  ].join('');
  execFileSync('git', [`--git-dir=${gitDir}`, 'fast-import', '--quiet', '--done'], { input: stream });
  const [root = '', tip = ''] = ['main~20500', 'main'].map((name) =>
    execFileSync('git', [`--git-dir=${gitDir}`, 'rev-parse', name], { encoding: 'utf8' }).trim(),
  );
  const reader = openObjectReader(gitDir);
  const history = await walkHistory((sha) => openObjects(reader).commitIfHere(sha), [tip], root);
  const noCache: MovesCache = { get: () => undefined, set: () => {} };

  const moves = openRenameHistory(history, await readMoves(gitDir, history, noCache));
  await reader.close();

  expect(history.commits).toHaveLength(count);
  expect(moves.unread).toBe(0);
  expect(moves.follow('f0', history.visibleFrom(tip))).toEqual({ path: `f${count}`, deletedBy: undefined });
});

describe('a push', () => {
  const changes: readonly RefChange[] = [
    { ref: 'refs/heads/sync', from: undefined, to: 'h' },
    ...Array.from({ length: 450 }, (_, index) => ({
      ref: `refs/fork-sync/sync/conflicts/${index}/base`,
      from: undefined,
      to: 'c',
    })),
    { ref: 'refs/fork-sync/sync/pushed', from: undefined, to: 'h' },
  ];

  it('of more refs than git takes is made in parts, the branch in the last', async () => {
    const parts: (readonly RefChange[])[] = [];

    const answer = await pushInOrder(
      {
        push: async (some) => {
          parts.push(some);
          return 'pushed';
        },
      },
      changes,
    );

    expect(answer).toBe('pushed');
    expect(parts.map((part) => part.length)).toEqual([52, 200, 200]);
    expect(new Set(parts.flat())).toEqual(new Set(changes));
    expect(parts.at(-1)?.slice(-2)).toEqual([changes[0], changes.at(-1)]);
  });

  it('is made at once where it can be, and ends where somebody was faster', async () => {
    const sizes: number[] = [];
    const remote = (answer: 'pushed' | 'moved') => ({
      push: async (some: readonly RefChange[]) => {
        sizes.push(some.length);
        return answer;
      },
    });

    await pushInOrder(remote('pushed'), changes.slice(0, 200));
    const moved = await pushInOrder(remote('moved'), changes);

    expect(sizes).toEqual([200, 52]);
    expect(moved).toBe('moved');
  });
});

it('a configuration that is something else altogether is answered, and not in a hundred thousand lines', () => {
  const path = join(temporaryFolder(), 'fork-sync.yaml');
  writeFileSync(path, `branches: [${'1,'.repeat(200_000)}]\n`);

  expect(() => loadConfig(path)).toThrow(/^(?:.*\n){51}and 1999\d\d more\n.*$/);
});

it('what is no list of commits is not read to its end', () => {
  const tiny = makeTinyFork(temporaryFolder());
  const input = 'x'.repeat(65 * 1024 * 1024);

  const done = forkSync(['pick', '--stdin', ...repositoriesOf(tiny)], { input });

  expect(done.status).toBe(2);
  expect(done.stderr).toContain('The input has more than 67108864 bytes');
});
