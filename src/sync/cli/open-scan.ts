// Opens the scan of the repositories that options name: which branches, which fork commit, which cache.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { run } from '../../core/run.ts';
import { readDecisions } from '../decide/decision.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import { readable } from '../git/output.ts';
import { openGit, resolveCommit } from '../git/resolve-commit.ts';
import type { Engine } from '../pick/open-engine.ts';
import { engineHash } from '../pick/pick-cache.ts';
import { syncFailure } from '../problem.ts';
import type { RulePack } from '../rules/model.ts';
import { noScanCache, openScanCache } from '../scan/scan-cache.ts';
import { type OpenScan, scanRepositories } from '../scan/scan-repositories.ts';
import type { ScanTip } from '../scan/scan-result.ts';
import { needRepositories, type RepositoryOptions } from './options.ts';

export interface ScanOptions extends RepositoryOptions {
  readonly onto?: string;
  readonly branch?: readonly string[];
}

/** Scans with the engine's object store; the cache is used where the program has a hash of its own. */
export async function openScanFor(options: ScanOptions, pack: RulePack, engine: Engine): Promise<OpenScan> {
  const { upstream, fork } = needRepositories(options);
  const maker = engineHash(import.meta.filename);
  const cache =
    maker === undefined
      ? noScanCache
      : openScanCache(
          engine.gitDir,
          createHash('sha256').update(`${maker}\0${pack.hash}`).digest('hex'),
          (text) => process.stderr.write(`${text}\n`),
        );
  try {
    const [tips, onto, upstreamBranches, forkBranches] = await Promise.all([
      upstreamTips(upstream, pack, options.branch),
      resolveCommit(fork, options.onto ?? 'HEAD'),
      allBranches(upstream),
      allBranches(fork),
    ]);
    return await scanRepositories(
      { pack, objects: engine.objects, cache, decisions: readDecisions(pack.folder) },
      { upstream: tips, upstreamBranches, fork: onto, forkBranches },
    );
  } finally {
    cache.close();
  }
}

/** `NAME`, or `NAME=COMMIT` for a branch as it was; without any, the branches of the pack that are there. */
export async function upstreamTips(
  repository: string,
  pack: RulePack,
  wanted: readonly string[] | undefined,
): Promise<readonly ScanTip[]> {
  if (wanted !== undefined)
    return Promise.all(
      wanted.map(async (text) => {
        const branch = branchName(text);
        const commit = branch === text ? await branchTip(repository, branch) : text.slice(branch.length + 1);
        if (commit === undefined) throw syncFailure({ code: 'unknown-commit', name: branch, repository });
        return { branch, sha: await resolveCommit(repository, commit) };
      }),
    );
  const tips = await listedTips(repository, pack);
  if (tips.length > 0) return tips;
  throw syncFailure({
    code: 'usage',
    why: 'None of the branches that the rule pack lists under licence is in the upstream repository.',
    next: 'Fetch one of them, or name a branch with --branch.',
  });
}

/** Of `NAME`, or of `NAME=COMMIT`. */
export function branchName(text: string): string {
  return text.split('=', 1)[0] ?? '';
}

/** Those branches of the pack that are there; none may be. */
export async function listedTips(repository: string, pack: RulePack): Promise<readonly ScanTip[]> {
  const branches = pack.info.licence?.branches ?? [];
  const shas = await Promise.all(branches.map(({ name }) => branchTip(repository, readable(name))));
  return branches.flatMap(({ name }, index) => {
    const sha = shas[index];
    return sha === undefined ? [] : [{ branch: name, sha }];
  });
}

async function branchTip(repository: string, branch: string): Promise<string | undefined> {
  if (branch.startsWith('-') || /[\0-\x20~^:?*[\\\x7f]/.test(branch))
    throw syncFailure({
      code: 'usage',
      why: `This is not a name of a branch: ${JSON.stringify(branch)}`,
      next: 'Give the name as upstream has it.',
    });
  const names = [`refs/heads/${branch}`, `refs/remotes/origin/${branch}`];
  const format = '--format=%(refname) %(objectname)';
  const listed = await openGit(repository).raw(['for-each-ref', format, ...names]);
  const tips = new Map(listed.split('\n').map((line): [string, string] => splitOnce(line)));
  const [own, fetched] = names.map((name) => tips.get(name));
  if (own === undefined || fetched === undefined || own === fetched) return own ?? fetched;
  // Where somebody works, their own branch stays where it was when upstream is fetched. Dates do not tell which is newer.
  return (await isAncestor(repository, fetched, own)) ? own : fetched;
}

function splitOnce(line: string): [string, string] {
  const space = line.lastIndexOf(' ');
  return [line.slice(0, Math.max(0, space)), line.slice(space + 1)];
}

async function isAncestor(repository: string, older: string, newer: string): Promise<boolean> {
  const argv = ['git', '-C', resolve(repository), 'merge-base', '--is-ancestor', older, newer] as const;
  const { status } = await run(argv, { timeoutMs: 300_000, env: gitEnvironment, accept: [1] });
  return status === 0;
}

export async function allBranches(repository: string): Promise<readonly string[]> {
  const listed = await openGit(repository).raw([
    'for-each-ref',
    '--format=%(objectname)',
    'refs/heads',
    'refs/remotes',
  ]);
  return [...new Set(listed.split('\n').filter((line) => line !== ''))].toSorted();
}
