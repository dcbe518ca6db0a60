// Runs the fork's own build on the finished branch, in a folder of its own and without anything secret around it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolders } from '../../core/durable.ts';
import { Failure } from '../../core/failure.ts';
import { type Argv, run } from '../../core/run.ts';
import { countFiles } from '../git/count-files.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import { timeLimit } from '../git/time-limit.ts';

export interface BuildOptions {
  readonly gitDir: string;
  readonly commit: string;
  readonly argv: Argv;
  readonly timeoutMs: number;
  /** Names of variables that the build may see; besides PATH and LANG it sees nothing of this process. */
  readonly environment: readonly string[];
}

/** Undefined: it went well; otherwise what failed, with the last lines of its output. */
export async function checkBuild(options: BuildOptions): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'fork-sync-build-'));
  const tree = join(folder, 'tree');
  try {
    const git = (timeoutMs: number, ...args: string[]) =>
      run(['git', '-C', tree, ...args], {
        timeoutMs,
        env: { ...gitEnvironment, GIT_OPTIONAL_LOCKS: undefined },
      });
    mkdirSync(tree);
    await git(60_000, 'init', '--quiet', '--template=');
    makeFolders(join(tree, '.git', 'objects', 'info'));
    writeFileSync(
      join(tree, '.git', 'objects', 'info', 'alternates'),
      `${join(options.gitDir, 'objects')}\n`,
    );
    const files = await countFiles(options.gitDir, options.commit);
    await git(timeLimit(300_000, files, 20), 'checkout', '--quiet', '--detach', options.commit);
    const kept = new Set(['PATH', 'LANG', ...options.environment]);
    const cleared = Object.keys(process.env).filter((name) => !kept.has(name));
    await run(options.argv, {
      cwd: tree,
      timeoutMs: options.timeoutMs,
      env: { ...Object.fromEntries(cleared.map((name) => [name, undefined])), HOME: folder },
    });
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
