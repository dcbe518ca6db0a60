// One night: lock, repositories, plan, branch, pull request, status issue; everything found or done comes back as one value.
import { createHash } from 'node:crypto';
import type { ExitCode } from '../../core/exit-code.ts';
import { exitCode } from '../../core/exit-code.ts';
import { skipReasons } from '../decide/decision.ts';
import { openGit } from '../git/resolve-commit.ts';
import { type Engine, openEngine } from '../pick/open-engine.ts';
import { engineHash } from '../pick/pick-cache.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { checkBuild } from '../publish/build-check.ts';
import { formatDashboard } from '../publish/dashboard.ts';
import type { Forge } from '../publish/forge.ts';
import { openRemote } from '../publish/git-remote.ts';
import { type ConnectedGitHub, connectGitHub } from '../publish/github/connect.ts';
import { readCredentials } from '../publish/github/credentials.ts';
import { openGitHubForge } from '../publish/github/github-forge.ts';
import { checkGoBuild } from '../publish/go-build-check.ts';
import { needsPerson } from '../publish/publish-plan.ts';
import { type RunResult, runBranch } from '../publish/run-branch.ts';
import { openWriteGate, type WriteGate } from '../publish/write-gate.ts';
import type { RulePack } from '../rules/model.ts';
import { noScanCache, openScanCache } from '../scan/scan-cache.ts';
import type { OpenScan } from '../scan/scan-repositories.ts';
import type { ScanTip } from '../scan/scan-result.ts';
import { commitLinks } from './commit-links.ts';
import type { NightlyConfig } from './load-config.ts';
import { takeLock } from './lock.ts';
import { openOfflineForge } from './offline-forge.ts';
import { openScanPlanner } from './scan-planner.ts';

export interface NightOptions {
  readonly config: NightlyConfig;
  readonly pack: RulePack;
  readonly publish: boolean;
  /** No forge at all; only without `publish`. */
  readonly offline: boolean;
  /** The running program's own file, whose hash keys caches. */
  readonly program: string;
  /** A line for people about what is being done. */
  readonly tell: (line: string) => void;
  /** Asked before each write; a signal sets it. */
  readonly stop: () => boolean;
  /** The upstream branches to look at. */
  readonly upstreamTips: () => Promise<readonly ScanTip[]>;
  /** Told the plan that the run went by, while everything is open. */
  readonly review?: (engine: Engine, open: OpenScan, plan: RunPlan) => Promise<void>;
}

export interface Night {
  readonly result: RunResult;
  readonly written: readonly string[];
  readonly told: readonly string[];
  readonly refused: readonly string[];
  readonly apiCalls: number;
  readonly milliseconds: number;
  readonly statusIssue: string | undefined;
  readonly exit: ExitCode;
}

export const statusTopic = 'status';

export async function runNight(options: NightOptions): Promise<Night> {
  const { config, pack } = options;
  const begun = performance.now();
  const deadline = begun + config.limits.minutes * 60_000;
  const gate = openWriteGate({
    publish: options.publish,
    limit: config.limits.writes,
    stop: () => options.stop() || performance.now() > deadline,
    tell: options.tell,
  });
  const unlock = takeLock(config.cache);
  try {
    const github = options.offline ? undefined : await connect(options, gate);
    const forge = github === undefined ? openOfflineForge(gate) : github.forge;
    const result = await runOnEngine(options, gate, forge, github);
    const statusIssue = await bringStatusUpToDate(config, pack, forge, result);
    return {
      result,
      written: gate.written,
      told: gate.told,
      refused: gate.refused,
      apiCalls: github?.calls() ?? 0,
      milliseconds: performance.now() - begun,
      statusIssue,
      exit: exitOf(result, gate),
    };
  } finally {
    unlock();
  }
}

type Connection = ConnectedGitHub & { readonly forge: Forge };

async function connect({ config, publish, tell }: NightOptions, gate: WriteGate): Promise<Connection> {
  const github = await connectGitHub({
    apiUrl: config.forge.apiUrl,
    credentials: readCredentials(config.forge),
    repository: config.publish.repository,
    login: config.forge.login,
    mustWrite: publish,
    longestWait: config.limits.waitSeconds,
    onWait: (why, seconds) => tell(`waits ${seconds} s for ${why}`),
    secondMs: config.limits.pauseMilliseconds,
  });
  const forge = openGitHubForge({
    client: github.client,
    gate,
    login: github.login,
    secondMs: config.limits.pauseMilliseconds,
  });
  return { ...github, forge };
}

async function runOnEngine(
  options: NightOptions,
  gate: WriteGate,
  forge: Forge,
  github: ConnectedGitHub | undefined,
): Promise<RunResult> {
  const { config, pack, program } = options;
  const engine = await openEngine({
    upstream: config.upstream,
    fork: config.fork,
    cache: config.cache,
    pack,
    program,
    note: options.tell,
  });
  try {
    return await onEngine(options, gate, forge, github, engine);
  } finally {
    await engine.close();
  }
}

async function onEngine(
  options: NightOptions,
  gate: WriteGate,
  forge: Forge,
  github: ConnectedGitHub | undefined,
  engine: Engine,
): Promise<RunResult> {
  const { config, pack, program } = options;
  const { publish, preflight } = config;
  const maker = engineHash(program);
  const cache =
    maker === undefined
      ? noScanCache
      : openScanCache(
          engine.gitDir,
          createHash('sha256').update(`${maker}\0${pack.hash}`).digest('hex'),
          options.tell,
        );
  try {
    let last: { readonly open: OpenScan; readonly plan: RunPlan } | undefined;
    const planner = openScanPlanner({
      engine,
      cache,
      upstream: await options.upstreamTips(),
      upstreamBranches: await branchesOf(config.upstream),
      forkBranches: await branchesOf(config.fork),
      limit: config.limits.commits,
      onPlan: (open, plan) => {
        last = { open, plan };
      },
    });
    const token = async (): Promise<string | undefined> => github?.token();
    const local = options.offline ? `file://${config.fork}` : undefined;
    const remote = openRemote({ url: local ?? publish.remote, gitDir: engine.gitDir, token });
    const baseUrl = local ?? publish.baseRemote;
    const baseRemote =
      baseUrl === remote.url ? remote : openRemote({ url: baseUrl, gitDir: engine.gitDir, token });
    const statusThread = await forge.findIssue(publish.repository, statusTopic);
    const result = await runBranch({
      settings: {
        repository: publish.repository,
        headRepository: publish.headRepository,
        base: publish.base,
        branch: publish.branch,
        title: publish.title,
        labels: publish.labels,
        personLabel: publish.personLabel,
        decisions: publish.decisions,
        skipReasons,
        links: commitLinks(config, pack),
        preflight: { forbiddenTrailerWords: preflight.forbiddenTrailerWords },
      },
      forge,
      gate,
      remote,
      baseRemote,
      engine,
      planner,
      statusThread,
      build: async (commit, plan) => {
        const { build, go, buildMinutes, buildEnvironment: environment } = preflight;
        const common = { gitDir: engine.gitDir, timeoutMs: buildMinutes * 60_000, environment };
        if (build !== undefined) {
          options.tell(`builds ${commit.slice(0, 12)}`);
          const failed = await checkBuild({ ...common, commit, argv: build });
          if (failed !== undefined) return failed;
        }
        if (!go) return undefined;
        const wholeMs = goBuilds * common.timeoutMs;
        return checkGoBuild({ ...common, wholeMs, objects: engine.objects }, plan, options.tell);
      },
    });
    if (last !== undefined) await options.review?.(engine, last.open, last.plan);
    return result;
  } finally {
    cache.close();
  }
}

async function branchesOf(repository: string): Promise<readonly string[]> {
  const listed = await openGit(repository).raw([
    'for-each-ref',
    '--format=%(objectname)',
    'refs/heads',
    'refs/remotes',
  ]);
  return [...new Set(listed.split('\n').filter((line) => line !== ''))].toSorted();
}

/** So many times as long as one build may take, for all builds by Go of a night. */
const goBuilds = 3;

const outcomeTexts: Readonly<Record<RunResult['outcome'], string>> = {
  published: 'The pull request is up to date:',
  unchanged: 'The pull request is up to date:',
  'would-publish': 'The pull request is up to date:',
  'nothing-to-push': 'Nothing is ready to be proposed.',
  'person-on-branch': 'The branch belongs to a person now:',
  declined: 'The pull request was closed:',
  'build-failed': 'The build failed, and nothing was pushed.',
  'over-limit': 'The run is not finished; the next one goes on.',
};

async function bringStatusUpToDate(
  config: NightlyConfig,
  pack: RulePack,
  forge: Forge,
  { plan, outcome, pullRequest, notices }: RunResult,
): Promise<string | undefined> {
  // What is not finished says so on the next run, when it is: half a state is not worth a notification.
  if (outcome === 'over-limit') return undefined;
  const { publish } = config;
  const line = {
    plan,
    outcome: outcomeTexts[outcome],
    pullRequest: pullRequest?.url,
    notices,
    links: commitLinks(config, pack),
  };
  const issue = await forge.ensureIssue({
    repository: publish.repository,
    topic: statusTopic,
    title: publish.statusTitle,
    body: formatDashboard([line]),
    labels: publish.labels,
  });
  return issue.value?.url;
}

/** 5 to be resumed, 3 for a person, 4 when there was nothing to do, else 0. */
function exitOf({ outcome, plan }: RunResult, gate: WriteGate): ExitCode {
  if (outcome === 'over-limit' || gate.refused.length > 0) return exitCode.interrupted;
  if (outcome === 'person-on-branch' || outcome === 'build-failed') return exitCode.blocked;
  if (gate.written.length === 0 && gate.told.length === 0) return exitCode.nothingToDo;
  return needsPerson(plan) ? exitCode.blocked : exitCode.done;
}
