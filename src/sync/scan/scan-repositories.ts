// Says of every upstream commit since the fork point where it stands, from the two repositories and people's decisions.
import type { Decision } from '../decide/decision.ts';
import { changesOf, judgeWhole } from '../gate/judge-whole.ts';
import { createGate, type Verdict } from '../gate/licence-gate.ts';
import { type History, openWholeHistories, soundTimes, type Visible } from '../git/history.ts';
import type { Change, Objects } from '../git/objects.ts';
import { isMissingObject } from '../problem.ts';
import { compileBrand } from '../rewrite/brand.ts';
import { activeRules, hasLimitedRules } from '../rules/active-rules.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { LeaveOutRule, RulePack } from '../rules/model.ts';
import { type CommitFacts, factsOf } from './commit-facts.ts';
import { groupByMerge } from './group-by-merge.ts';
import { identifyImports } from './identify-imports.ts';
import { type PatchContext, patchKeyOf, shapeOf } from './patch-key.ts';
import type { ScanCache } from './scan-cache.ts';
import type { Courtesy, Scan, ScannedCommit, ScanTip } from './scan-result.ts';
import { matchesText, skipRuleOf } from './skip-rule-of.ts';

export interface ScanSources {
  readonly pack: RulePack;
  readonly objects: Objects;
  readonly cache: ScanCache;
  readonly decisions: ReadonlyMap<string, Decision>;
}

export interface ScanRequest {
  readonly upstream: readonly ScanTip[];
  readonly fork: string;
  /** Further tips of the fork in which its own work may stand. */
  readonly forkBranches: readonly string[];
}

/** The histories beside the result: a plan goes on from here. */
export interface OpenScan {
  readonly scan: Scan;
  readonly upstream: History<CommitFacts>;
}

/** Scans. The same repositories, rules and decisions give the same result, with or without the cache. */
export async function scanRepositories(sources: ScanSources, request: ScanRequest): Promise<OpenScan> {
  const { pack, objects } = sources;
  const facts = openFacts(sources);
  const load = openWholeHistories(facts.read, pack.info.forkPoint, pack.info.forkPointTime);
  const [upstream, fork] = await Promise.all([
    load(request.upstream.map((tip) => tip.sha)),
    load([request.fork]),
  ]);
  // Nearly all of it is the fork's own branch, which is known now.
  const forkAll = await load(request.forkBranches, fork);
  facts.save();
  const known = recognise(upstream, fork, forkAll, pack.info.subjectPrefix);
  const judge = await openJudge(sources);
  const brand = compileBrand(pack);
  const generated = pack.merge.filter((rule) => rule.driver === 'generated').flatMap((rule) => rule.files);
  const ignored = [...generated, ...pack.skip.flatMap((rule) => rule.files ?? [])];
  const patches = openPatches(
    sources,
    {
      objects,
      brand,
      isIgnored: (path) => matchesAnyGlob(ignored, path),
    },
    fork,
    new Set([...known.values()].map((one) => one.fork)),
  );
  const branches = request.upstream.map((tip) => ({ ...tip, visible: upstream.visibleFrom(tip.sha) }));
  const listed = new Set(pack.info.licence?.branches.map((branch) => branch.name));
  const branchOf = (index: number): string => {
    const on = branches.filter((branch) => branch.visible[index] === 1);
    return (on.find(({ branch }) => listed.has(branch)) ?? on[0])?.branch ?? '';
  };
  // What takes reading is found out many commits at a time; what follows takes them in their order.
  const unknown = upstream.commits.flatMap((commit, index) =>
    commit.parents.length > 1 || known.has(index) || !listed.has(branchOf(index)) ? [] : [commit.sha],
  );
  const skips = openSkips(
    sources,
    upstream,
    request.upstream.map((tip) => tip.sha),
  );
  await patches.indexFork();
  // All that is asked of a commit is asked together: its trees and files are read once.
  await forEach(unknown, async (sha) => {
    if (!(await judge.verdict(sha)).cleared) return;
    await patches.look(sha);
    await skips.ruleOf(sha);
  });
  await patches.lookAtFork();
  const again = await openQuestions(sources, upstream, fork, judge);
  const commits: ScannedCommit[] = [];
  for (const [index, { sha, subject, parents }] of upstream.commits.entries()) {
    if (parents.length > 1) continue;
    const base = { sha, subject, branch: branchOf(index) };
    const found = known.get(index);
    if (found !== undefined) {
      commits.push({ ...base, state: found.state, reason: found.reason, fork: found.fork });
      continue;
    }
    const verdict: Verdict = listed.has(base.branch)
      ? await judge.verdict(sha)
      : { cleared: false, reason: 'its branch is not one that commits are taken from' };
    const same = verdict.cleared ? await patches.sameInFork(sha) : undefined;
    if (same !== undefined) {
      commits.push({
        ...base,
        state: 'equivalent',
        reason: 'a fork commit makes the same change',
        fork: same,
      });
      continue;
    }
    const decision = sources.decisions.get(sha);
    const open = decision === undefined ? undefined : again.get(sha);
    if (decision !== undefined && open === undefined) {
      commits.push({
        ...base,
        ...decided(decision),
        ...(verdict.cleared ? { evidence: verdict.evidence } : {}),
      });
      continue;
    }
    if (!verdict.cleared) {
      commits.push({ ...base, state: 'blocked', reason: verdict.reason });
      continue;
    }
    const rule = await skips.ruleOf(sha);
    if (rule !== undefined)
      commits.push({ ...base, state: 'skipped', reason: `rule ${rule.id}: ${rule.description}` });
    else
      commits.push({
        ...base,
        state: 'pending',
        reason: open ?? 'nothing is known of it in the fork',
        evidence: [`branch ${base.branch}`, ...verdict.evidence],
      });
  }
  judge.save();
  skips.save();
  patches.save();
  return {
    upstream,
    scan: {
      pack: pack.hash,
      upstream: request.upstream,
      fork: request.fork,
      commits,
      courtesy: courtesyOf(upstream, known, forkAll, branchOf),
      notes: [
        ...(upstream.cutOff.length === 0
          ? []
          : [`${upstream.cutOff.length} upstream commits are not here: what is behind them is not listed`]),
        ...(fork.cutOff.length === 0
          ? []
          : [`${fork.cutOff.length} fork commits are not here: imports behind them are not recognised`]),
        ...(patches.unread() === 0
          ? []
          : [`${patches.unread()} commits could not be compared: their files are not here`]),
      ],
    },
  };
}

function decided(decision: Decision): Pick<ScannedCommit, 'state' | 'reason' | 'fork'> {
  const { by, on, why } = decision;
  switch (decision.decision) {
    case 'skip':
      return { state: 'skipped', reason: `${decision.reason}: ${latin1(why)} (${latin1(by)}, ${on})` };
    case 'park':
      return { state: 'parked', reason: `${latin1(why)} (${latin1(by)}, ${on})` };
    case 'take':
      return {
        state: 'imported',
        reason: `by hand: ${latin1(why)} (${latin1(by)}, ${on})`,
        fork: decision.fork,
      };
  }
}

/** Everything in a scan is bytes kept as latin1, as in the rest of the engine. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

type Packed = readonly [
  parents: string,
  time: number,
  identity: string,
  subject: string,
  pickedFrom: string,
  reverts: string,
];

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isPacked(value: unknown): value is Packed {
  if (!Array.isArray(value) || value.length !== 6) return false;
  const [parents, time, ...texts] = value;
  return isText(parents) && typeof time === 'number' && texts.every(isText);
}

function isVerdict(value: unknown): value is Verdict {
  if (typeof value !== 'object' || value === null || !('cleared' in value)) return false;
  if (value.cleared === false) return 'reason' in value && isText(value.reason);
  const whole = 'evidence' in value && isTexts(value.evidence) && 'scope' in value;
  return value.cleared === true && whole && (value.scope === 'tree' || isTexts(value.scope));
}

/** Facts of commits, from the cache where it has them. */
function openFacts({ objects, cache }: ScanSources) {
  const remembered = cache.read('facts', isPacked);
  const known = new Map<string, CommitFacts>();
  const fresh = new Map<string, CommitFacts>();
  const list = (text: string): readonly string[] => (text === '' ? [] : text.split(' '));
  return {
    read(sha: string): CommitFacts | undefined | Promise<CommitFacts | undefined> {
      const before = known.get(sha);
      if (before !== undefined) return before;
      const packed = remembered(sha);
      if (packed !== undefined) {
        const [parents, time, identity, subject, pickedFrom, reverts] = packed;
        const unpacked: CommitFacts = {
          sha,
          parents: list(parents),
          committer: { time },
          identity,
          subject,
          pickedFrom: list(pickedFrom),
          reverts: list(reverts),
        };
        known.set(sha, unpacked);
        return unpacked;
      }
      return objects.commitIfHere(sha).then((commit) => {
        if (commit === undefined) return undefined;
        const made = factsOf(commit);
        known.set(sha, made);
        fresh.set(sha, made);
        return made;
      });
    },
    save(): void {
      if (fresh.size === 0) return;
      const pack = (one: CommitFacts): Packed => [
        one.parents.join(' '),
        one.committer.time,
        one.identity,
        one.subject,
        one.pickedFrom.join(' '),
        one.reverts.join(' '),
      ];
      cache.add('facts', new Map([...fresh].map(([sha, one]) => [sha, pack(one)])));
    },
  };
}

interface Known {
  readonly state: 'imported' | 'own';
  readonly reason: string;
  readonly fork: string;
}

const reasons = {
  trailer: 'the fork commit names it',
  identity: 'a fork commit has its author and author date',
  own: 'picked from the fork, as its message says',
  ownIdentity: 'a fork commit of the same author and author date is older',
};

/** What the commits say of themselves: which are in the fork, and which came from there. */
function recognise(
  upstream: History<CommitFacts>,
  fork: History<CommitFacts>,
  forkAll: History<CommitFacts>,
  prefix: string,
): Map<number, Known> {
  const known = new Map<number, Known>();
  for (const [index, commit] of upstream.commits.entries()) {
    const from =
      commit.parents.length > 1 ? undefined : commit.pickedFrom.findLast((sha) => forkAll.indexOf.has(sha));
    if (from !== undefined) known.set(index, { state: 'own', reason: reasons.own, fork: from });
  }
  const classes = new Map<string, number[]>();
  for (const [index, { identity, parents }] of upstream.commits.entries()) {
    if (parents.length > 1) continue;
    const list = classes.get(identity);
    if (list === undefined) classes.set(identity, [index]);
    else list.push(index);
  }
  const upstreamTimes = soundTimes(upstream);
  const found = [fork, forkAll].flatMap((side) => {
    const times = soundTimes(side);
    return identifyImports(side, upstream).flatMap((pair) => {
      const [ours, theirs] = [side.commits[pair.fork], upstream.commits[pair.upstream]];
      if (ours === undefined || theirs === undefined) return [];
      const isImport = pair.by === 'trailer' || ours.subject.startsWith(prefix);
      return [{ ...pair, side, ours, theirs, isImport, madeAt: times[pair.fork] ?? 0 }];
    });
  });
  // What says of itself that it was imported comes first: the fork's own work may have come back and in again.
  for (const pair of [...found.filter((one) => one.isImport), ...found.filter((one) => !one.isImport)]) {
    // The same commit backported to another branch of upstream is in the fork as well.
    const backports = (classes.get(pair.theirs.identity) ?? []).filter(
      (index) => upstream.commits[index]?.subject === pair.theirs.subject,
    );
    for (const index of new Set([pair.upstream, ...backports])) {
      const one = upstream.commits[index];
      if (one === undefined || known.get(index)?.state === 'imported') continue;
      const own = !pair.isImport && pair.madeAt < (upstreamTimes[index] ?? 0);
      // Only what is in the branch that picks go onto is imported there; that it came from the fork stays said.
      if ((!own && pair.side !== fork) || (known.has(index) && !pair.isImport)) continue;
      known.set(
        index,
        own
          ? { state: 'own', reason: reasons.ownIdentity, fork: pair.ours.sha }
          : { state: 'imported', reason: reasons[pair.by], fork: pair.ours.sha },
      );
    }
  }
  return known;
}

const atOnce = 64;

/** Does something for every item, many at a time. */
async function forEach<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next]; item !== undefined; item = items[next]) {
      next += 1;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

interface Judge {
  verdict(sha: string): Promise<Verdict>;
  save(): void;
}

/** Verdicts of the gate, from the cache where it has them. */
async function openJudge({ pack, objects, cache }: ScanSources): Promise<Judge> {
  const gate = createGate(objects, pack.info.licence);
  const remembered = cache.read('verdicts', isVerdict);
  const fresh = new Map<string, Verdict>();
  const passing = new Map<string, Verdict>();
  const verdict = async (sha: string): Promise<Verdict> => {
    const known = remembered(sha) ?? fresh.get(sha) ?? passing.get(sha);
    if (known !== undefined) return known;
    const made = await judgeWhole(gate, objects, await objects.commit(sha));
    (made.whole ? fresh : passing).set(sha, made.verdict);
    return made.verdict;
  };
  return {
    verdict,
    save() {
      if (fresh.size > 0) cache.add('verdicts', fresh);
    },
  };
}

/** The commit and everything that is built on it. */
function descendantsOf({ commits, indexOf }: History<CommitFacts>, sha: string): Uint8Array {
  const found = new Uint8Array(commits.length);
  for (const [index, commit] of commits.entries())
    if (commit.sha === sha || commit.parents.some((parent) => found[indexOf.get(parent) ?? -1] === 1))
      found[index] = 1;
  return found;
}

/** Which rule skips a commit, from the cache where it has it. */
function openSkips(
  { pack, objects, cache }: ScanSources,
  upstream: History<CommitFacts>,
  tips: readonly string[],
) {
  const limited = hasLimitedRules(pack);
  const later = new Map<string, Uint8Array>();
  const packFor = (sha: string): RulePack => {
    if (!limited) return pack;
    const place = upstream.indexOf.get(sha) ?? -1;
    return activeRules(pack, (limit) => {
      const found = later.get(limit) ?? descendantsOf(upstream, limit);
      later.set(limit, found);
      return found[place] === 1;
    });
  };
  const remembered = cache.read('skips', isText);
  const fresh = new Map<string, string>();
  const rules = new Map([...pack.skip, ...pack.leaveOut].map((rule) => [rule.id, rule]));
  // Which merge brought a commit in hangs on the tips: that is not for the cache.
  const mergeOf = new Map<string, string>();
  if (pack.leaveOut.some((rule) => rule.merges !== undefined))
    for (const { merge, title, commits } of groupByMerge(upstream, tips))
      if (merge !== undefined)
        for (const place of commits) mergeOf.set(upstream.commits[place]?.sha ?? '', title);
  const byMerge = (sha: string): LeaveOutRule | undefined => {
    const title = mergeOf.get(sha);
    if (title === undefined) return undefined;
    return packFor(sha).leaveOut.find((rule) => rule.merges?.some((pattern) => matchesText(pattern, title)));
  };
  const idOf = async (sha: string): Promise<string> => {
    const known = remembered(sha) ?? fresh.get(sha);
    if (known !== undefined) return known;
    const id = (await skipRuleOf(packFor(sha), objects, await objects.commit(sha)))?.id ?? '';
    fresh.set(sha, id);
    return id;
  };
  return {
    ruleOf: async (sha: string) => byMerge(sha) ?? rules.get(await idOf(sha)),
    save(): void {
      if (fresh.size > 0) cache.add('skips', fresh);
    },
  };
}

/** Finds fork commits by what they change; only such of the fork are read as have the shape of an upstream one. */
function openPatches(
  { objects, cache }: ScanSources,
  context: PatchContext,
  fork: History<CommitFacts>,
  taken: ReadonlySet<string>,
) {
  const rememberedShapes = cache.read('shapes', isText);
  const rememberedKeys = cache.read('patches', isText);
  const shapes = new Map<string, string>();
  const keys = new Map<string, string>();
  let missing = 0;
  const changes = async (sha: string) => changesOf(objects, await objects.commit(sha));
  const remember =
    (
      known: (sha: string) => string | undefined,
      fresh: Map<string, string>,
      make: (changes: readonly Change[]) => Promise<string | undefined>,
    ) =>
    async (sha: string): Promise<string> => {
      const before = known(sha) ?? fresh.get(sha);
      if (before !== undefined) return before;
      try {
        const made = (await make(await changes(sha))) ?? '';
        fresh.set(sha, made);
        return made;
      } catch (error) {
        if (!isMissingObject(error)) throw error;
        missing += 1;
        return '';
      }
    };
  const shape = remember(rememberedShapes, shapes, async (list) => shapeOf(context, list));
  const key = remember(rememberedKeys, keys, (list) => patchKeyOf(context, list));
  const byShape = new Map<string, string[]>();
  /** Fork commits that may be what was looked at. */
  const wanted = new Set<string>();
  const used = new Set<string>();
  const free = fork.commits.filter(({ sha, parents }) => parents.length < 2 && !taken.has(sha));
  return {
    unread: () => missing,
    async indexFork(): Promise<void> {
      await forEach(free, ({ sha }) => shape(sha));
      for (const { sha } of free) {
        const made = await shape(sha);
        if (made === '') continue;
        const list = byShape.get(made);
        if (list === undefined) byShape.set(made, [sha]);
        else list.push(sha);
      }
    },
    /** What an upstream commit does, as far as it takes to find it in the fork. */
    async look(sha: string): Promise<void> {
      const candidates = byShape.get(await shape(sha)) ?? [];
      if (candidates.length === 0) return;
      for (const candidate of candidates) wanted.add(candidate);
      await key(sha);
    },
    lookAtFork: () => forEach([...wanted], key),
    async sameInFork(sha: string): Promise<string | undefined> {
      const candidates = byShape.get(await shape(sha)) ?? [];
      if (candidates.length === 0) return undefined;
      const wanted = await key(sha);
      if (wanted === '') return undefined;
      for (const candidate of candidates) {
        // One fork commit answers for one upstream commit: what is done twice has to be found twice.
        if (used.has(candidate) || (await key(candidate)) !== wanted) continue;
        used.add(candidate);
        return candidate;
      }
      return undefined;
    },
    save() {
      if (shapes.size > 0) cache.add('shapes', shapes);
      if (keys.size > 0) cache.add('patches', keys);
    },
  };
}

/** Skips whose path has changed since: by upstream commit, what changed it. */
async function openQuestions(
  { decisions, objects }: ScanSources,
  upstream: History<CommitFacts>,
  fork: History<CommitFacts>,
  judge: Judge,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const decision of decisions.values()) {
    if (decision.decision !== 'skip' || decision.lookAgainWhen === undefined) continue;
    const path = latin1(decision.lookAgainWhen);
    const touched =
      (await firstTouch(
        objects,
        fork,
        decision.seen === undefined ? [] : [decision.seen.fork],
        path,
        async () => true,
      )) ??
      // That a blocked commit touches a file is nothing that may be told.
      (await firstTouch(
        objects,
        upstream,
        decision.seen?.upstream ?? [],
        path,
        async (sha) => (await judge.verdict(sha)).cleared,
      ));
    if (touched !== undefined)
      found.set(decision.upstream, `look again: ${path} was changed by ${touched} since it was skipped`);
  }
  return found;
}

/** The first commit that is not visible from `seen` and changes a path. */
async function firstTouch(
  objects: Objects,
  history: History<CommitFacts>,
  seen: readonly string[],
  path: string,
  mayTell: (sha: string) => Promise<boolean>,
): Promise<string | undefined> {
  const old: readonly Visible[] = seen.map((tip) => history.visibleFrom(tip));
  for (const [index, { sha, parents }] of history.commits.entries()) {
    if (parents.length > 1 || old.some((visible) => visible[index] === 1)) continue;
    const [parent] = parents;
    if (parent === undefined) continue;
    const [before, after] = await Promise.all(
      [parent, sha].map(async (one) => {
        const commit = await objects.commitIfHere(one);
        return commit === undefined ? undefined : objects.entry(commit.tree, path);
      }),
    );
    if (before?.sha !== after?.sha && (await mayTell(sha))) return sha;
  }
  return undefined;
}

const day = 86_400;

/** Fork commits that upstream picked, in the order in which upstream did. */
function courtesyOf(
  upstream: History<CommitFacts>,
  known: ReadonlyMap<number, Known>,
  fork: History<CommitFacts>,
  branchOf: (index: number) => string,
): readonly Courtesy[] {
  const earlier = new Map<string, string[]>();
  const list: Courtesy[] = [];
  for (const [index, { reason, fork: sha }] of [...known].toSorted(([left], [right]) => left - right)) {
    const [theirs, ours] = [upstream.commits[index], fork.commits[fork.indexOf.get(sha) ?? -1]];
    if (reason !== reasons.own || theirs === undefined || ours === undefined) continue;
    // The same pick on two branches is no duplicate: branches are mended one by one.
    const branch = branchOf(index);
    const key = `${branch}\0${sha}`;
    const before = earlier.get(key) ?? [];
    list.push({
      fork: sha,
      subject: ours.subject,
      upstream: theirs.sha,
      branch,
      lagDays: Math.max(0, Math.round((theirs.committer.time - ours.committer.time) / day)),
      duplicates: [...before],
    });
    earlier.set(key, [...before, theirs.sha]);
  }
  return list;
}
