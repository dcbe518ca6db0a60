// Repeats picks in repositories that hold nothing but what a pick may see: the proof that it does not peek.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../core/durable.ts';
import { run } from '../../core/run.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import { loadHistory } from '../git/history.ts';
import { timeLimit } from '../git/time-limit.ts';
import { type Engine, openEngine } from '../pick/open-engine.ts';
import type { RulePack } from '../rules/model.ts';
import type { Replayed } from './replay-pairs.ts';

export interface Isolated {
  readonly repeated: number;
  readonly same: number;
  readonly different: readonly {
    readonly upstream: string;
    readonly whole: string;
    readonly alone: string;
  }[];
}

const longestList = 4 * 1024 * 1024 * 1024;

/** Picks spread over the whole replay are made again, each in repositories of its own. */
export async function replayIsolated(
  engine: Engine,
  options: { readonly cache?: string },
  pack: RulePack,
  replayed: readonly Replayed[],
  count: number,
): Promise<Isolated> {
  const step = Math.max(1, Math.floor(replayed.length / count));
  const chosen = replayed.filter((_, index) => index % step === step - 1).slice(0, count);
  const different: { readonly upstream: string; readonly whole: string; readonly alone: string }[] = [];
  for (const one of chosen) {
    const alone = await pickAlone(engine, options.cache ?? join(engine.gitDir, '..'), pack, one);
    const whole = outcomeOf(one.status, one.commit);
    if (alone !== whole) different.push({ upstream: one.upstream, whole, alone });
  }
  return { repeated: chosen.length, same: chosen.length - different.length, different };
}

function outcomeOf(status: string, commit: string | undefined): string {
  return `${status} ${commit ?? '-'}`;
}

async function pickAlone(engine: Engine, cache: string, pack: RulePack, one: Replayed): Promise<string> {
  const folder = mkdtempSync(join(cache, 'isolated-'));
  try {
    const fork = await engine.objects.commit(one.fork);
    const onto = fork.parents[0] ?? '';
    const upstream = join(folder, 'upstream.git');
    const ours = join(folder, 'fork.git');
    await copyReachable(engine, one.picked, pack.info.forkPoint, upstream);
    await copyReachable(engine, onto, pack.info.forkPoint, ours);
    const alone = await openEngine({
      upstream,
      fork: ours,
      cache: join(folder, 'cache'),
      pack,
      program: 'none.ts',
    });
    try {
      for await (const { result } of alone.pick(
        [{ upstream: one.picked, onto, moreFollows: one.moreFollows }],
        { keep: true },
      ))
        return outcomeOf(result.status, result.commit);
      return 'nothing';
    } finally {
      await alone.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Copies a commit with its ancestors down to the fork point, and no other object. What is older was common before
 * the fork, and the engine does not look at it.
 */
async function copyReachable(engine: Engine, tip: string, forkPoint: string, gitDir: string): Promise<void> {
  await run(['git', 'init', '--quiet', '--bare', '--template=', '--', gitDir], {
    timeoutMs: 60_000,
    env: gitEnvironment,
  });
  const history = await loadHistory(engine.objects, [tip], forkPoint);
  const base = (await engine.objects.commitIfHere(forkPoint)) === undefined ? [] : [forkPoint];
  const tips = [...history.commits.map((commit) => commit.sha), ...base];
  // Parents that are older than the fork point are read for their date only, and merges compare with them.
  for (const commit of history.commits)
    for (const parent of commit.parents) if (!history.indexOf.has(parent)) tips.push(parent);
  const from = (args: readonly string[], input: Buffer, things: number) =>
    run(['git', `--git-dir=${engine.gitDir}`, ...args], {
      timeoutMs: timeLimit(600_000, things, 50),
      env: gitEnvironment,
      input,
      // A name of 40 digits each, of as many objects as such commits bring.
      maxOutputBytes: longestList,
    });
  const list = await from(
    ['rev-list', '--objects', '--no-object-names', '--no-walk', '--missing=allow-any', '--stdin'],
    Buffer.from(`${[...new Set(tips)].join('\n')}\n`),
    tips.length,
  );
  // Straight into its place: a pack has any size.
  makeFolders(join(gitDir, 'objects', 'pack'));
  await from(
    ['pack-objects', '--quiet', join(gitDir, 'objects', 'pack', 'pack')],
    list.stdout,
    list.stdout.length / 41,
  );
}
