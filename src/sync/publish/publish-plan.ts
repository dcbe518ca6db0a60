// What a run publishes, as one serialisable value: texts are readable, the commits are in the scratch repository.
import type { Conflict, Doubt, PickedFile } from '../pick/pick-result.ts';

/** A commit that was picked, or that a person has to finish. */
export interface PickEntry {
  readonly state: 'clean' | 'review' | 'conflict' | 'held';
  readonly upstream: string;
  readonly subject: string;
  /** The commit on the branch; none for what a person has to finish. */
  readonly commit: string | undefined;
  /** What proves that its licence lets it over. */
  readonly licence: readonly string[];
  readonly files: readonly PickedFile[];
  readonly doubts: readonly Doubt[];
  readonly conflicts: readonly Conflict[];
  readonly reasons: readonly string[];
  /** Lines in which the pick differs from upstream's commit in the fork's words; none: equal after renaming. */
  readonly remaining: readonly string[];
}

/** A commit that does not come over in this run. Of a blocked one nothing else may be known here. */
export interface ListedEntry {
  readonly state: 'skipped' | 'parked' | 'blocked';
  readonly upstream: string;
  readonly subject: string;
  readonly reasons: readonly string[];
}

export type PlanEntry = PickEntry | ListedEntry;

export interface PublishPlan {
  readonly upstream: { readonly name: string; readonly branch: string; readonly tip: string };
  /** The fork commit under the first pick. */
  readonly onto: string;
  /** The last pick; `onto` where nothing was picked. */
  readonly head: string;
  readonly entries: readonly PlanEntry[];
  /** Commits beyond the limit of a run. */
  readonly waiting: number;
  /** How many of all upstream commits are in which state. */
  readonly standing: Readonly<Record<string, number>>;
}

export function isPick(entry: PlanEntry): entry is PickEntry {
  return 'files' in entry;
}

/** Whether a person has to do something before all of it can come over. */
export function needsPerson(plan: PublishPlan): boolean {
  return plan.entries.some(({ state }) => state === 'conflict' || state === 'held' || state === 'review');
}

const order = ['clean', 'review', 'conflict', 'held', 'parked', 'skipped', 'blocked'] as const;

/** `9 clean, 2 review, 1 conflict`. */
export function countStates(entries: readonly PlanEntry[]): string {
  const counts = order.flatMap((state) => {
    const count = entries.filter((entry) => entry.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return counts.length === 0 ? 'nothing' : counts.join(', ');
}
