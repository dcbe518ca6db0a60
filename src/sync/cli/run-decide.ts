// `fork-sync skip|park|take|reopen`: writes what a person decided about an upstream commit as a file in the pack.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { run } from '../../core/run.ts';
import { inert } from '../../core/text.ts';
import {
  type Decision,
  removeDecision,
  type SkipReason,
  skipReasons,
  writeDecision,
} from '../decide/decision.ts';
import { openGit, resolveCommit } from '../git/resolve-commit.ts';
import { syncFailure } from '../problem.ts';
import { upstreamTips } from './open-scan.ts';
import { needRepositories, needUpstream, openPack, type RepositoryOptions, refuseUnused } from './options.ts';

export interface DecideOptions extends RepositoryOptions {
  readonly by?: string;
  readonly why?: string;
  readonly reason?: string;
  readonly lookAgainWhen?: string;
  readonly forkCommit?: string;
  readonly onto?: string;
}

export type DecisionKind = Decision['decision'];

export async function runDecide(
  kind: DecisionKind,
  commit: string,
  options: DecideOptions,
): Promise<ExitCode> {
  const pack = openPack(options);
  if (options.lookAgainWhen === undefined)
    refuseUnused(options, ['onto'], 'without --look-again-when, for which it says since when');
  const upstream = needUpstream(options);
  const sha = await existingCommit(upstream, commit);
  await refuseMerge(upstream, sha);
  const base = { upstream: sha, by: await personOf(options), on: today(), why: needWhy(options) };
  const decision = await decisionOf(kind, base, options);
  const path = writeDecision(pack.folder, decision);
  process.stdout.write(`${inert(path)}\n`);
  return exitCode.done;
}

export async function runReopen(commit: string, options: RepositoryOptions): Promise<ExitCode> {
  const pack = openPack(options);
  const sha = await existingCommit(needUpstream(options), commit);
  if (removeDecision(pack.folder, sha)) return exitCode.done;
  process.stderr.write(`Nothing was decided about ${sha}.\n`);
  return exitCode.nothingToDo;
}

async function decisionOf(
  kind: DecisionKind,
  base: Omit<Decision, 'decision' | 'fork' | 'reason'>,
  options: DecideOptions,
): Promise<Decision> {
  switch (kind) {
    case 'park':
    case 'alone':
      return { ...base, decision: kind };
    case 'take': {
      if (options.forkCommit === undefined)
        throw syncFailure({
          code: 'usage',
          why: 'Which fork commit has the change is not said.',
          next: 'Give --fork-commit COMMIT.',
        });
      return {
        ...base,
        decision: 'take',
        fork: await existingCommit(needRepositories(options).fork, options.forkCommit),
      };
    }
    case 'skip': {
      const reason = readReason(options.reason);
      if (options.lookAgainWhen === undefined) return { ...base, decision: 'skip', reason };
      const { upstream, fork } = needRepositories(options);
      const tips = await upstreamTips(upstream, openPack(options), undefined);
      const seen = {
        upstream: tips.map((tip) => tip.sha),
        fork: await existingCommit(fork, options.onto ?? 'HEAD'),
      };
      return { ...base, decision: 'skip', reason, lookAgainWhen: options.lookAgainWhen, seen };
    }
  }
}

function readReason(text: string | undefined): SkipReason {
  const found = skipReasons.find((reason) => reason === text);
  if (found !== undefined) return found;
  throw syncFailure({
    code: 'usage',
    why: text === undefined ? 'A skip needs a reason.' : `No reason is called ${JSON.stringify(text)}.`,
    next: `Give --reason with one of ${skipReasons.join(', ')}.`,
  });
}

function needWhy(options: DecideOptions): string {
  const why = options.why?.trim() ?? '';
  if (why !== '') return why;
  throw syncFailure({
    code: 'usage',
    why: 'A decision is read years later: it needs a sentence that says why.',
    next: 'Give --why TEXT.',
  });
}

/** A decision about a commit that is not there would never be seen again. */
async function existingCommit(repository: string, name: string): Promise<string> {
  const sha = await resolveCommit(repository, name);
  try {
    await openGit(repository).raw(['cat-file', '-e', `${sha}^{commit}`]);
    return sha;
  } catch (error) {
    throw syncFailure({ code: 'unknown-commit', name, repository }, error);
  }
}

/** Merges are in no queue: what is said of one would never be looked at. */
async function refuseMerge(repository: string, sha: string): Promise<void> {
  const parents = await openGit(repository).raw(['show', '-s', '--format=%P', sha]);
  if (!parents.trim().includes(' ')) return;
  throw syncFailure({
    code: 'usage',
    why: `${sha} is a merge: the commits that it brought stand for themselves.`,
    next: 'Decide about each of them.',
  });
}

/** Who decides: as asked, or as git would name the author of a commit made here. */
async function personOf(options: DecideOptions): Promise<string> {
  const person =
    options.by ??
    (await run(['git', 'var', 'GIT_AUTHOR_IDENT'], { timeoutMs: 10_000, accept: 'any' })).stdout
      .toString('utf8')
      .replace(/ \d+ [+-]\d+\s*$/, '');
  if (/^[^<>\n]+ <[^<>\s]+>$/.test(person)) return person;
  throw syncFailure({
    code: 'usage',
    why: 'Who decides is not known.',
    next: 'Give --by "Name <mail>", or set user.name and user.email in git.',
  });
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
