// What ran when a migration began, and what is held back until the cutover is done.

/** What ran when the migration began; instances as `project/name`. */
export interface PowerRecord {
  readonly running: ReadonlySet<string>;
  readonly frozen: ReadonlySet<string>;
}

/** An instance whose `boot.autostart` is held at false during the switch, and what to put back. */
export interface Held {
  readonly project: string;
  readonly name: string;
  /** The instance's own value; null when it came from a profile. */
  readonly autostart: string | null;
}
