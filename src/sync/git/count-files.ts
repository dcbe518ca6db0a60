// How many files a commit holds: what writing them out may take goes by it.
import { run } from '../../core/run.ts';
import { gitEnvironment } from './git-environment.ts';

export async function countFiles(gitDir: string, commit: string): Promise<number> {
  const { stdout } = await run(['git', `--git-dir=${gitDir}`, 'ls-tree', '-r', '-z', '--format=x', commit], {
    timeoutMs: 300_000,
    env: gitEnvironment,
  });
  return stdout.length / 2;
}
