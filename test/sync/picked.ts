// Picks commits of tiny histories in this process: what came of it, and what the picked commit holds.
import { execFileSync } from 'node:child_process';
import { makeTinyFork, type TinyFork } from '../../fixtures/histories/tiny-fork.ts';
import type { FixtureCommit } from '../../fixtures/histories/write-history.ts';
import { openEngine } from '../../src/sync/pick/open-engine.ts';
import type { PickResult } from '../../src/sync/pick/pick-result.ts';
import { loadPack } from '../../src/sync/rules/load-pack.ts';
import { temporaryFolder } from '../temporary-folder.ts';

export interface Scene {
  readonly tiny: TinyFork;
  readonly result: PickResult;
  /** What the picked commit holds at a path; undefined where nothing is. */
  readonly read: (path: string) => string | undefined;
  readonly git: (...args: string[]) => string;
}

/** Picks `change` onto the newest fork commit of the scene, where no other names are given. */
export async function pick(
  upstream: readonly FixtureCommit[],
  fork: readonly FixtureCommit[] = [],
  names: { readonly pick?: string; readonly onto?: string } = {},
): Promise<Scene> {
  const tiny = makeTinyFork(temporaryFolder(), { upstream, fork });
  const [result, gitDir] = await pickIn(
    tiny,
    tiny.sha(names.pick ?? 'change'),
    tiny.sha(names.onto ?? fork.at(-1)?.name ?? 'rename'),
  );
  const git = (...args: string[]) =>
    execFileSync('git', [`--git-dir=${gitDir}`, ...args], { encoding: 'utf8' });
  const read = (path: string): string | undefined => {
    try {
      return execFileSync('git', [`--git-dir=${gitDir}`, 'show', `${result.commit}:${path}`], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch {
      return undefined;
    }
  };
  return { tiny, result, read, git };
}

export async function pickIn(
  tiny: TinyFork,
  upstream: string,
  onto: string,
): Promise<readonly [PickResult, string]> {
  const engine = await openEngine({ ...tiny, pack: loadPack(tiny.rules), program: 'engine.ts' });
  try {
    for await (const { result } of engine.pick([{ upstream, onto }], { keep: true }))
      return [result, engine.gitDir];
    throw new Error('nothing was picked');
  } finally {
    await engine.close();
  }
}
