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
  /** Commits in order of committer date, parents before children. */
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
  const found = new Map<string, C>();
  const cutOff = await walk(
    read,
    tips,
    found,
    (commit) => commit.sha === forkPoint || commit.committer.time < oldest,
  );
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
  const commonBefore = async (isAncient: (commit: C) => boolean): Promise<ReadonlyMap<string, C>> => {
    const common = new Map<string, C>();
    await walk(read, [forkPoint], common, isAncient);
    return common;
  };
  return async (tips, known) => {
    const base = await read(forkPoint);
    const oldest = base?.committer.time ?? knownForkPointTime ?? 0;
    const isAncient = (commit: C): boolean => commit.committer.time < oldest - longestBranch;
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
        if (commit.committer.time < oldest) older.push(commit.sha);
        return commit.committer.time < oldest;
      });
      cutOff.push(...missing);
      if (holds && older.length > 0) {
        before ??= base === undefined ? Promise.resolve(new Map()) : commonBefore(isAncient);
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

/** Walks down from the tips, level by level; returns what is not here. */
async function walk<C extends HistoryCommit>(
  read: ReadCommit<C>,
  tips: readonly string[],
  found: Map<string, C>,
  isEnd: (commit: C) => boolean,
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
      if (isEnd(commit)) continue;
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
