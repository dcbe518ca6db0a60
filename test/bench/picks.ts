// Picks beside what git alone would need: cold and warm, whole processes, in one run. For those who have the repositories.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPairs } from '../../src/sync/replay/read-pairs.ts';
import { measureTree } from './measure-tree.ts';

const root = join(import.meta.dirname, '..', '..');

export interface PickBench {
  readonly pairs: number;
  /** `commit-tree` and `merge-tree --write-tree` for each pair, one after another. */
  readonly gitMs: number;
  readonly runs: readonly PickRun[];
  readonly sameShas: boolean;
}

export interface PickRun {
  readonly name: string;
  readonly milliseconds: number;
  readonly peakBytes: number;
}

/** Undefined where FORK_SYNC_PAIRS, FORK_SYNC_UPSTREAM and FORK_SYNC_FORK are not set. */
export async function benchPicks(): Promise<PickBench | undefined> {
  const {
    FORK_SYNC_PAIRS: pairsFile,
    FORK_SYNC_UPSTREAM: upstream,
    FORK_SYNC_FORK: fork,
  } = process.env as Record<string, string | undefined>;
  if (pairsFile === undefined || upstream === undefined || fork === undefined) return undefined;
  const pairs = readPairs(pairsFile);
  const folder = fs.mkdtempSync(join(tmpdir(), 'fork-sync-bench-'));
  const rules = join(folder, 'rules');
  fs.cpSync(join(root, 'rules', 'lxd-incus'), rules, { recursive: true });
  const replay = async (name: string, cache: string, ...more: readonly string[]) => {
    const measured = await measureTree([
      ...([process.execPath, join(root, 'bin', 'fork-sync.js')] as const),
      ...['replay', '--quick', '--json', '--pairs', pairsFile, '--rules', rules],
      ...['--upstream', upstream, '--fork', fork, '--cache', join(folder, cache), ...more],
    ]);
    const replayed: { readonly pairs: readonly { readonly commit?: string }[] } = JSON.parse(measured.stdout);
    return { ...measured, name, shas: replayed.pairs.map((pair) => pair.commit ?? '-').join() };
  };
  try {
    const runs = [
      await replay('cold', 'cache'),
      await replay('cold, one thread', 'other', '--threads', '1'),
      await replay('warm', 'cache'),
    ];
    // Another hash of all rules: every pick is made again, from what the cache knows of commits and files.
    fs.appendFileSync(join(rules, 'doubts.yaml'), '# Changed.\n');
    runs.push(await replay('warm, a rule changed', 'cache'));
    const gitMs = gitLoop(join(folder, 'git'), pairs, [upstream, fork]);
    return { pairs: pairs.length, gitMs, runs, sameShas: new Set(runs.map((run) => run.shas)).size === 1 };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function gitLoop(
  gitDir: string,
  pairs: ReturnType<typeof readPairs>,
  repositories: readonly string[],
): number {
  const identity = { name: 'bench', email: 'bench@example.org' };
  const env = {
    ...process.env,
    GIT_AUTHOR_NAME: identity.name,
    GIT_AUTHOR_EMAIL: identity.email,
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  const git = (...args: string[]): string =>
    spawnSync('git', [`--git-dir=${gitDir}`, ...args], { encoding: 'utf8', env }).stdout.trim();
  git('init', '--quiet', '--bare');
  const stores = repositories.map((repository) =>
    spawnSync('git', ['-C', repository, 'rev-parse', '--path-format=absolute', '--git-path', 'objects'], {
      encoding: 'utf8',
    }).stdout.trim(),
  );
  fs.writeFileSync(join(gitDir, 'objects', 'info', 'alternates'), `${stores.join('\n')}\n`);
  const begun = performance.now();
  for (const { upstream, fork } of pairs) {
    // The fork's tree as a child of upstream's parent: then upstream's parent is the base of the merge.
    const ours = git('commit-tree', '-m', 'ours', '-p', `${upstream}^`, `${fork}^^{tree}`);
    git('-c', 'merge.renameLimit=0', 'merge-tree', '--write-tree', ours, upstream);
  }
  return performance.now() - begun;
}
