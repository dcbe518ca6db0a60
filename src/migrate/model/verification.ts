// What verify found, as one value.

export interface Check {
  /** Stable name of the kind of check. */
  readonly id: string;
  readonly object: string;
  readonly what: string;
  readonly ok: boolean;
  /** Not as it was in LXD, as the rehearsal showed, and a user accepted that; `ok` then. */
  readonly accepted?: true;
  /** Not as it should be, and no worse than it was in LXD; `ok` then. */
  readonly asBefore?: true;
  /** The daemon's own words, or the difference; no confidential value. */
  readonly detail?: string;
}

export interface Verification {
  readonly checks: readonly Check[];
  readonly notes: readonly string[];
  /** What this server has and no check looks at. */
  readonly notLookedAt: readonly string[];
}
