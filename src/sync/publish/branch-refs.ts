// The refs of a run on the remote: the branch, what was last pushed there, the plan, and both sides of each conflict.
import type { GitRemote, RefChange } from './git-remote.ts';

export interface BranchRefs {
  /** Undefined where the branch is not there. */
  readonly head: string | undefined;
  /** What fork-sync pushed last; anything else at the head is a person's. */
  readonly pushed: string | undefined;
  readonly plan: string | undefined;
  /** Everything that was asked for, by name. */
  readonly all: ReadonlyMap<string, string>;
}

export interface ConflictRefs {
  readonly upstream: string;
  readonly base: string;
  readonly theirs: string;
}

export interface WantedBranch {
  readonly head: string;
  /** The commit that holds the plan as a file. */
  readonly plan: string;
  readonly conflicts: readonly ConflictRefs[];
}

export function branchRef(branch: string): string {
  return `refs/heads/${branch}`;
}

function own(branch: string, name: string): string {
  return `refs/fork-sync/${branch}/${name}`;
}

/** Under it: `SHA/base` and `SHA/theirs`. */
export function conflictsPrefix(branch: string): string {
  return own(branch, 'conflicts/');
}

export function conflictRef(branch: string, upstream: string, side: 'base' | 'theirs'): string {
  return own(branch, `conflicts/${upstream}/${side}`);
}

export function planRef(branch: string): string {
  return own(branch, 'plan');
}

/** `more`: other refs to ask for in the same breath; each listing is a connection to the forge. */
export async function readBranchRefs(
  remote: GitRemote,
  branch: string,
  more: readonly string[] = [],
): Promise<BranchRefs> {
  const all = await remote.list([branchRef(branch), own(branch, ''), ...more]);
  return {
    head: all.get(branchRef(branch)),
    pushed: all.get(own(branch, 'pushed')),
    plan: all.get(own(branch, 'plan')),
    all,
  };
}

/** Whether a person has put something on the branch, or it never was ours. */
export function isForeign(refs: BranchRefs): boolean {
  return refs.head !== undefined && refs.head !== refs.pushed;
}

/** What has to change on the remote; nothing where all is as wanted. Conflicts that are solved go. */
export function changesFor(branch: string, refs: BranchRefs, wanted: WantedBranch): readonly RefChange[] {
  const to = new Map<string, string>([
    [branchRef(branch), wanted.head],
    [own(branch, 'pushed'), wanted.head],
    [own(branch, 'plan'), wanted.plan],
  ]);
  for (const { upstream, base, theirs } of wanted.conflicts) {
    to.set(conflictRef(branch, upstream, 'base'), base);
    to.set(conflictRef(branch, upstream, 'theirs'), theirs);
  }
  const ours = [...refs.all.keys()].filter((ref) => ref.startsWith(own(branch, '')));
  return [...new Set([...to.keys(), ...ours])]
    .map((ref) => ({ ref, from: refs.all.get(ref), to: to.get(ref) }))
    .filter(({ from, to: wish }) => from !== wish);
}
