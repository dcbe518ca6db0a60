// Brings upstream into a repository without its files, then asks for the files of cleared commits by their names.
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import { type RunResult, run } from '../../core/run.ts';
import { suggest } from '../../core/suggest.ts';
import { inert } from '../../core/text.ts';
import { changesOf } from '../gate/judge-whole.ts';
import type { Verdict } from '../gate/licence-gate.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import type { Objects } from '../git/objects.ts';
import { openGit } from '../git/resolve-commit.ts';
import { networkLimitMs, noStalling } from '../git/time-limit.ts';
import { fileMode } from '../git/tree.ts';
import { syncFailure } from '../problem.ts';

const timeoutMs = 300_000;
const filter = '--filter=blob:none';

/** Makes the repository where it is missing, once `from` has answered; one that is there needs a remote called origin. */
export async function openPartialClone(repository: string, from: string | undefined): Promise<void> {
  // git takes a path from where the repository is; people mean the folder that they are in.
  const address = from === undefined || /^[^/]*:/.test(from) ? from : resolve(from);
  if (existsSync(join(repository, 'HEAD')) || existsSync(join(repository, '.git')))
    return refuseOtherOrigin(repository, address);
  if (from === undefined || address === undefined)
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
  if (!isFree(repository))
    throw syncFailure({ code: 'not-a-repository', path: repository, detail: 'there is something else' });
  // A wrong address would stay in the repository, and be asked from then on whatever --from says.
  await askUpstream({ repository, from: address }, ['ls-remote', '--heads', '--', address]);
  await run(['git', 'init', '--quiet', '--bare', '--template=', '--', repository], {
    timeoutMs,
    env: gitEnvironment,
  });
  const git = openGit(repository);
  await git.raw(['remote', 'add', 'origin', address]);
  // What makes git content with a repository that lacks files.
  for (const [key, value] of [
    ['remote.origin.promisor', 'true'],
    ['remote.origin.partialclonefilter', 'blob:none'],
    ['extensions.partialClone', 'origin'],
    ['core.repositoryFormatVersion', '1'],
  ] as const)
    await git.raw(['config', key, value]);
}

/** Upstream is asked where its remote says: another address would be passed over in silence. */
async function refuseOtherOrigin(repository: string, address: string | undefined): Promise<void> {
  if (address === undefined) return;
  const asked = ['git', '-C', repository, 'config', '--get', 'remote.origin.url'] as const;
  const { status, stdout } = await run(asked, { timeoutMs, env: gitEnvironment, accept: 'any' });
  const origin = stdout.toString('utf8').replace(/\n$/, '');
  if (status !== 0 || origin === address) return;
  throw syncFailure({
    code: 'usage',
    why: `${repository} is there already, and its upstream is ${origin}: --from is only for the first time.`,
    next: 'Leave it out, or set the address with git remote set-url origin.',
  });
}

function isFree(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT';
  }
}

export interface WantedBranches {
  readonly names: readonly string[];
  /** Somebody asked for just these: one that upstream does not have is a mistake. */
  readonly all: boolean;
}

export interface FetchedBranches {
  readonly names: readonly string[];
  /** Upstream sent the files as well: it knows no filters, or allows none. */
  readonly withFiles: boolean;
}

/** Fetches commits and trees of these branches; returns the ones that upstream has. */
export async function fetchBranches(repository: string, wanted: WantedBranches): Promise<FetchedBranches> {
  // Asked first: where git does not take this for a repository, ls-remote would blame upstream.
  const bare = await isBare(repository);
  const { stdout } = await askUpstream({ repository }, ['-C', repository, 'ls-remote', '--heads', 'origin']);
  const prefix = 'refs/heads/';
  const there = stdout
    .toString('utf8')
    .split('\n')
    .flatMap((line) => line.split('\t')[1] ?? [])
    .map((ref) => ref.slice(prefix.length));
  const missing = wanted.names.find((name) => !there.includes(name));
  if (wanted.all && missing !== undefined)
    throw syncFailure({
      code: 'usage',
      why: `Upstream has no branch ${inert(missing)}${inert(suggest(missing, there))}`,
      next: 'Name another one: with --branch, or under branches in the configuration.',
    });
  const names = wanted.names.filter((name) => there.includes(name));
  if (names.length === 0)
    throw syncFailure({
      code: 'usage',
      why: 'Upstream has none of the branches that commits are taken from.',
      next: 'Look at licence.branches in pack.yaml, or name one: with --branch, or under branches in the configuration.',
    });
  const folder = bare ? prefix : 'refs/remotes/origin/';
  const specs = names.map((name) => `+${prefix}${name}:${folder}${name}`);
  const fetch = ['-C', repository, 'fetch', '--quiet', '--no-tags', filter, 'origin', ...specs];
  const { stderr } = await askUpstream({ repository }, fetch);
  return { names, withFiles: stderr.includes('filtering not recognized by server') };
}

async function isBare(repository: string): Promise<boolean> {
  const { status, stdout, stderr } = await run(
    ['git', '-C', repository, 'rev-parse', '--is-bare-repository'],
    {
      timeoutMs,
      env: gitEnvironment,
      accept: 'any',
    },
  );
  if (status === 0) return stdout.toString('utf8').trim() === 'true';
  const [detail = ''] = stderr.toString('utf8').split('\n');
  throw syncFailure({ code: 'not-a-repository', path: repository, detail });
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
  await askUpstream(
    { repository },
    [
      ...['-C', repository, '-c', 'fetch.negotiationAlgorithm=noop'],
      ...['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--recurse-submodules=no', filter],
      ...['--stdin', 'origin'],
    ],
    Buffer.from(`${missing.join('\n')}\n`),
  );
  return missing.length;
}

/** That upstream cannot be reached is what goes wrong most nights: it is no bug, and is told as such. */
async function askUpstream(
  place: { readonly repository: string; readonly from?: string },
  args: readonly string[],
  input?: Buffer,
): Promise<RunResult> {
  try {
    // The rest of the environment stays: the way out may be a proxy, and a key may be with an agent.
    const env = { ...gitEnvironment, GIT_ASKPASS: undefined, SSH_ASKPASS: undefined };
    const settings = noStalling.flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    return await run(['git', ...settings, ...args], {
      timeoutMs: networkLimitMs,
      env,
      ...(input === undefined ? {} : { input }),
    });
  } catch (error) {
    if (!(error instanceof Failure) || !('stderr' in error.problem)) throw error;
    const detail = String(error.problem.stderr).trim().slice(-2000);
    throw syncFailure({ code: 'upstream-unreachable', ...place, detail }, error);
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
