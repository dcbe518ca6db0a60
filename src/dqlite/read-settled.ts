// Reads a directory that a daemon may be writing to: begins again when it changed meanwhile, a bounded number of times.
import { type FolderListing, listFolder } from './list-folder.ts';
import { dqliteFailure, isDqliteFailure } from './problem.ts';
import { FileMoved } from './read-file.ts';

const attempts = 12;

/** Within which a daemon that is in the middle of a write goes on with it; no clock tells whether one is. */
const settleMs = 30;

/**
 * Calls `read` with a listing until the directory was the same before and after. A result that `isDoubtful`, and a
 * failure, may come from a write that was under way: they count only if the files did not change at all.
 */
export function readSettled<T>(
  folder: string,
  read: (listing: FolderListing) => T,
  isDoubtful: (result: T) => boolean,
): T {
  for (let attempt = 1; ; attempt += 1) {
    const before = listFolder(folder);
    const outcome = attemptRead(() => read(before));
    const doubtful = !('result' in outcome) || isDoubtful(outcome.result);
    if (doubtful) pause(settleMs);
    const after = listFolder(folder);
    const same = doubtful ? after.stamp === before.stamp : after.signature === before.signature;
    if (same && 'result' in outcome) return outcome.result;
    if (same && 'failure' in outcome) throw outcome.failure;
    if (attempt === attempts) {
      // The names held still: what is doubtful is only the end of the segment that is being written.
      if ('result' in outcome && after.signature === before.signature) return outcome.result;
      throw dqliteFailure({ code: 'folder-keeps-changing', folder, attempts });
    }
    pause(5 * attempt);
  }
}

type Outcome<T> = { readonly result: T } | { readonly failure: unknown } | { readonly moved: true };

function attemptRead<T>(read: () => T): Outcome<T> {
  try {
    return { result: read() };
  } catch (error) {
    if (error instanceof FileMoved) return { moved: true };
    if (isDqliteFailure(error)) return { failure: error };
    throw error;
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
