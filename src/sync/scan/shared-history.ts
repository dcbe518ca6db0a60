// What both projects had before the fork: every commit behind the fork point, so that a backport of one is recognised.
import type { ReadCommit } from '../git/history.ts';
import { type CommitFacts, factsOf } from './commit-facts.ts';
import { isText } from './scan-cache.ts';
import type { ScanSources } from './scan-sources.ts';

/** A commit behind the fork point. */
export interface SharedCommit {
  readonly sha: string;
  readonly parents: readonly string[];
  readonly identity: string;
  readonly subject: string;
}

export interface SharedHistory {
  readonly forkPoint: string;
  readonly size: number;
  /** Commits whose parents this clone does not hold. */
  readonly cutOff: readonly string[];
  find(sha: string): SharedCommit | undefined;
  /** All but merges. */
  withIdentity(identity: string): readonly SharedCommit[];
  withSubject(subject: string): readonly SharedCommit[];
  /** So many of those that are nearest to the fork point, but merges. */
  newest(count: number): readonly string[];
  /**
   * The shared commits that a branch is built on itself: what it has of them, nobody had to backport to it. One that is
   * known to stand on the fork point has all of them.
   */
  pastOf(tip: string, standsOnForkPoint: boolean): Promise<(sha: string) => boolean>;
}

const kind = 'shared';

/**
 * The fork point and all its ancestors. They never change, so that they are read once and then kept as one text. A fork
 * point that is not here has no history; `cutOff` then names it.
 */
export async function loadSharedHistory(
  sources: ScanSources,
  read: ReadCommit<CommitFacts>,
): Promise<SharedHistory> {
  const { forkPoint } = sources.pack.info;
  const kept = sources.cache.read(kind, isText)(forkPoint);
  const known = kept === undefined ? undefined : unpack(kept);
  const { commits, cutOff } = known ?? (await readAncestors(sources, forkPoint));
  if (known === undefined && cutOff.length === 0)
    sources.cache.add(kind, new Map([[forkPoint, pack(commits)]]));
  const byIdentity = groupBy(commits, (commit) => commit.identity);
  let bySubject: ReadonlyMap<string, readonly SharedCommit[]> | undefined;
  const pasts = new Map<string, Promise<(sha: string) => boolean>>();
  return {
    forkPoint,
    size: commits.size,
    cutOff,
    find: (sha) => commits.get(sha),
    withIdentity: (identity) => byIdentity.get(identity) ?? [],
    withSubject(subject) {
      bySubject ??= groupBy(commits, (commit) => commit.subject);
      return bySubject.get(subject) ?? [];
    },
    newest(count) {
      const found: string[] = [];
      // They were read from the fork point on, level by level.
      for (const { sha, parents } of commits.values()) {
        if (found.length === count) break;
        if (parents.length < 2) found.push(sha);
      }
      return found;
    },
    pastOf(tip, standsOnForkPoint) {
      if (standsOnForkPoint) return Promise.resolve((sha) => commits.has(sha));
      const found = pasts.get(tip) ?? openPast(read, commits, forkPoint, tip);
      pasts.set(tip, found);
      return found;
    },
  };
}

interface Ancestors {
  readonly commits: ReadonlyMap<string, SharedCommit>;
  readonly cutOff: readonly string[];
}

async function readAncestors({ objects }: ScanSources, from: string): Promise<Ancestors> {
  const commits = new Map<string, SharedCommit>();
  const cutOff: string[] = [];
  let level = [from];
  while (level.length > 0) {
    const next = new Set<string>();
    // Looked at once: tens of thousands of messages are not kept.
    const found = await Promise.all(level.map((sha) => objects.commitInPassing(sha)));
    for (const [index, commit] of found.entries()) {
      const sha = level[index] ?? '';
      if (commit === undefined) {
        cutOff.push(sha);
        continue;
      }
      const { parents, identity, subject } = factsOf(commit);
      commits.set(sha, { sha, parents, identity, subject });
      for (const parent of parents) if (!commits.has(parent)) next.add(parent);
    }
    level = [...next].filter((sha) => !commits.has(sha));
  }
  return { commits, cutOff: cutOff.toSorted() };
}

/** From the branch down to the first shared commits, and everything behind those. */
async function openPast(
  read: ReadCommit<CommitFacts>,
  commits: ReadonlyMap<string, SharedCommit>,
  forkPoint: string,
  tip: string,
): Promise<(sha: string) => boolean> {
  const seen = new Set<string>();
  const reached: string[] = [];
  for (let level = [tip]; level.length > 0; ) {
    const next: string[] = [];
    for (const sha of level) {
      if (seen.has(sha)) continue;
      seen.add(sha);
      if (commits.has(sha)) {
        reached.push(sha);
        continue;
      }
      const found = read(sha);
      // Most are known: waiting for what is there takes longer than the walk.
      const commit = found instanceof Promise ? await found : found;
      if (commit !== undefined) next.push(...commit.parents);
    }
    level = next;
  }
  if (reached.includes(forkPoint)) return (sha) => commits.has(sha);
  const past = new Set<string>();
  for (let sha = reached.pop(); sha !== undefined; sha = reached.pop()) {
    if (past.has(sha)) continue;
    past.add(sha);
    reached.push(...(commits.get(sha)?.parents ?? []));
  }
  return (sha) => past.has(sha);
}

function groupBy(
  commits: ReadonlyMap<string, SharedCommit>,
  keyOf: (commit: SharedCommit) => string,
): ReadonlyMap<string, readonly SharedCommit[]> {
  const groups = new Map<string, SharedCommit[]>();
  for (const commit of commits.values()) {
    if (commit.parents.length > 1) continue;
    const list = groups.get(keyOf(commit));
    if (list === undefined) groups.set(keyOf(commit), [commit]);
    else list.push(commit);
  }
  return groups;
}

/** One line a commit; a subject holds no line end. */
function pack(commits: ReadonlyMap<string, SharedCommit>): string {
  return [...commits.values()]
    .map(({ sha, parents, identity, subject }) => [sha, parents.join(' '), identity, subject].join('\t'))
    .join('\n');
}

function unpack(text: string): Ancestors {
  const commits = new Map<string, SharedCommit>();
  for (const line of text.split('\n')) {
    const [sha = '', parents = '', identity = '', ...subject] = line.split('\t');
    commits.set(sha, {
      sha,
      parents: parents === '' ? [] : parents.split(' '),
      identity,
      subject: subject.join('\t'),
    });
  }
  return { commits, cutOff: [] };
}
