// One run: reads the branch and what people said, plans, looks once more, pushes, and brings pull request and comments up to date.
import { formatCommit } from '../git/commit.ts';
import { fileMode, formatTree } from '../git/tree.ts';
import type { Engine } from '../pick/open-engine.ts';
import { syncFailure } from '../problem.ts';
import { type BranchRefs, branchRef, changesFor, isForeign, planRef, readBranchRefs } from './branch-refs.ts';
import { makeConflictCommits } from './conflict-commits.ts';
import { makeDecisionCommit, onlyDecisions, readDecisionFiles } from './decision-files.ts';
import type { CommitLinks } from './entry-text.ts';
import type { Ensured, Forge, PullRequest, Thread } from './forge.ts';
import type { GitRemote } from './git-remote.ts';
import { inertBlock, inertCode } from './inert-markdown.ts';
import { formatKeptPlan, readKeptPlan } from './kept-plan.ts';
import {
  answerTopic,
  asksAfterClosing,
  findRequests,
  type Obeyed,
  obeyCommands,
  type Request,
  retriesIn,
} from './obey-commands.ts';
import { formatPlanComment } from './plan-comment.ts';
import type { PlannedRun, Planner } from './planner.ts';
import { checkFiles, checkMessage, type Finding, type PreflightOptions } from './preflight.ts';
import { isPick, needsPerson, type PublishPlan } from './publish-plan.ts';
import { formatBody, formatTitle } from './pull-request-text.ts';
import { pushInOrder } from './push-in-order.ts';
import type { WriteGate } from './write-gate.ts';

export interface RunSettings {
  readonly repository: string;
  readonly headRepository: string;
  readonly base: string;
  readonly branch: string;
  readonly title: string;
  readonly labels: readonly string[];
  /** Put on while a person has to do something. */
  readonly personLabel: string;
  /** Folder for decisions in the fork; undefined: there is none. */
  readonly decisions: string | undefined;
  readonly skipReasons: readonly string[];
  readonly links: CommitLinks;
  readonly preflight: PreflightOptions;
}

export interface RunParts {
  readonly settings: RunSettings;
  readonly forge: Forge;
  readonly gate: WriteGate;
  /** The repository with the branch, and the one with the base (often the same). */
  readonly remote: GitRemote;
  readonly baseRemote: GitRemote;
  readonly engine: Engine;
  readonly planner: Planner;
  /** The status issue, where it is there: people may give commands on it too. */
  readonly statusThread: Thread | undefined;
  /** Undefined: it went well, or there is no build. */
  readonly build: (commit: string, plan: PublishPlan) => Promise<string | undefined>;
}

export type RunOutcome =
  | 'published'
  | 'unchanged'
  | 'nothing-to-push'
  | 'would-publish'
  | 'person-on-branch'
  | 'declined'
  | 'build-failed'
  | 'over-limit';

export interface RunResult {
  readonly outcome: RunOutcome;
  readonly plan: PublishPlan;
  readonly pullRequest: PullRequest | undefined;
  /** What people have to know besides the commits, as long as it is so; Markdown. */
  readonly notices: readonly string[];
  /** What happened in this run alone: on the status issue it would have to be taken off again by the next one. */
  readonly remarks: readonly string[];
}

export async function runBranch(parts: RunParts): Promise<RunResult> {
  const { settings, forge, engine } = parts;
  const baseRef = branchRef(settings.base);
  const together = parts.baseRemote.url === parts.remote.url;
  const refs = await readBranchRefs(parts.remote, settings.branch, together ? [baseRef] : []);
  const before = await forge.findPullRequest(settings);
  const threads = [before, parts.statusThread].filter((thread) => thread !== undefined);
  const requests = await findRequests(forge, threads);
  const retry = retriesIn(requests).length > 0;
  const declined = before?.state === 'closed' && !(await asksAfterClosing(forge, before, requests));
  // A branch that lives on after its pull request was merged holds nothing of anybody's.
  const merged = before?.state === 'merged' && before.head === refs.head;
  const foreign = isForeign(refs) && !merged;

  const baseHead = (together ? refs.all : await parts.baseRemote.list([baseRef])).get(baseRef);
  if (baseHead === undefined)
    throw syncFailure({ code: 'unknown-commit', name: settings.base, repository: parts.baseRemote.url });
  await fetchMissing(parts, parts.baseRemote, [[baseRef, baseHead]]);
  const ours = refs.head !== undefined && !foreign && !merged && before?.state === 'open';
  if (ours)
    await fetchMissing(parts, parts.remote, [
      [branchRef(settings.branch), refs.head],
      [planRef(settings.branch), refs.plan],
    ]);
  const kept = ours && !retry ? await lastOnto(engine, refs) : undefined;

  const folder = settings.decisions;
  const read = async (commit: string): Promise<ReadonlyMap<string, string>> =>
    folder === undefined ? new Map() : readDecisionFiles(engine.objects, commit, folder);
  const inBase = await read(baseHead);
  const onBranch = ours && refs.head !== undefined ? await read(refs.head) : new Map<string, string>();
  const decided = new Map([...inBase, ...onBranch]);
  const obeyed = await obeyCommands({
    requests,
    planner: parts.planner,
    decisions: decided,
    obstacle: obstacleOf({ foreign, declined, folder }),
    onto: baseHead,
    skipReasons: settings.skipReasons,
  });
  for (const [name, text] of obeyed.changes)
    if (text === undefined) decided.delete(name);
    else decided.set(name, text);

  const planned = await planFor(parts, kept, baseHead, onlyDecisions(decided));
  const { plan } = planned;
  const { onto } = plan;
  const head = await onTop(parts, planned.plan.head, decided, inBase, obeyed, refs);
  const base: Omit<RunResult, 'outcome'> = { plan, pullRequest: before, notices: [], remarks: [] };

  if (foreign) {
    const notice = `The branch ${inertCode(settings.branch)} has commits of a person (${sha(refs.head)} instead of ${sha(refs.pushed)}): it is not touched any more. Merge or close the pull request, or delete the branch, and the next run makes a new one.`;
    await answer(parts, obeyed, plan);
    return { ...base, outcome: 'person-on-branch', notices: [notice] };
  }
  if (declined) {
    await answer(parts, obeyed, plan);
    const notice = `The pull request was closed: that is taken as a no. Somebody can say \`/sync retry\` in it to have a new one.`;
    return { ...base, outcome: 'declined', notices: [notice] };
  }
  if (head === onto && before?.state !== 'open') {
    await answer(parts, obeyed, plan);
    return { ...base, outcome: 'nothing-to-push' };
  }
  return publish(parts, { planned, head, refs, obeyed, retry, before });
}

/** On the fork commit that the branch stands on already, unless some of its commits came into the fork otherwise. */
async function planFor(
  parts: RunParts,
  kept: string | undefined,
  baseHead: string,
  decisions: ReadonlyMap<string, string>,
): Promise<PlannedRun> {
  if (kept === undefined || kept === baseHead) return planChecked(parts, baseHead, decisions);
  const planned = await planChecked(parts, kept, decisions);
  for (const { upstream } of planned.plan.entries)
    if ((await parts.planner.forkCommitsOf(upstream, baseHead)).length > 0)
      return planChecked(parts, baseHead, decisions);
  return planned;
}

/** What an earlier run made is here already, unless the cache was deleted. */
async function fetchMissing(
  { engine }: RunParts,
  remote: GitRemote,
  refs: readonly (readonly [string, string | undefined])[],
): Promise<void> {
  const missing: string[] = [];
  for (const [ref, commit] of refs)
    if (commit !== undefined && (await engine.objects.commitIfHere(commit)) === undefined) missing.push(ref);
  if (missing.length > 0) await remote.fetch(missing);
}

interface ToPublish {
  readonly planned: PlannedRun;
  readonly head: string;
  readonly refs: BranchRefs;
  readonly obeyed: Obeyed;
  readonly retry: boolean;
  readonly before: PullRequest | undefined;
}

async function publish(parts: RunParts, wanted: ToPublish): Promise<RunResult> {
  const { settings, forge, engine, gate } = parts;
  const { planned, head, refs, obeyed, before } = wanted;
  const { plan } = planned;
  const written = gate.written.length;
  const conflicts = [];
  for (const pick of planned.conflicts) conflicts.push(await makeConflictCommits(engine, pick));
  const planCommit = await keepPlan(engine, plan);
  await engine.writer.flush(engine.gitDir);
  const changes = changesFor(settings.branch, refs, { head, plan: planCommit, conflicts });
  const base: Omit<RunResult, 'outcome'> = { plan, pullRequest: before, notices: [], remarks: [] };
  if (changes.length > 0) {
    const failed = head === refs.head ? undefined : await parts.build(head, plan);
    if (failed !== undefined) {
      const notice = `The build failed on the finished branch, which was not pushed.\n\n${inertBlock(failed.split('\n').slice(-30))}`;
      return { ...base, outcome: 'build-failed', notices: [notice] };
    }
    const answered = gate.ask(
      `push ${settings.branch} (${head.slice(0, 12)}, ${changes.length} refs) to ${settings.headRepository}`,
    );
    if (answered === 'over-limit') return { ...base, outcome: 'over-limit' };
    if (answered === 'go' && (await pushInOrder(parts.remote, changes)) === 'moved')
      return {
        ...base,
        outcome: 'person-on-branch',
        notices: [`Somebody pushed to ${inertCode(settings.branch)} at the same moment: their commits stay.`],
      };
  }
  const pull = await forge.ensurePullRequest({
    repository: settings.repository,
    headRepository: settings.headRepository,
    base: settings.base,
    branch: settings.branch,
    title: formatTitle(settings.title, settings.base, plan, engine.pack.info.stableBranches),
    body: formatBody(plan),
    draft: needsPerson(plan),
    evenIfClosed: wanted.retry,
  });
  if (pull.outcome === 'over-limit') return { ...base, outcome: 'over-limit' };
  const results: Ensured<unknown>[] = [pull];
  const remarks: string[] = [];
  const { value } = pull;
  if (value !== undefined) {
    const labels = [...settings.labels, ...(needsPerson(plan) ? [settings.personLabel] : [])];
    results.push(await forge.ensureLabels(value, labels, [...settings.labels, settings.personLabel]));
    const texts = formatPlanComment(plan, {
      pullRequest: value.url,
      branch: settings.branch,
      cloneUrl: value.cloneUrl,
      remoteHead: head,
      links: settings.links,
      notices: [],
    });
    const comments = await forge.ensureComments(value, 'plan', texts);
    results.push(...comments);
    if (comments.some((one) => one.outcome === 'updated' && one.edited))
      remarks.push("Somebody had edited the plan comment; that text is in the comment's history of edits.");
  }
  await answer(parts, obeyed, plan);
  const stopped = gate.refused.length > 0 || results.some(({ outcome }) => outcome === 'over-limit');
  const did = gate.written.length > written;
  const outcome = stopped
    ? 'over-limit'
    : did
      ? 'published'
      : gate.told.length > 0
        ? 'would-publish'
        : 'unchanged';
  return { plan, pullRequest: value ?? before, notices: [], remarks, outcome };
}

function sha(value: string | undefined): string {
  return value === undefined ? 'nothing' : `\`${value.slice(0, 12)}\``;
}

function obstacleOf(state: {
  readonly foreign: boolean;
  readonly declined: boolean;
  readonly folder: string | undefined;
}): string | undefined {
  if (state.foreign)
    return 'Nothing was changed: the branch has commits of a person and is not touched any more.';
  if (state.declined) return 'Nothing was changed: the pull request is closed. Say `/sync retry` first.';
  if (state.folder === undefined)
    return 'Nothing was changed: this fork has no folder for decisions (`publish.decisions`).';
  return undefined;
}

/** The fork commit under the branch as it is: an open pull request is not moved under its reviewers' eyes. */
async function lastOnto(engine: Engine, refs: BranchRefs): Promise<string | undefined> {
  if (refs.plan === undefined) return undefined;
  const commit = await engine.objects.commitIfHere(refs.plan);
  const entry = commit === undefined ? undefined : await engine.objects.entry(commit.tree, 'plan.json');
  if (entry === undefined) return undefined;
  const text = await engine.objects.textIfHere(entry.sha);
  const onto = text === undefined ? undefined : readKeptPlan(text);
  return onto !== undefined && (await engine.objects.commitIfHere(onto)) !== undefined ? onto : undefined;
}

/** Plans, looks at every pick once more, and plans again without what may not be pushed like this. */
async function planChecked(
  parts: RunParts,
  onto: string,
  decisions: ReadonlyMap<string, string>,
): Promise<PlannedRun> {
  const held = new Map<string, readonly string[]>();
  // Ends: each round but the last one holds back at least one commit more.
  for (;;) {
    const planned = await parts.planner.plan({ onto, decisions, held });
    const looks = new Map<string, readonly Finding[]>();
    const before = held.size;
    for (const entry of planned.plan.entries) {
      if (!isPick(entry) || entry.commit === undefined) continue;
      const commit = await parts.engine.objects.commit(entry.commit);
      const findings = [
        ...checkMessage(commit, parts.engine.pack, parts.settings.preflight),
        ...(await checkFiles(commit, parts.engine.objects, parts.engine.pack)),
      ].map((finding) => ({ ...finding, why: utf8(finding.why) }));
      const holding = findings.filter(({ holds }) => holds);
      if (holding.length > 0)
        held.set(
          entry.upstream,
          holding.map(({ check, why }) => `${check}: ${why}`),
        );
      else if (findings.length > 0) looks.set(entry.upstream, findings);
    }
    if (held.size === before) return { ...planned, plan: withLooks(planned.plan, looks) };
  }
}

function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** A pick that a person should look at is a review. */
function withLooks(plan: PublishPlan, looks: ReadonlyMap<string, readonly Finding[]>): PublishPlan {
  return {
    ...plan,
    entries: plan.entries.map((entry) => {
      const found = looks.get(entry.upstream);
      if (found === undefined || !isPick(entry)) return entry;
      const doubts = found.map(({ check, why, path }) => ({ path: utf8(path ?? ''), rule: check, why }));
      return {
        ...entry,
        state: entry.state === 'clean' ? 'review' : entry.state,
        doubts: [...entry.doubts, ...doubts],
      };
    }),
  };
}

/** The picks with what people decided on top; the same decisions give the same commit. */
async function onTop(
  parts: RunParts,
  picks: string,
  decided: ReadonlyMap<string, string>,
  inBase: ReadonlyMap<string, string>,
  obeyed: Obeyed,
  refs: BranchRefs,
): Promise<string> {
  const { engine, settings } = parts;
  if (settings.decisions === undefined) return picks;
  const changes = new Map<string, string | undefined>();
  for (const [name, text] of decided) if (inBase.get(name) !== text) changes.set(name, text);
  for (const name of inBase.keys()) if (!decided.has(name)) changes.set(name, undefined);
  if (changes.size === 0) return picks;
  const last = refs.head === undefined ? undefined : await engine.objects.commitIfHere(refs.head);
  return makeDecisionCommit(engine.objects, engine.writer, {
    parent: picks,
    folder: settings.decisions,
    changes,
    committer: engine.pack.info.committer,
    time: obeyed.time ?? last?.committer.time ?? 0,
  });
}

/** The plan as a commit of its own, which a ref keeps on the remote. */
async function keepPlan(engine: Engine, plan: PublishPlan): Promise<string> {
  const { writer, objects, pack } = engine;
  const { committer } = await objects.commit(plan.onto);
  const blob = writer.put('blob', Buffer.from(formatKeptPlan(plan)));
  const tree = writer.put('tree', formatTree([{ mode: fileMode.file, name: 'plan.json', sha: blob }]));
  const who = { who: pack.info.committer, email: '', time: committer.time, zone: '+0000' };
  return writer.put(
    'commit',
    formatCommit({
      tree,
      parents: [],
      author: who,
      committer: who,
      encoding: undefined,
      message: 'Plan of a run\n',
    }),
  );
}

/** One reaction and one reply a comment; the reply comes last, since it is what says that a comment is done with. */
async function answer(parts: RunParts, obeyed: Obeyed, plan: PublishPlan): Promise<void> {
  for (const { request, reaction, reply } of obeyed.answers) {
    await parts.forge.ensureReaction(request.thread.repository, request.comment, reaction);
    if (reply === undefined) continue;
    await parts.forge.ensureComments(request.thread, answerTopic(request.comment), [
      addressed(request, reply(plan)),
    ]);
  }
}

function addressed(request: Request, reply: string): string {
  return `To ${inertCode(request.comment.author)}, [here](${request.comment.url}):\n\n${reply}`;
}
