// What a run needs of scan, gate and engine: a plan for a fork commit and a set of decisions, and what is known of a sha.
import type { DetailedPick } from '../pick/pick-commit.ts';
import type { PublishPlan } from './publish-plan.ts';

export interface PlanRequest {
  readonly onto: string;
  /** Decision files by name: those of the fork's base, of the branch, and what people just said. */
  readonly decisions: ReadonlyMap<string, string>;
  /** Upstream commits that preflight holds back, with its reasons. */
  readonly held: ReadonlyMap<string, readonly string[]>;
}

export interface PlannedRun {
  readonly plan: PublishPlan;
  /** The picks that conflict, with both sides of every open file. */
  readonly conflicts: readonly DetailedPick[];
}

/** What may be said of an upstream commit; of a blocked one only these three. */
export interface KnownCommit {
  readonly sha: string;
  readonly subject: string;
  readonly state: string;
  readonly reasons: readonly string[];
}

export interface Planner {
  plan(request: PlanRequest): Promise<PlannedRun>;
  /** Upstream commits whose sha begins like this, and where they stand for a fork commit. */
  find(prefix: string, onto: string): Promise<readonly KnownCommit[]>;
  /** Commits that a fork commit can see and that were made from an upstream commit. */
  forkCommitsOf(upstream: string, onto: string): Promise<readonly string[]>;
}
