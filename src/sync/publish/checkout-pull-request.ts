// Brings the conflict of a pull request back in a folder: from the refs that the run pushed, by git alone.
import { resolve } from 'node:path';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { makeFolders } from '../../core/durable.ts';
import { type Argv, run } from '../../core/run.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import { refuseTakenFolder } from '../git/refuse-taken-folder.ts';
import { syncFailure } from '../problem.ts';
import { branchRef, conflictRef, conflictsPrefix } from './branch-refs.ts';
import { openRemote, remoteEnvironment } from './git-remote.ts';

export interface PullRequestCheckout {
  readonly cloneUrl: string;
  readonly branch: string;
  readonly folder: string;
  /** The upstream commit, or the beginning of its sha; not needed where there is only one conflict. */
  readonly commit: string | undefined;
  readonly token: () => Promise<string | undefined>;
}

export interface CheckedOutConflict {
  readonly upstream: string;
  /** Files that are open; none where the branch has moved on so far that it merges now. */
  readonly open: readonly string[];
}

/** Writing out a whole tree is most of it. */
const timeoutMs = 3_600_000;

/** Leaves a clone in the middle of `git cherry-pick`, on top of the branch. */
export async function checkoutPullRequest(options: PullRequestCheckout): Promise<CheckedOutConflict> {
  const { cloneUrl, branch, token } = options;
  const folder = resolve(options.folder);
  refuseTakenFolder(folder);
  const remote = openRemote({ url: cloneUrl, gitDir: `${folder}/.git`, token });
  asFileFailure('make the folder', folder, () => makeFolders(folder, 0o700));
  const environment = await remoteEnvironment(cloneUrl, await token());
  const git = (args: readonly string[], accept: readonly number[] = []) =>
    run(['git', '-C', folder, ...args] satisfies Argv, {
      timeoutMs,
      env: { ...environment, GIT_OPTIONAL_LOCKS: undefined, ...identity },
      accept,
    });
  await run(['git', 'init', '--quiet', '--template=', '--', folder], { timeoutMs, env: gitEnvironment });
  const prefix = conflictsPrefix(branch);
  const refs = await remote.list([prefix]);
  const upstream = chooseConflict(refs, prefix, options);
  await git(['remote', 'add', 'origin', cloneUrl]);
  const theirs = conflictRef(branch, upstream, 'theirs');
  await remote.fetch([
    `+${branchRef(branch)}:refs/remotes/origin/${branch}`,
    `+${conflictRef(branch, upstream, 'base')}:refs/conflict/base`,
    `+${theirs}:refs/conflict/theirs`,
  ]);
  await git(['checkout', '--quiet', '-B', branch, `refs/remotes/origin/${branch}`]);
  const picked = await git(['cherry-pick', '--allow-empty', 'refs/conflict/theirs'], [1]);
  if (picked.status === 0) return { upstream, open: [] };
  const open = await git(['diff', '--name-only', '--diff-filter=U', '-z']);
  return {
    upstream,
    open: open.stdout
      .toString('utf8')
      .split('\0')
      .filter((path) => path !== ''),
  };
}

/** Only for a cherry-pick that needs no person after all; `git commit -s` of a person has theirs. */
const identity = { GIT_COMMITTER_NAME: 'fork-sync', GIT_COMMITTER_EMAIL: 'fork-sync@localhost' };

function chooseConflict(
  refs: ReadonlyMap<string, string>,
  prefix: string,
  { commit, folder }: PullRequestCheckout,
): string {
  const all = [...refs.keys()]
    .filter((ref) => ref.endsWith('/theirs'))
    .map((ref) => ref.slice(prefix.length).split('/')[0] ?? '')
    .filter((sha) => /^[0-9a-f]{40}$/.test(sha));
  const fitting = commit === undefined ? all : all.filter((sha) => sha.startsWith(commit));
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  throw syncFailure({
    code: 'checkout-refused',
    path: folder,
    why:
      fitting.length === 0
        ? 'the pull request has no such conflict'
        : `the pull request has ${fitting.length} conflicts`,
    next:
      all.length === 0
        ? 'Nothing is to be done here.'
        : `Name one with --commit: ${all.map((sha) => sha.slice(0, 12)).join(', ')}`,
  });
}
