// What the commits say of themselves: which of upstream's are in the fork, and which came from there.
import { type History, soundTimes, type Visible } from '../git/history.ts';
import type { CommitFacts } from './commit-facts.ts';
import { identifyImports, likeness } from './identify-imports.ts';
import type { SharedHistory } from './shared-history.ts';

/**
 * fork-trailer: a fork commit names it; author-and-date: a fork commit has both; upstream-trailer: it names a fork commit;
 * made-after: it says that it was made after fork commits;
 * older-in-fork: a fork commit has its author and date and is older; shared-trailer, shared-author-and-date, shared-change:
 * a backport of a commit that both projects had before the fork; backport: one of an upstream commit that is recognised.
 */
export type KnownBy =
  | 'fork-trailer'
  | 'author-and-date'
  | 'upstream-trailer'
  | 'made-after'
  | 'older-in-fork'
  | 'shared-trailer'
  | 'shared-author-and-date'
  | 'shared-change'
  | 'backport';

export interface Known {
  readonly state: 'imported' | 'own' | 'shared';
  readonly by: KnownBy;
  /** The commit that the fork has. */
  readonly fork: string;
  /** The upstream commit that this one is a backport of, where that one was recognised. */
  readonly via?: string;
}

export const knownReasons: Readonly<Record<KnownBy, string>> = {
  'fork-trailer': 'the fork commit names it',
  'author-and-date': 'a fork commit has its author and author date',
  'upstream-trailer': 'picked from the fork, as its message says',
  'made-after': 'made after what the fork has, as its message says',
  'older-in-fork': 'a fork commit of the same author and author date is older',
  'shared-trailer': 'a backport of a commit from before the fork, as its message says',
  'shared-author-and-date': 'a backport of a commit from before the fork: the same author and author date',
  'shared-change': 'a backport of a commit from before the fork: the same subject and the same change',
  backport: 'a backport of a commit that is recognised',
};

export interface Histories {
  /** All of upstream's branches: a commit may be recognised by its twin on any of them. */
  readonly upstream: History<CommitFacts>;
  /** Where those branches end. */
  readonly upstreamTips: readonly string[];
  /** The branch that picks go onto. */
  readonly fork: History<CommitFacts>;
  /** All of the fork's branches. */
  readonly forkAll: History<CommitFacts>;
  readonly shared: SharedHistory;
}

/** Recognised upstream commits. */
export async function recognise(histories: Histories, prefix: string): Promise<ReadonlyMap<string, Known>> {
  const { upstream } = histories;
  const known = recogniseImports(histories, prefix);
  const places = openPlaces(histories);
  const open = upstream.commits.flatMap((commit, index) =>
    commit.parents.length > 1 || known.has(index) ? [] : [index],
  );
  for (const index of open) {
    const found = await sharedOf(histories, places, index);
    if (found !== undefined) known.set(index, found);
  }
  recogniseBackports(histories, places, known, open);
  return new Map([...known].map(([index, found]) => [upstream.commits[index]?.sha ?? '', found]));
}

/** By trailers of either side, and by author and author date. */
function recogniseImports({ upstream, fork, forkAll }: Histories, prefix: string): Map<number, Known> {
  const known = new Map<number, Known>();
  for (const [index, commit] of upstream.commits.entries()) {
    const from =
      commit.parents.length > 1 ? undefined : commit.pickedFrom.findLast((sha) => forkAll.indexOf.has(sha));
    if (from !== undefined) known.set(index, { state: 'own', by: 'upstream-trailer', fork: from });
    else if (commit.madeAfter.length > 0 && commit.madeAfter.every((sha) => forkAll.indexOf.has(sha)))
      known.set(index, { state: 'own', by: 'made-after', fork: commit.madeAfter.at(-1) ?? '' });
  }
  const classes = classesOf(upstream);
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
      const by = own ? 'older-in-fork' : pair.by === 'trailer' ? 'fork-trailer' : 'author-and-date';
      const via = index === pair.upstream ? {} : { via: pair.theirs.sha };
      known.set(index, { state: own ? 'own' : 'imported', by, fork: pair.ours.sha, ...via });
    }
  }
  return known;
}

/** All but merges, by author and author date. */
function classesOf({ commits }: History<CommitFacts>): ReadonlyMap<string, readonly number[]> {
  const classes = new Map<string, number[]>();
  for (const [index, { identity, parents }] of commits.entries()) {
    if (parents.length > 1) continue;
    const list = classes.get(identity);
    if (list === undefined) classes.set(identity, [index]);
    else list.push(index);
  }
  return classes;
}

export interface Places {
  /** The ends of the branches that hold a commit. */
  tipsWith(index: number): readonly string[];
  /** Whether one branch holds both: then the later one is no backport of the earlier, but another half, or a second try. */
  onOneBranch(one: number, two: number): boolean;
  /** Whether something on a branch was made right on top of a commit. */
  standsOn(tip: string, sha: string): boolean;
}

export function openPlaces({ upstream, upstreamTips }: Pick<Histories, 'upstream' | 'upstreamTips'>): Places {
  const branches = [...new Set(upstreamTips)].map((tip) => ({ tip, visible: upstream.visibleFrom(tip) }));
  const standing = new Map<string, boolean>();
  return {
    tipsWith: (index) => branches.filter(({ visible }) => visible[index] === 1).map(({ tip }) => tip),
    standsOn(tip, sha) {
      const key = `${tip} ${sha}`;
      const found = standing.get(key) ?? holdsChild(upstream, upstream.visibleFrom(tip), sha);
      standing.set(key, found);
      return found;
    },
    onOneBranch: (one, two) => branches.some(({ visible }) => visible[one] === 1 && visible[two] === 1),
  };
}

function holdsChild({ commits }: History<CommitFacts>, visible: Visible, sha: string): boolean {
  return commits.some(({ parents }, index) => visible[index] === 1 && parents.includes(sha));
}

/** The commit from before the fork that a commit brings to a branch that had parted earlier. */
async function sharedOf(
  { upstream, shared }: Histories,
  places: Places,
  index: number,
): Promise<Known | undefined> {
  const commit = upstream.commits[index];
  if (commit === undefined) return undefined;
  const named = commit.pickedFrom.findLast((sha) => shared.find(sha) !== undefined);
  const alike = shared.withIdentity(commit.identity);
  if (named === undefined && alike.length === 0) return undefined;
  const isNew = await newAt({ shared }, places, index);
  if (named !== undefined && isNew(named)) return { state: 'shared', by: 'shared-trailer', fork: named };
  const closest = alike
    .filter(({ sha }) => isNew(sha))
    .toSorted(
      (left, right) => likeness(commit, right) - likeness(commit, left) || (left.sha < right.sha ? -1 : 1),
    )[0];
  return closest === undefined
    ? undefined
    : { state: 'shared', by: 'shared-author-and-date', fork: closest.sha };
}

/**
 * The commit that a revert takes back, where the fork has its change not from that branch: from before the fork, as its own
 * work, or from another branch. That one branch takes it back is no reason for the fork to.
 */
export function keptInFork(
  { upstream, upstreamTips }: Pick<Histories, 'upstream' | 'upstreamTips'>,
  known: ReadonlyMap<string, Known>,
): (sha: string) => string | undefined {
  const places = openPlaces({ upstream, upstreamTips });
  return (sha) => {
    const index = upstream.indexOf.get(sha) ?? -1;
    const [reverted, ...more] = upstream.commits[index]?.reverts ?? [];
    const found = reverted === undefined || more.length > 0 ? undefined : known.get(reverted);
    if (reverted === undefined || found === undefined) return undefined;
    if (found.state === 'imported' && found.via === undefined) return undefined;
    return places.onOneBranch(index, upstream.indexOf.get(reverted) ?? -1) ? reverted : undefined;
  };
}

/** Commits from before the fork with the subject of one that is on a branch which does not have them. */
export function openSharedSubjects(histories: Histories): (sha: string) => Promise<readonly string[]> {
  const { upstream, shared } = histories;
  const places = openPlaces(histories);
  return async (sha) => {
    const index = upstream.indexOf.get(sha) ?? -1;
    const alike = shared.withSubject(upstream.commits[index]?.subject ?? '');
    if (alike.length === 0) return [];
    const isNew = await newAt({ shared }, places, index);
    return alike.flatMap((commit) => (isNew(commit.sha) ? [commit.sha] : []));
  };
}

/** Whether a commit from before the fork is new to the branches that hold an upstream commit. */
export async function newAt(
  { shared }: Pick<Histories, 'shared'>,
  places: Places,
  index: number,
): Promise<(sha: string) => boolean> {
  const pasts = await Promise.all(
    places.tipsWith(index).map((tip) => shared.pastOf(tip, places.standsOn(tip, shared.forkPoint))),
  );
  return (sha) => !pasts.some((has) => has(sha));
}

/**
 * Commits whose twin on another branch is recognised: the twin is the one that the message names, or of those with the
 * same author and date the one with the most alike subject. ("Force Go 1.19" on one branch was "Force Go 1.20" on another.)
 */
function recogniseBackports(
  { upstream }: Histories,
  places: Places,
  known: Map<number, Known>,
  open: readonly number[],
): void {
  const classes = classesOf(upstream);
  const twinsOf = (index: number): readonly number[] => {
    const commit = upstream.commits[index];
    if (commit === undefined) return [];
    const named = commit.pickedFrom.map((sha) => upstream.indexOf.get(sha)).filter((at) => at !== undefined);
    const alike = (classes.get(commit.identity) ?? []).filter((other) => other !== index);
    const apart = (list: readonly number[]): readonly number[] =>
      list.filter((other) => !places.onOneBranch(index, other));
    const score = (other: number): number => likeness(commit, upstream.commits[other]);
    const best = Math.max(...apart(alike).map(score));
    return [...apart(named).toReversed(), ...apart(alike).filter((other) => score(other) === best)];
  };
  const waiting = new Map(
    open.flatMap((index) => {
      if (known.has(index)) return [];
      const twins = twinsOf(index);
      return twins.length === 0 ? [] : [[index, twins] as const];
    }),
  );
  // A backport of a backport is recognised once the first is.
  for (let before = -1; before !== known.size; ) {
    before = known.size;
    for (const [index, twins] of waiting) {
      if (known.has(index)) continue;
      const twin = twins.find((other) => known.has(other));
      const found = twin === undefined ? undefined : known.get(twin);
      const via = twin === undefined ? undefined : upstream.commits[twin]?.sha;
      if (found === undefined || via === undefined) continue;
      known.set(index, { state: found.state, by: 'backport', fork: found.fork, via });
    }
  }
}
