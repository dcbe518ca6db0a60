// Turns what people typed into shas of commits.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { GitError, GitPluginError, simpleGit } from 'simple-git';
import { coreFailure } from '../../core/core-problem.ts';
import { run } from '../../core/run.ts';
import { syncFailure } from '../problem.ts';
import { gitEnvironment } from './git-environment.ts';
import { timeLimit } from './time-limit.ts';

const fullSha = /^[0-9a-f]{40}$/;
const shortSha = /^[0-9a-f]{4,39}$/i;
/** For what git looks up; it may have a hundred thousand refs to read for it. */
const usualTimeoutMs = 300_000;

export interface Git {
  /** What git prints, as text; any exit status but 0, and any signal, is a failure. */
  raw(args: readonly string[]): Promise<string>;
}

/** simple-git on a repository as a whole; its errors become failures like those of any other command. */
export function openGit(repository: string): Git {
  const path = resolve(repository);
  const environment = Object.fromEntries(
    Object.entries({ PATH: process.env['PATH'], ...gitEnvironment }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  return {
    async raw(args) {
      const argv = ['git', '-C', path, ...args];
      let status = -1;
      try {
        return await simpleGit({
          baseDir: path,
          timeout: { block: usualTimeoutMs },
          // GIT_CONFIG_GLOBAL=/dev/null is what keeps foreign configuration out; simple-git counts naming it as unsafe.
          unsafe: { allowUnsafeConfigPaths: true },
          allowEnvironment: Object.keys(environment),
          errors(error, result) {
            status = result.exitCode;
            return error ?? (status === 0 ? undefined : Buffer.concat(result.stdErr));
          },
        })
          .env(environment)
          .raw([...args]);
      } catch (error) {
        if (!(error instanceof GitError)) throw error;
        if (error instanceof GitPluginError && error.plugin === 'timeout')
          throw coreFailure({ code: 'command-timeout', argv, limitMs: usualTimeoutMs, printed: '' }, error);
        throw coreFailure({ code: 'command-failed', argv, status, stderr: error.message }, error);
      }
    },
  };
}

/** The commit of one name. */
export async function resolveCommit(repository: string, name: string): Promise<string> {
  const [sha = name] = await resolveCommits(repository, [name]);
  return sha;
}

/**
 * The commits of names, in their order, with one git for all of them. A full sha is taken as it is: whether it is
 * here is found out when it is read, so that one missing commit does not stop the others.
 * @throws {Failure<SyncProblem>} usage, not-a-repository, unknown-commit, ambiguous-commit
 */
export async function resolveCommits(
  repository: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const asked = [...new Set(names.filter((name) => !fullSha.test(name)))];
  for (const name of asked) refuseOdd(name);
  if (asked.length === 0) return names;
  const path = resolve(repository);
  // A folder that is not there would be taken for a git that is not there.
  if (!existsSync(path)) throw syncFailure({ code: 'not-a-repository', path, detail: nothingThere });
  const result = await run(['git', '-C', path, 'cat-file', '--batch-check=%(objectname)'], {
    timeoutMs: timeLimit(usualTimeoutMs, asked.length, 20),
    env: gitEnvironment,
    input: Buffer.from(asked.map((name) => `${name}^{commit}\n`).join('')),
    accept: 'any',
  });
  if (result.status !== 0)
    throw syncFailure({ code: 'not-a-repository', path, detail: firstLine(result.stderr.toString('utf8')) });
  const answers = result.stdout.toString('utf8').split('\n');
  const found = new Map<string, string>();
  for (const [index, name] of asked.entries()) {
    const sha = answers[index] ?? '';
    if (!fullSha.test(sha)) throw await unresolved(path, name);
    found.set(name, sha);
  }
  return names.map((name) => found.get(name) ?? name);
}

const nothingThere = 'there is nothing at this path';

function refuseOdd(name: string): void {
  if (name !== '' && !name.startsWith('-') && !/[\0\n]/.test(name)) return;
  throw syncFailure({
    code: 'usage',
    why: `This is not a name of a commit: ${JSON.stringify(name)}`,
    next: 'Give a sha, a branch or a tag.',
  });
}

async function unresolved(repository: string, name: string): Promise<Error> {
  const candidates = shortSha.test(name) ? await commitsThatBegin(openGit(repository), name) : [];
  return candidates.length > 1
    ? syncFailure({ code: 'ambiguous-commit', name, repository, candidates })
    : syncFailure({ code: 'unknown-commit', name, repository });
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

async function commitsThatBegin(git: Git, short: string): Promise<readonly string[]> {
  const found = (await git.raw(['rev-parse', `--disambiguate=${short}`])).trim().split('\n');
  const types = await Promise.all(
    found.map((sha) => git.raw(['cat-file', '-t', sha]).catch(() => 'unreadable')),
  );
  return found.filter((_, index) => types[index]?.trim() === 'commit');
}
