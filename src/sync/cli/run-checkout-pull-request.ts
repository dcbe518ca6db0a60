// `fork-sync checkout PULL_REQUEST DIR`: a conflict of a run's pull request in a folder, for a person to finish.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { inert } from '../../core/text.ts';
import { ownCall } from '../own-command.ts';
import { syncFailure } from '../problem.ts';
import { checkoutPullRequest } from '../publish/checkout-pull-request.ts';
import { connectGitHub } from '../publish/github/connect.ts';
import { readCredentials } from '../publish/github/credentials.ts';
import { openGitHubForge } from '../publish/github/github-forge.ts';
import { openWriteGate } from '../publish/write-gate.ts';
import { readPullRequestUrl } from './pull-request-url.ts';

/** Reads only; a token (in FORK_SYNC_TOKEN) is needed where the repository is not public. */
export async function runCheckoutPullRequest(
  url: string,
  folder: string,
  options: { readonly commit?: string },
): Promise<ExitCode> {
  const { origin } = new URL(url);
  const apiUrl = origin === 'https://github.com' ? 'https://api.github.com' : `${origin}/api/v3`;
  const thread = readPullRequestUrl(url, origin);
  const github = await connectGitHub({
    apiUrl,
    credentials: readCredentials({}),
    repository: thread.repository,
    login: undefined,
    mustWrite: false,
    longestWait: 60,
    onWait: (why, seconds) => process.stderr.write(`waits ${seconds} s for ${inert(why)}\n`),
  });
  const gate = openWriteGate({ publish: false, limit: 0 });
  const pull = await openGitHubForge({ client: github.client, gate, login: github.login }).readPullRequest(
    thread,
  );
  if (pull.cloneUrl === undefined)
    throw syncFailure({
      code: 'checkout-refused',
      path: url,
      why: 'the repository of its branch is gone',
      next: `Pick the upstream commit anew: ${ownCall(['checkout', 'COMMIT', 'DIR', '--onto', 'FORK_COMMIT'], 'nothing')}`,
    });
  const { upstream, open } = await checkoutPullRequest({
    cloneUrl: pull.cloneUrl,
    branch: pull.branch,
    folder,
    commit: options.commit?.toLowerCase(),
    token: () => github.token(),
  });
  const lines = [
    `${upstream.slice(0, 12)} on top of ${pull.branch}: laid out in ${folder}`,
    ...open.map((path) => `  to solve: ${path}`),
    open.length === 0
      ? 'It merges by now: look at it, git commit --amend --signoff, git push.'
      : `Then: git add, git commit -s (the message is prepared), git push origin ${pull.branch}.`,
  ];
  process.stdout.write(`${lines.map(inert).join('\n')}\n`);
  return exitCode.done;
}
