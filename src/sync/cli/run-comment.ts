// `fork-sync comment --pr URL`: what the commits of a pull request are as picks; said there only where we may write.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { inert, inertButTabs } from '../../core/text.ts';
import { resolveCommit } from '../git/resolve-commit.ts';
import { commitLinks } from '../nightly/commit-links.ts';
import { webOf } from '../nightly/load-config.ts';
import { previewFork, previewUpstream } from '../nightly/preview.ts';
import { statusTopic } from '../nightly/run-night.ts';
import { ownCall } from '../own-command.ts';
import { openEngine } from '../pick/open-engine.ts';
import { syncFailure } from '../problem.ts';
import type { Forge, Thread } from '../publish/forge.ts';
import { openRemote } from '../publish/git-remote.ts';
import { connectGitHub } from '../publish/github/connect.ts';
import { readCredentials } from '../publish/github/credentials.ts';
import { openGitHubForge } from '../publish/github/github-forge.ts';
import { formatPreview } from '../publish/plan-comment.ts';
import type { PlanEntry } from '../publish/publish-plan.ts';
import { isSameRepository } from '../publish/same-repository.ts';
import { openWriteGate } from '../publish/write-gate.ts';
import { type ConfigAndPack, openConfig } from './open-config.ts';
import { readPullRequestUrl } from './pull-request-url.ts';

/** docs.github.com, List commits on a pull request. */
const mostCommits = 250;

export interface CommentOptions {
  readonly pr?: string;
  readonly config?: string;
  readonly publish?: boolean;
  readonly toStatus?: boolean;
}

export async function runComment(options: CommentOptions): Promise<ExitCode> {
  const opened = openConfig(options.config);
  const { config } = opened;
  const thread = readPullRequestUrl(options.pr ?? '', webOf(config.forge.apiUrl));
  const mine = config.publish.repositories.some((one) => isSameRepository(one, thread.repository));
  const publish = options.publish === true && (mine || options.toStatus === true);
  if (options.publish === true && !publish)
    throw syncFailure({
      code: 'usage',
      why: `${thread.repository} is not listed in publish.repositories: nothing is written there.`,
      next: 'Leave out --publish to see the preview, or give --to-status for the status issue of the fork.',
    });
  const gate = openWriteGate({
    publish,
    limit: config.limits.writes,
    tell: (line) => process.stderr.write(`${line}\n`),
  });
  const github = await connectGitHub({
    apiUrl: config.forge.apiUrl,
    credentials: readCredentials(config.forge),
    repository: config.publish.repository,
    login: config.forge.login,
    mustWrite: publish,
    longestWait: config.limits.waitSeconds,
    onWait: (why, seconds) => process.stderr.write(`waits ${seconds} s for ${inert(why)}\n`),
    secondMs: config.limits.pauseMilliseconds,
  });
  const forge = openGitHubForge({
    client: github.client,
    gate,
    login: github.login,
    secondMs: config.limits.pauseMilliseconds,
  });
  const entries = await preview(opened, forge, thread, mine, () => github.token());
  if (entries.length === 0) {
    process.stderr.write('No commit of it names an upstream commit.\n');
    return exitCode.nothingToDo;
  }
  const texts = formatPreview(entries, {
    title: `### As picks: ${thread.repository} pull request ${thread.number}`,
    links: commitLinks(config, opened.pack),
  });
  process.stdout.write(
    `${texts.map((text) => text.split('\n').map(inertButTabs).join('\n')).join('\n\n')}\n`,
  );
  if (options.toStatus !== true) {
    if (mine) await forge.ensureComments(thread, 'preview', texts);
  } else {
    const status = await forge.findIssue(config.publish.repository, statusTopic);
    if (status === undefined)
      throw syncFailure({
        code: 'usage',
        why: 'The fork has no status issue yet.',
        next: `Run once: ${ownCall(['nightly', '--config', config.path, '--publish'], 'nothing')}`,
      });
    const topic = `preview-${thread.repository}-${thread.number}`.toLowerCase().replace(/[^a-z0-9-]/g, '-');
    await forge.ensureComments(status, topic, texts);
  }
  if (gate.refused.length > 0) return exitCode.interrupted;
  return entries.some(({ state }) => state === 'blocked' || state === 'conflict')
    ? exitCode.blocked
    : exitCode.done;
}

async function preview(
  { config, pack }: ConfigAndPack,
  forge: Forge,
  thread: Thread,
  mine: boolean,
  token: () => Promise<string | undefined>,
): Promise<readonly PlanEntry[]> {
  const pull = await forge.readPullRequest(thread);
  const shas = await forge.readPullRequestCommits(thread);
  if (shas.length >= mostCommits)
    process.stderr.write(
      `GitHub lists the first ${mostCommits} commits of a pull request: what follows them is not shown.\n`,
    );
  const engine = await openEngine({
    upstream: config.upstream,
    fork: config.fork,
    cache: config.cache,
    pack,
    program: import.meta.filename,
  });
  try {
    if (mine) {
      const { cloneUrl } = pull;
      const absent = [];
      for (const sha of shas) if ((await engine.objects.commitIfHere(sha)) === undefined) absent.push(sha);
      if (absent.length > 0 && cloneUrl !== undefined)
        await openRemote({ url: cloneUrl, gitDir: engine.gitDir, token }).fetch([
          `refs/heads/${pull.branch}`,
        ]);
      return await previewFork(engine, shas);
    }
    const onto = await resolveCommit(config.fork, config.publish.base);
    return await previewUpstream(engine, shas, { branch: pull.base, onto });
  } finally {
    await engine.close();
  }
}
