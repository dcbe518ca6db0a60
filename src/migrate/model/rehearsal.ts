// What a rehearsal found: whether Incus took the converted database, and what the trial could not prove.

import type { Difference } from './difference.ts';
import type { Finding } from './finding.ts';

/** Something that the trial ran without, or with something in its place. */
export interface NotProven {
  readonly kind: 'storage pool' | 'network' | 'key' | 'expiry' | 'patch' | 'answer';
  /** The key, column or patch; for pools and networks what was put in their place. */
  readonly what: string;
  readonly objects: readonly string[];
  readonly because: string;
  /** What finds out after the switch, in the words of verify. */
  readonly checkedBy: string;
}

export interface Rehearsal {
  /** Whether a daemon was started on the converted database. */
  readonly ran: boolean;
  /** Why not. */
  readonly reason: string | undefined;
  /** Of Incus as it ran in the trial. */
  readonly version: string | undefined;
  /** How many objects it showed. */
  readonly compared: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  readonly notProven: readonly NotProven[];
  readonly milliseconds: number;
}

/** With what its findings only sum up. */
export interface FreshRehearsal extends Rehearsal {
  /** Everything that Incus showed otherwise than it was in LXD; the finding names the first of them. */
  readonly differences: readonly Difference[];
}
