// What one reading of a directory carries along.
import type { Failure } from '../core/failure.ts';
import type { FolderListing } from './list-folder.ts';
import type { DqliteNotice } from './notice.ts';
import { type DqliteProblem, isDqliteFailure } from './problem.ts';
import type { Scratch } from './read-file.ts';

/** Closed segments behind the snapshot that were found whole: inode, size and time of last change of each. */
export type CheckedSegments = Set<string>;

export interface Reading {
  readonly listing: FolderListing;
  readonly scratch: Scratch;
  readonly notices: DqliteNotice[];
  readonly checked: CheckedSegments;
  /** Undefined: the first damage ends the reading. */
  readonly onDamage: ((failure: Failure<DqliteProblem>) => void) | undefined;
}

/** Runs a part of the reading that the rest can do without, where damage is survived at all. */
export function survive<T>(reading: Reading, part: () => T): T | undefined {
  try {
    return part();
  } catch (error) {
    if (reading.onDamage === undefined || !isDqliteFailure(error)) throw error;
    reading.onDamage(error);
    return undefined;
  }
}
