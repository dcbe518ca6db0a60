// Turns what a person typed into the sha of a commit.
import { type SimpleGit, simpleGit } from 'simple-git';
import { syncFailure } from '../problem.ts';
import { gitEnvironment } from './git-environment.ts';

const fullSha = /^[0-9a-f]{40}$/;
const usualTimeoutMs = 60_000;

/** simple-git on a repository as a whole; any exit status but 0, and any signal, is an error. */
export function openGit(repository: string, timeoutMs = usualTimeoutMs): SimpleGit {
  const environment = Object.fromEntries(
    Object.entries({ PATH: process.env['PATH'], ...gitEnvironment }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  return simpleGit({
    baseDir: repository,
    timeout: { block: timeoutMs },
    // GIT_CONFIG_GLOBAL=/dev/null is what keeps foreign configuration out; simple-git counts naming it as unsafe.
    unsafe: { allowUnsafeConfigPaths: true },
    allowEnvironment: Object.keys(environment),
    errors(error, result) {
      if (error !== undefined) return error;
      if (result.exitCode === 0) return undefined;
      return Buffer.concat([...result.stdErr, Buffer.from(`exit status ${result.exitCode}`)]);
    },
  }).env(environment);
}

/**
 * The commit of a name. A full sha is taken as it is: whether it is here is found out when it is read, so that one
 * missing commit does not stop the others.
 */
export async function resolveCommit(repository: string, name: string): Promise<string> {
  if (fullSha.test(name)) return name;
  if (name.startsWith('-') || /[\0\n]/.test(name))
    throw syncFailure({
      code: 'usage',
      why: `This is not a name of a commit: ${JSON.stringify(name)}`,
      next: 'Give a sha, a branch or a tag.',
    });
  try {
    const answer = await openGit(repository).raw(['rev-parse', '--verify', '--quiet', `${name}^{commit}`]);
    const sha = answer.trim();
    if (fullSha.test(sha)) return sha;
  } catch (error) {
    throw syncFailure({ code: 'unknown-commit', name, repository }, error);
  }
  throw syncFailure({ code: 'unknown-commit', name, repository });
}
