// A folder with the files of a commit, for a build: it borrows the objects of a repository and changes nothing there.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolders } from '../../core/durable.ts';
import { run } from '../../core/run.ts';
import { countFiles } from '../git/count-files.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import { timeLimit } from '../git/time-limit.ts';

export interface BuildTree {
  /** Holds the files, and the home of what runs in them; removed by `close`. */
  readonly folder: string;
  readonly files: string;
  /** Lays out the files of another commit; what a build left behind goes. */
  checkout(commit: string): Promise<void>;
  close(): void;
}

/** @param links false: a link of the commit becomes a file with its destination, so that nothing is read through it */
export async function openBuildTree(gitDir: string, { links = true } = {}): Promise<BuildTree> {
  // What runs in there calls its folder by the real name, since it is not told how it was called here.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fork-sync-build-')));
  const files = join(folder, 'tree');
  const close = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  const git = (timeoutMs: number, ...args: string[]) =>
    run(['git', '-C', files, ...args], {
      timeoutMs,
      env: { ...gitEnvironment, GIT_OPTIONAL_LOCKS: undefined },
    });
  try {
    mkdirSync(files);
    await git(60_000, 'init', '--quiet', '--template=');
    if (!links) await git(60_000, 'config', 'core.symlinks', 'false');
    makeFolders(join(files, '.git', 'objects', 'info'));
    writeFileSync(join(files, '.git', 'objects', 'info', 'alternates'), `${join(gitDir, 'objects')}\n`);
  } catch (error) {
    close();
    throw error;
  }
  return {
    folder,
    files,
    async checkout(commit) {
      const limit = timeLimit(300_000, await countFiles(gitDir, commit), 20);
      await git(limit, 'checkout', '--quiet', '--force', '--detach', commit);
      // Twice: a repository that a build made in there stays with one.
      await git(limit, 'clean', '--quiet', '--force', '--force', '-d', '-x');
    },
    close,
  };
}

/** Nothing of this process but what is named, PATH and LANG. */
export function buildEnvironment(
  home: string,
  names: readonly string[],
): Readonly<Record<string, string | undefined>> {
  const kept = new Set(['PATH', 'LANG', ...names]);
  const cleared = Object.keys(process.env).filter((name) => !kept.has(name));
  return { ...Object.fromEntries(cleared.map((name) => [name, undefined])), HOME: home };
}
