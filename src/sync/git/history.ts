// The commits between the fork point and some tips: one order for all of them, and who can see whom.
import type { Commit } from './commit.ts';
import type { Objects } from './objects.ts';

/** A set of places in a history. */
export type Visible = Uint8Array;

/** What of a commit its place in a history hangs on. */
export interface HistoryCommit {
  readonly sha: string;
  readonly parents: readonly string[];
  readonly committer: { readonly time: number };
}

export interface History<C extends HistoryCommit = Commit> {
  /** Parents before children, whatever their dates say; the date only decides between commits that do not know each other. */
  readonly commits: readonly C[];
  readonly indexOf: ReadonlyMap<string, number>;
  /** Which commits are the tip or its ancestors; nothing is visible from a commit that is not in the history. */
  visibleFrom(tip: string): Visible;
  /** Commits whose parents this clone does not hold. */
  readonly cutOff: readonly string[];
}

/**
 * Walks from the tips down to the fork point. What is older than the fork point was common before the fork and is
 * left out, so that a shallow clone that reaches the fork point is as good as a whole one.
 */
export function loadHistory(
  objects: Objects,
  tips: readonly string[],
  forkPoint: string,
  knownForkPointTime?: number,
): Promise<History> {
  return walkHistory((sha) => objects.commitIfHere(sha), tips, forkPoint, knownForkPointTime);
}

/** Answers for a sha; at once where it is known, since waiting a hundred thousand times takes longer than the walk. */
export type ReadCommit<C> = (sha: string) => C | undefined | Promise<C | undefined>;

/** The same over whatever answers for a sha. */
export async function walkHistory<C extends HistoryCommit>(
  read: ReadCommit<C>,
  tips: readonly string[],
  forkPoint: string,
  knownForkPointTime?: number,
): Promise<History<C>> {
  const oldest = (await read(forkPoint))?.committer.time ?? knownForkPointTime ?? 0;
  const isOlder = openAges(read, forkPoint, oldest);
  const found = new Map<string, C>();
  const cutOff = await walk(read, tips, found, (commit) => commit.sha === forkPoint || isOlder(commit));
  return orderHistory(found, cutOff);
}

/** How long before the fork point somebody may have begun what was merged after it, in seconds. */
const longestBranch = 2 * 365 * 86_400;

/**
 * The same to the last commit: one that was made before the fork point and merged after it counts where its branch
 * holds the fork point. (Of a branch that had parted before, what is older than the fork point is left out.)
 */
export function walkWholeHistory<C extends HistoryCommit>(
  read: ReadCommit<C>,
  tips: readonly string[],
  forkPoint: string,
  knownForkPointTime?: number,
): Promise<History<C>> {
  return openWholeHistories(read, forkPoint, knownForkPointTime)(tips);
}

/** The same for several histories of one fork point; one that holds another, known one goes on from there. */
export function openWholeHistories<C extends HistoryCommit>(
  read: ReadCommit<C>,
  forkPoint: string,
  knownForkPointTime?: number,
): (tips: readonly string[], known?: History<C>) => Promise<History<C>> {
  let before: Promise<ReadonlyMap<string, C>> | undefined;
  let opened: Promise<Ages<C>> | undefined;
  const open = async (): Promise<Ages<C>> => {
    const base = await read(forkPoint);
    const oldest = base?.committer.time ?? knownForkPointTime ?? 0;
    return {
      hasForkPoint: base !== undefined,
      isOlder: openAges(read, forkPoint, oldest),
      isAncient: openAges(read, forkPoint, oldest - longestBranch),
    };
  };
  const commonBefore = async (isAncient: IsOlder<C>): Promise<ReadonlyMap<string, C>> => {
    const common = new Map<string, C>();
    await walk(read, [forkPoint], common, isAncient);
    return common;
  };
  return async (tips, known) => {
    opened ??= open();
    const { hasForkPoint, isOlder, isAncient } = await opened;
    const found = new Map(known?.commits.map((commit) => [commit.sha, commit]));
    const cutOff: string[] = [...(known?.cutOff ?? [])];
    // Where a known history reaches the fork point, every commit of it that a branch parts from is as good.
    const reaches = known?.commits.some((commit) => commit.parents.includes(forkPoint)) === true;
    const holding = new Set(reaches ? found.keys() : []);
    for (const tip of tips) {
      const older: string[] = [];
      let holds = false;
      const seen = new Map<string, C>();
      const missing = await walk(read, [tip], seen, (commit) => {
        if (commit.sha === forkPoint || holding.has(commit.sha)) holds = true;
        if (commit.sha === forkPoint || found.has(commit.sha)) return true;
        const is = isOlder(commit);
        if (is === false) return false;
        const note = (answer: boolean): boolean => {
          if (answer) older.push(commit.sha);
          return answer;
        };
        return is === true ? note(true) : is.then(note);
      });
      for (const sha of missing) cutOff.push(sha);
      if (holds && older.length > 0) {
        before ??= hasForkPoint ? commonBefore(isAncient) : Promise.resolve(new Map());
        const common = await before;
        await walk(read, older, seen, (commit) => common.has(commit.sha) || isAncient(commit));
      }
      for (const [sha, commit] of seen) {
        found.set(sha, commit);
        if (holds) holding.add(sha);
      }
    }
    return orderHistory(found, [...new Set(cutOff)]);
  };
}

interface Ages<C> {
  readonly hasForkPoint: boolean;
  readonly isOlder: IsOlder<C>;
  readonly isAncient: IsOlder<C>;
}

/** An answer at once where a date alone gives it. */
type IsOlder<C> = (commit: C) => boolean | Promise<boolean>;

/** So many ancestors of a commit with an early date are asked whether they prove it wrong. */
const witnesses = 64;

/**
 * Tells commits that are older than a moment from those whose committer's clock was behind: nothing is older than what it
 * was made on top of. (Of 47,900 commits of Incus 27 are dated before a parent, by up to 39 hours.) One that stands on the
 * fork point, or on a commit of a later date that is not behind the fork point, came after it.
 */
function openAges<C extends HistoryCommit>(
  read: ReadCommit<C>,
  forkPoint: string,
  moment: number,
): IsOlder<C> {
  const older = new Set<string>();
  let behind: Promise<ReadonlySet<string>> | undefined;
  const ask = async (commit: C): Promise<boolean> => {
    if (older.has(commit.sha)) return true;
    const asked = await ancestorsOf(read, commit, older);
    for (const one of asked) {
      if (one.sha === forkPoint) return false;
      if (one.committer.time < moment) continue;
      behind ??= Promise.resolve(read(forkPoint)).then(async (base) =>
        base === undefined
          ? new Set<string>()
          : new Set((await ancestorsOf(read, base)).map(({ sha }) => sha)),
      );
      if (!(await behind).has(one.sha)) return false;
    }
    // What it stands on is as old: nobody is asked twice.
    for (const { sha } of asked) older.add(sha);
    return true;
  };
  return (commit) => commit.committer.time < moment && ask(commit);
}

/** A commit and the nearest of what it was made on top of; nothing is looked for behind `known`. */
async function ancestorsOf<C extends HistoryCommit>(
  read: ReadCommit<C>,
  commit: C,
  known: ReadonlySet<string> = new Set(),
): Promise<readonly C[]> {
  const found = new Map([[commit.sha, commit]]);
  for (const { parents } of found.values()) {
    if (found.size > witnesses) break;
    for (const sha of parents) {
      const parent = known.has(sha) || found.has(sha) ? undefined : await read(sha);
      if (parent !== undefined) found.set(sha, parent);
    }
  }
  return [...found.values()];
}

/**
 * When each commit of a history was made, as far as its neighbours bear it out: not before its parents and not after its
 * children. One clock that was wrong moves no commit past another.
 */
export function soundTimes<C extends HistoryCommit>({ commits, indexOf }: History<C>): Float64Array {
  const after = new Float64Array(commits.length).fill(Number.NEGATIVE_INFINITY);
  const before = new Float64Array(commits.length).fill(Number.POSITIVE_INFINITY);
  for (const [index, { parents, committer }] of commits.entries())
    for (const sha of parents) {
      const parent = indexOf.get(sha);
      if (parent === undefined) continue;
      after[index] = Math.max(after[index] ?? 0, commits[parent]?.committer.time ?? 0);
      before[parent] = Math.min(before[parent] ?? 0, committer.time);
    }
  return Float64Array.from(commits, ({ committer: { time } }, index) => {
    const [low = time, high = time] = [after[index], before[index]];
    // The middle one of the three: where the neighbours contradict each other, one of them is wrong and not this.
    return Math.max(Math.min(low, high), Math.min(Math.max(low, high), time));
  });
}

/** Walks down from the tips, level by level; returns what is not here. */
async function walk<C extends HistoryCommit>(
  read: ReadCommit<C>,
  tips: readonly string[],
  found: Map<string, C>,
  isEnd: IsOlder<C>,
): Promise<readonly string[]> {
  const cutOff: string[] = [];
  let level = [...new Set(tips)].filter((sha) => !found.has(sha));
  while (level.length > 0) {
    const answers = level.map(read);
    const commits = answers.every(isHere) ? answers : await Promise.all(answers);
    const next = new Set<string>();
    for (const [index, commit] of commits.entries()) {
      const sha = level[index] ?? '';
      if (commit === undefined) {
        cutOff.push(sha);
        continue;
      }
      const end = isEnd(commit);
      if (end === true || (end !== false && (await end))) continue;
      found.set(sha, commit);
      for (const parent of commit.parents) if (!found.has(parent)) next.add(parent);
    }
    level = [...next];
  }
  return cutOff;
}

function isHere<T>(answer: T | Promise<T>): answer is T {
  return !(answer instanceof Promise);
}

function orderHistory<C extends HistoryCommit>(
  found: ReadonlyMap<string, C>,
  cutOff: readonly string[],
): History<C> {
  const commits = parentsFirst([...found.values()], found);
  const indexOf = new Map(commits.map((commit, index) => [commit.sha, index]));
  const parents = commits.map((commit) =>
    commit.parents.map((parent) => indexOf.get(parent)).filter((index) => index !== undefined),
  );
  const known = new Map<string, Visible>();
  return {
    commits,
    indexOf,
    cutOff: cutOff.toSorted(),
    visibleFrom(tip) {
      const before = known.get(tip);
      if (before !== undefined) return before;
      const visible = new Uint8Array(commits.length);
      const start = indexOf.get(tip);
      const stack = start === undefined ? [] : [start];
      if (start !== undefined) visible[start] = 1;
      for (let index = stack.pop(); index !== undefined; index = stack.pop())
        for (const parent of parents[index] ?? []) {
          if (visible[parent] === 1) continue;
          visible[parent] = 1;
          stack.push(parent);
        }
      known.set(tip, visible);
      return visible;
    },
  };
}

/** The history with a commit after all others; its parents are in it already. */
export function appendCommit<C extends HistoryCommit>(history: History<C>, commit: C): History<C> {
  const index = history.commits.length;
  let own: Visible | undefined;
  return {
    commits: [...history.commits, commit],
    indexOf: new Map(history.indexOf).set(commit.sha, index),
    cutOff: history.cutOff,
    visibleFrom(tip) {
      if (tip !== commit.sha) return history.visibleFrom(tip);
      if (own !== undefined) return own;
      own = new Uint8Array(index + 1);
      for (const parent of commit.parents)
        for (const [place, seen] of history.visibleFrom(parent).entries()) if (seen === 1) own[place] = 1;
      own[index] = 1;
      return own;
    },
  };
}

/** By date, but never a child before its parent: clocks of committers differ. */
function parentsFirst<C extends HistoryCommit>(
  commits: readonly C[],
  found: ReadonlyMap<string, C>,
): readonly C[] {
  const byDate = commits.toSorted(
    (left, right) => left.committer.time - right.committer.time || (left.sha < right.sha ? -1 : 1),
  );
  const done = new Set<string>();
  const ordered: C[] = [];
  for (const first of byDate) {
    const stack: C[] = [first];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (done.has(top.sha)) {
        stack.pop();
        continue;
      }
      const missing = top.parents
        .map((parent) => found.get(parent))
        .find((parent) => parent !== undefined && !done.has(parent.sha));
      if (missing !== undefined) {
        stack.push(missing);
        continue;
      }
      done.add(top.sha);
      ordered.push(top);
      stack.pop();
    }
  }
  return ordered;
}
