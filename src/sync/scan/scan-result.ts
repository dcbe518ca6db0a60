// What a scan comes out as: one serialisable value that tables, pages, plans and the bot read.
import type { KnownBy } from './recognise.ts';

export const states = [
  'pending',
  'parked',
  'imported',
  'equivalent',
  'own',
  'shared',
  'skipped',
  'blocked',
] as const;

/**
 * imported: the fork has a commit made from it; equivalent: a fork commit does the same; own: the fork's own work coming
 * back; shared: a backport of what both projects had before the fork; skipped: a person or a rule said no; parked: a person
 * has to do something first, or the rest of its pull request can never come over; blocked: not proven to be under a
 * compatible licence; pending: none of these.
 */
export type CommitState = (typeof states)[number];

/** By which evidence a commit is in its state. */
export type FoundBy =
  | KnownBy
  | 'same-change'
  | 'shared-patch'
  | 'twin'
  | 'twin-pending'
  | 'decision'
  | 'rule'
  | 'kept'
  | 'licence'
  | 'incomplete'
  | 'nothing';

/** A commit that a pull request needs and that cannot come over. */
export interface MissingCommit {
  readonly sha: string;
  readonly subject: string;
  readonly reason: string;
}

/** Of a blocked commit nothing but sha, subject and reason is here, whatever the repository holds. */
export interface ScannedCommit {
  readonly sha: string;
  readonly subject: string;
  readonly state: CommitState;
  readonly by: FoundBy;
  readonly reason: string;
  readonly branch: string;
  /** The commit of the fork's history that it is in, or came from. */
  readonly fork?: string;
  /** The upstream commit that it is a backport of, or that it takes back, where that one was recognised. */
  readonly via?: string;
  /** What its pull request lacks, where that is why it is parked. */
  readonly missing?: readonly MissingCommit[];
  /** The merge that brought it in, where the rest of that is missing. */
  readonly merge?: string;
  /** What proves the licence of a pending or parked commit. */
  readonly evidence?: readonly string[];
}

/** A fork commit that upstream picked. */
export interface Courtesy {
  readonly fork: string;
  readonly subject: string;
  readonly upstream: string;
  readonly branch: string;
  /** From the fork's commit to upstream's, in days. */
  readonly lagDays: number;
  /** Earlier commits of that branch that picked the same fork commit. */
  readonly duplicates: readonly string[];
}

export interface ScanTip {
  readonly branch: string;
  readonly sha: string;
}

export interface Scan {
  readonly pack: string;
  readonly upstream: readonly ScanTip[];
  readonly fork: string;
  /** In upstream's order, parents before children; merges are not among them. */
  readonly commits: readonly ScannedCommit[];
  readonly courtesy: readonly Courtesy[];
  /** What this clone could not tell. */
  readonly notes: readonly string[];
}

/** Number of commits in each state. */
export function countStates(commits: readonly ScannedCommit[]): Readonly<Record<CommitState, number>> {
  const counts = {
    pending: 0,
    parked: 0,
    imported: 0,
    equivalent: 0,
    own: 0,
    shared: 0,
    skipped: 0,
    blocked: 0,
  };
  for (const commit of commits) counts[commit.state] += 1;
  return counts;
}
