// Brings upstream into a repository without its files, then asks for the files of cleared commits by their names.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GitError } from 'simple-git';
import { Failure } from '../../core/failure.ts';
import { run } from '../../core/run.ts';
import { changesOf } from '../gate/judge-whole.ts';
import type { Verdict } from '../gate/licence-gate.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import type { Objects } from '../git/objects.ts';
import { openGit } from '../git/resolve-commit.ts';
import { fileMode } from '../git/tree.ts';
import { syncFailure } from '../problem.ts';

const timeoutMs = 3_600_000;
const filter = '--filter=blob:none';

/** Makes the repository where it is missing; one that is there has to have a remote called origin. */
export async function openPartialClone(repository: string, from: string | undefined): Promise<void> {
  if (existsSync(join(repository, 'HEAD')) || existsSync(join(repository, '.git'))) return;
  if (from === undefined)
    throw syncFailure({
      code: 'usage',
      why: `There is no repository at ${repository}.`,
      next: 'Give --from URL to make one.',
    });
  if (from.startsWith('-') || /[\0\n]/.test(from))
    throw syncFailure({
      code: 'usage',
      why: `This is not the address of a repository: ${JSON.stringify(from)}`,
      next: 'Give a URL or a path.',
    });
  await run(['git', 'init', '--quiet', '--bare', '--template=', '--', repository], {
    timeoutMs,
    env: gitEnvironment,
  });
  const git = openGit(repository);
  await git.raw(['remote', 'add', 'origin', from]);
  // What makes git content with a repository that lacks files.
  for (const [key, value] of [
    ['remote.origin.promisor', 'true'],
    ['remote.origin.partialclonefilter', 'blob:none'],
    ['extensions.partialClone', 'origin'],
    ['core.repositoryFormatVersion', '1'],
  ] as const)
    await git.raw(['config', key, value]);
}

/** Fetches commits and trees of these branches, as far as upstream has them; returns the ones that it has. */
export async function fetchBranches(
  repository: string,
  branches: readonly string[],
): Promise<readonly string[]> {
  const git = openGit(repository, timeoutMs);
  const listed = await fromUpstream(repository, () => git.raw(['ls-remote', '--heads', 'origin']));
  const there = new Set(listed.split('\n').map((line) => line.split('\t')[1] ?? ''));
  const found = branches.filter((branch) => there.has(`refs/heads/${branch}`));
  if (found.length === 0)
    throw syncFailure({
      code: 'usage',
      why: 'Upstream has none of the branches that commits are taken from.',
      next: 'Look at licence.branches in pack.yaml, or name one with --branch.',
    });
  const bare = (await git.raw(['rev-parse', '--is-bare-repository'])).trim() === 'true';
  const folder = bare ? 'refs/heads' : 'refs/remotes/origin';
  const specs = found.map((branch) => `+refs/heads/${branch}:${folder}/${branch}`);
  await fromUpstream(repository, () =>
    git.raw(['fetch', '--quiet', '--no-tags', filter, 'origin', ...specs]),
  );
  return found;
}

/** Asks for objects by name; those that are here already are not asked for. */
export async function fetchObjects(
  repository: string,
  objects: Objects,
  shas: ReadonlySet<string>,
): Promise<number> {
  const missing: string[] = [];
  for (const sha of shas) if (!(await objects.isHere(sha))) missing.push(sha);
  if (missing.length === 0) return 0;
  await fromUpstream(repository, () =>
    run(
      [
        'git',
        '-C',
        repository,
        ...['-c', 'fetch.negotiationAlgorithm=noop'],
        ...['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--recurse-submodules=no', filter],
        ...['--stdin', 'origin'],
      ],
      { timeoutMs, env: gitEnvironment, input: Buffer.from(`${missing.join('\n')}\n`) },
    ),
  );
  return missing.length;
}

/** That upstream cannot be reached is what goes wrong most nights: it is no bug, and is told as such. */
async function fromUpstream<T>(repository: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const said =
      error instanceof GitError
        ? error.message
        : error instanceof Failure && 'stderr' in error.problem
          ? String(error.problem.stderr)
          : undefined;
    if (said === undefined) throw error;
    throw syncFailure({
      code: 'upstream-unreachable',
      repository,
      detail: said.trim().slice(-2000),
    });
  }
}

/** Names of licence texts anywhere in the trees of commits: the one kind of file that the gate itself reads. */
export async function licenceTexts(
  objects: Objects,
  names: readonly string[],
  commits: readonly string[],
): Promise<ReadonlySet<string>> {
  const wanted = new Set(names);
  const texts = new Set<string>();
  const seen = new Set<string>();
  const walk = async (tree: string): Promise<void> => {
    if (seen.has(tree)) return;
    seen.add(tree);
    for (const [name, entry] of await objects.folder(tree)) {
      if (entry.mode === fileMode.tree) await walk(entry.sha);
      else if (wanted.has(name) && entry.mode !== fileMode.submodule) texts.add(entry.sha);
    }
  };
  for (const sha of commits) {
    const commit = await objects.commitIfHere(sha);
    if (commit !== undefined) await walk(commit.tree);
  }
  return texts;
}

/** What a pick of a cleared commit reads upstream: what it changes, and the Go code around it that may be read. */
export async function neededFiles(
  objects: Objects,
  sha: string,
  verdict: Verdict,
  withCode: boolean,
): Promise<ReadonlySet<string>> {
  const needed = new Set<string>();
  if (!verdict.cleared) return needed;
  const commit = await objects.commit(sha);
  for (const { before, after } of await changesOf(objects, commit))
    for (const entry of [before, after])
      if (entry !== undefined && entry.mode !== fileMode.submodule) needed.add(entry.sha);
  if (!withCode) return needed;
  const { scope } = verdict;
  const [parent] = commit.parents;
  const tree = parent === undefined ? commit.tree : (await objects.commit(parent)).tree;
  const walk = async (path: string, folder: string): Promise<void> => {
    for (const [name, entry] of await objects.folder(folder)) {
      const inner = path === '' ? name : `${path}/${name}`;
      if (entry.mode === fileMode.tree) await walk(inner, entry.sha);
      else if (entry.mode !== fileMode.submodule && (name.endsWith('.go') || inner === 'go.mod'))
        if (scope === 'tree' || scope.some((one) => inner.startsWith(`${one}/`))) needed.add(entry.sha);
    }
  };
  await walk('', tree);
  return needed;
}
