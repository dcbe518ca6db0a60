// Commits that make the very change of a settled one, or of a pending one, on another branch: author, date and subject may differ.
import type { openPatches } from './find-same-patch.ts';
import { type Histories, newAt, openPlaces } from './recognise.ts';
import type { FoundBy, ScannedCommit } from './scan-result.ts';

/** Of what was there before the fork, so many of the newest are compared: older work is hardly backported today. */
const mostShared = 3000;

export interface TwinSources {
  readonly histories: Histories;
  readonly patches: ReturnType<typeof openPatches>;
  /** Whether the files of a commit may be read. */
  readonly isCleared: (sha: string) => Promise<boolean>;
  /** Branches, those first from which a commit is rather taken. */
  readonly branches: readonly string[];
}

export interface Twins {
  /** The commits of a scan; what is pending and has a twin that is settled is as that one is. */
  settle(commits: readonly ScannedCommit[]): Promise<readonly ScannedCommit[]>;
  /** Of two that are both pending, one waits for the other. */
  wait(commits: readonly ScannedCommit[]): Promise<readonly ScannedCommit[]>;
}

export function openTwins({ histories, patches, isCleared, branches }: TwinSources): Twins {
  const { upstream, shared } = histories;
  const places = openPlaces(histories);
  const at = (sha: string): number => upstream.indexOf.get(sha) ?? -1;
  const onOneBranch = (one: string, two: string): boolean => places.onOneBranch(at(one), at(two));
  const rank = ({ branch }: ScannedCommit): number =>
    branches.includes(branch) ? branches.indexOf(branch) : branches.length;
  const pendingOf = (commits: readonly ScannedCommit[]) => commits.filter(({ state }) => state === 'pending');
  const shapesOf = async (pending: readonly ScannedCommit[]): Promise<ReadonlySet<string>> => {
    const shapes = new Set<string>();
    for (const { sha } of pending) shapes.add(await patches.shape(sha));
    shapes.delete('');
    return shapes;
  };
  /** Those of some commits that make the change of one. */
  const sameAs = async (sha: string, alike: readonly string[] = []): Promise<readonly string[]> => {
    const same: string[] = [];
    for (const other of alike) if (other !== sha && (await patches.isSame(sha, other))) same.push(other);
    return same;
  };

  return {
    async settle(commits) {
      const pending = pendingOf(commits);
      const wanted = await shapesOf(pending);
      const bySha = new Map(commits.map((commit) => [commit.sha, commit]));
      const known: string[] = [];
      for (const commit of commits)
        if (isSettled(commit) && (await isCleared(commit.sha))) known.push(commit.sha);
      const candidates = await patches.byShape(known, wanted);
      const before = await patches.byShape(shared.newest(mostShared), wanted);
      const changed = new Map<string, ScannedCommit>();
      for (const commit of pending) {
        const { sha } = commit;
        const shape = await patches.shape(sha);
        const same = await sameAs(sha, candidates.get(shape));
        const twin = same.find((other) => !onOneBranch(sha, other));
        // What its own branch has already, and does again, stands for itself.
        if (twin !== undefined && same.every((other) => !onOneBranch(sha, other)))
          changed.set(sha, asTwin(commit, bySha.get(twin)));
        const alike = changed.has(sha) ? undefined : before.get(shape);
        if (alike === undefined) continue;
        const isNew = await newAt(histories, places, at(sha));
        const [from] = await sameAs(sha, alike.filter(isNew));
        if (from !== undefined) {
          const reason = 'makes the very change of a commit from before the fork';
          changed.set(sha, { ...settled(commit, 'shared-patch', reason), state: 'shared', fork: from });
        }
      }
      return commits.map((commit) => changed.get(commit.sha) ?? commit);
    },
    async wait(commits) {
      const pending = pendingOf(commits);
      const byShape = await patches.byShape(
        pending.map(({ sha }) => sha),
        await shapesOf(pending),
      );
      const bySha = new Map(pending.map((commit) => [commit.sha, commit]));
      const changed = new Map<string, ScannedCommit>();
      for (const commit of pending) {
        const alike = (byShape.get(await patches.shape(commit.sha)) ?? []).filter((other) => {
          const twin = bySha.get(other);
          return twin !== undefined && rank(twin) < rank(commit) && !onOneBranch(commit.sha, other);
        });
        const [first] = await sameAs(commit.sha, alike);
        const twin = bySha.get(first ?? '');
        if (twin !== undefined)
          changed.set(commit.sha, {
            ...commit,
            by: 'twin-pending',
            reason: `makes the very change of ${twin.sha.slice(0, 12)} on ${twin.branch}, which is pending and comes first`,
            via: twin.sha,
          });
      }
      return commits.map((commit) => changed.get(commit.sha) ?? commit);
    },
  };
}

function isSettled({ state, by }: ScannedCommit): boolean {
  return by === 'decision' || ['imported', 'own', 'equivalent', 'shared'].includes(state);
}

function asTwin(commit: ScannedCommit, twin: ScannedCommit | undefined): ScannedCommit {
  if (twin === undefined) return commit;
  const { sha, branch, state, fork } = twin;
  const reason = `makes the very change of ${sha.slice(0, 12)} on ${branch}, which is ${state}`;
  // What is not in the fork holds back what builds on it, for which its files are read.
  const kept =
    state === 'parked' || state === 'skipped' ? { ...commit, by: 'twin' as const, reason } : undefined;
  return {
    ...(kept ?? settled(commit, 'twin', reason)),
    state,
    via: sha,
    ...(fork === undefined ? {} : { fork }),
  };
}

/** What is settled needs no proof of its licence. */
function settled({ evidence: _, ...commit }: ScannedCommit, by: FoundBy, reason: string): ScannedCommit {
  return { ...commit, by, reason };
}
