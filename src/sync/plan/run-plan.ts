// Everything that a run would do, as one serialisable value: dry runs print it, pages and publishing render it.
import type { Conflict, Doubt, PickedFile } from '../pick/pick-result.ts';
import type { MissingCommit, ScanTip } from '../scan/scan-result.ts';

/** A commit that the run brings over. */
export interface PlannedPick {
  readonly upstream: string;
  readonly subject: string;
  readonly onto: string;
  readonly status: 'clean' | 'review';
  readonly commit: string;
  readonly tree: string;
  readonly files: readonly PickedFile[];
  readonly doubts: readonly Doubt[];
  readonly reasons: readonly string[];
  /** What proves its licence. */
  readonly evidence: readonly string[];
}

/** Commits that came in by one pull request upstream, or one that came alone. */
export interface PlannedGroup {
  /** The merge; undefined for a commit that came without one. */
  readonly merge: string | undefined;
  readonly title: string;
  readonly picks: readonly PlannedPick[];
}

export type ParkedWhy =
  | { readonly kind: 'conflict'; readonly conflicts: readonly Conflict[]; readonly onto: string }
  | { readonly kind: 'blocked'; readonly reasons: readonly string[] }
  /** Changes lines that a parked commit changed before. */
  | { readonly kind: 'depends'; readonly on: readonly string[] }
  | { readonly kind: 'decided'; readonly reason: string }
  /** Tests or pages that speak of nothing but what other commits of its pull request bring, which do not come over. */
  | { readonly kind: 'speaks'; readonly missing: readonly MissingCommit[] }
  /** The rest of its pull request can never come over. */
  | {
      readonly kind: 'incomplete';
      readonly reason: string;
      readonly merge: string | undefined;
      readonly missing: readonly MissingCommit[];
    };

export interface ParkedCommit {
  readonly upstream: string;
  readonly subject: string;
  readonly why: ParkedWhy;
}

/** A commit and the one that takes it back, both not in the fork. */
export interface CancelledPair {
  readonly upstream: string;
  readonly revertedBy: string;
  readonly subject: string;
}

export interface LeftOut {
  readonly upstream: string;
  readonly subject: string;
  /** empty: the fork has the change; skipped: nothing of it comes over; later: after the limit of this run. */
  readonly why: 'empty' | 'skipped' | 'later';
  readonly reason: string;
}

export interface RunPlan {
  readonly version: 1;
  /** Hash of the rules; with the two histories it decides everything below. */
  readonly pack: string;
  readonly upstream: readonly ScanTip[];
  readonly fork: string;
  readonly limit: number;
  readonly groups: readonly PlannedGroup[];
  readonly parked: readonly ParkedCommit[];
  readonly cancelled: readonly CancelledPair[];
  readonly leftOut: readonly LeftOut[];
  /** The fork commit after the last pick; the fork's own where nothing is picked. */
  readonly tip: string;
}

/** What tests or pages speak of, and which commits would have brought it. */
export function speaksOf(missing: readonly MissingCommit[]): readonly string[] {
  return missing.map(
    ({ sha, subject, reason }) =>
      `${reason} comes with ${sha.slice(0, 12)} (${subject}), which does not come over`,
  );
}
