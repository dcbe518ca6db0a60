// What a pick comes out as: one serialisable value that the command line prints and everything else reads.
export type PickStatus = 'clean' | 'review' | 'conflict' | 'empty' | 'skipped' | 'blocked';

export type FileHow =
  | 'merged'
  | 'taken'
  | 'added'
  | 'deleted'
  | 'moved'
  | 'mode'
  | 'unchanged'
  | 'skipped'
  | 'dropped'
  | 'left';

export interface PickedFile {
  /** The fork's path. */
  readonly path: string;
  /** Upstream's path. */
  readonly from: string;
  readonly how: FileHow;
}

export interface Doubt {
  readonly path: string;
  /** The sign, by name: docs/fork-sync/doubts.md says what each means. */
  readonly rule: string;
  readonly why: string;
}

export type ConflictType =
  | 'rule-missing'
  | 'prerequisite-missing'
  | 'deleted-in-fork'
  | 'generated'
  | 'list'
  | 'already-applied'
  | 'really-diverged';

export interface ConflictHunk {
  readonly line: number;
  readonly ours: string;
  readonly base: string;
  readonly theirs: string;
  /** The fork commit that changed these lines, where its history shows one. */
  readonly forkCommit?: string;
  readonly forkSubject?: string;
}

export interface Conflict {
  readonly path: string;
  readonly type: ConflictType;
  readonly why: string;
  readonly next: string;
  readonly hunks?: readonly ConflictHunk[];
  /** The fork commit that changed the lines of the first hunk, or deleted the file. */
  readonly forkCommit?: string;
  /** Upstream commits that are missing in the fork and touched the same lines. */
  readonly prerequisites?: readonly string[];
}

export interface PickResult {
  readonly upstream: string;
  readonly onto: string;
  readonly status: PickStatus;
  readonly tree: string | undefined;
  readonly commit: string | undefined;
  readonly files: readonly PickedFile[];
  readonly doubts: readonly Doubt[];
  readonly conflicts: readonly Conflict[];
  readonly reasons: readonly string[];
}
