// Picks beside what git alone would need: cold and warm, whole processes, in one run. For those who have the repositories.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPairs } from '../../src/sync/replay/read-pairs.ts';

const root = join(import.meta.dirname, '..', '..');

export interface PickBench {
  readonly pairs: number;
  /** `commit-tree` and `merge-tree --write-tree` for each pair, one after another. */
  readonly gitMs: number;
  readonly coldMs: number;
  readonly warmMs: number;
  readonly coldPeakKib: number;
  readonly sameShas: boolean;
}

/** Undefined where FORK_SYNC_PAIRS, FORK_SYNC_UPSTREAM and FORK_SYNC_FORK are not set. */
export function benchPicks(): PickBench | undefined {
  const {
    FORK_SYNC_PAIRS: pairsFile,
    FORK_SYNC_UPSTREAM: upstream,
    FORK_SYNC_FORK: fork,
  } = process.env as Record<string, string | undefined>;
  if (pairsFile === undefined || upstream === undefined || fork === undefined) return undefined;
  const pairs = readPairs(pairsFile);
  const folder = fs.mkdtempSync(join(tmpdir(), 'fork-sync-bench-'));
  try {
    const replay = (): { readonly ms: number; readonly peakKib: number; readonly trees: string } => {
      const begun = performance.now();
      const result = spawnSync(
        process.execPath,
        [
          join(root, 'bin', 'fork-sync.js'),
          ...['replay', '--quick', '--json', '--pairs', pairsFile],
          ...['--upstream', upstream, '--fork', fork, '--cache', join(folder, 'cache')],
        ],
        {
          encoding: 'utf8',
          maxBuffer: 256 * 1024 * 1024,
          env: { ...process.env, NODE_OPTIONS: `--import ${join(import.meta.dirname, 'print-peak.mjs')}` },
        },
      );
      if (result.status !== 0) throw new Error(result.stderr);
      const replayed: { readonly pairs: readonly { readonly commit?: string }[] } = JSON.parse(result.stdout);
      return {
        ms: performance.now() - begun,
        peakKib: Number(/peak-rss-kib (\d+)/.exec(result.stderr)?.[1] ?? Number.NaN),
        trees: replayed.pairs.map((pair) => pair.commit ?? '-').join(),
      };
    };
    const cold = replay();
    const warm = replay();
    const gitMs = gitLoop(join(folder, 'git'), pairs, [upstream, fork]);
    return {
      pairs: pairs.length,
      gitMs,
      coldMs: cold.ms,
      warmMs: warm.ms,
      coldPeakKib: cold.peakKib,
      sameShas: cold.trees === warm.trees,
    };
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
