// Tells which commits build on a parked one: they change lines that it changed, or files that it made, moved or deleted.
import type { Objects } from '../git/objects.ts';
import { diffSequences, type Edit, type Sequence } from '../merge/diff-sequences.ts';
import { type FileChange, findFileChanges } from '../pick/file-change.ts';
import { isMissingObject } from '../problem.ts';
import type { LineStore } from '../rewrite/line-store.ts';

export interface ParkedChanges {
  /** Parks the changes of a commit: for all that comes later, or only for what has it as an ancestor. */
  park(sha: string, reach?: 'all' | 'ancestors'): Promise<void>;
  /** Parked commits that a commit builds on. */
  neededBy(sha: string, isAncestor: (sha: string) => boolean): Promise<readonly string[]>;
}

/** Nothing where objects are not here: the pick itself then says so. */
async function readable<T>(made: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await made;
  } catch (error) {
    if (isMissingObject(error)) return [];
    throw error;
  }
}

interface ParkedFile {
  readonly sha: string;
  readonly reach: 'all' | 'ancestors';
  /** The blob that the parked commit left behind; undefined where it deleted the file. */
  readonly blob: string | undefined;
  /** Whether the file was made or moved here: then everything in it builds on the commit. */
  readonly whole: boolean;
  readonly edits: readonly Edit[];
}

/**
 * Reads upstream's files before and after commits that may be read; others must not be given to it. In files that do
 * not merge like text (lists that are only added to, generated ones) nothing builds on anything.
 */
export function createParkedChanges(
  objects: Objects,
  store: LineStore,
  isText: (path: string) => boolean,
): ParkedChanges {
  const files = new Map<string, ParkedFile[]>();
  const changesOf = async (sha: string): Promise<readonly FileChange[]> => {
    const commit = await objects.commit(sha);
    const [parent] = commit.parents;
    const before = parent === undefined ? undefined : await objects.commit(parent);
    const changes = await findFileChanges(objects, before?.tree, commit.tree);
    return changes.filter((change) => isText(change.path));
  };
  const lines = async (blob: string | undefined): Promise<Sequence> =>
    blob === undefined ? store.split('') : store.splitBlob(blob, await objects.text(blob));
  const editsOf = async (before: string | undefined, after: string | undefined): Promise<readonly Edit[]> =>
    diffSequences(await lines(before), await lines(after));

  return {
    async park(sha, reach = 'all') {
      for (const change of await readable(changesOf(sha))) {
        const whole = change.kind === 'made' || change.kind === 'moved';
        const file: ParkedFile = {
          sha,
          reach,
          blob: change.after?.sha,
          whole,
          edits: whole || isSubmodule(change) ? [] : await editsOf(change.before?.sha, change.after?.sha),
        };
        for (const path of new Set([change.path, change.toPath]))
          files.set(path, [...(files.get(path) ?? []), file]);
      }
    },
    async neededBy(sha, isAncestor) {
      const needed = new Set<string>();
      for (const change of await readable(changesOf(sha)))
        for (const path of new Set([change.path, change.toPath]))
          for (const parked of files.get(path) ?? []) {
            if (needed.has(parked.sha) || isSubmodule(change)) continue;
            if (parked.reach === 'ancestors' && !isAncestor(parked.sha)) continue;
            if ((await readable(meets(parked, change).then((met) => [met])))[0] === true)
              needed.add(parked.sha);
          }
      return [...needed];
    },
  };

  async function meets(parked: ParkedFile, change: FileChange): Promise<boolean> {
    // A file that the commit makes anew builds on nothing; one whose maker or deleter is parked does.
    if (change.before === undefined) return parked.blob === undefined;
    if (parked.whole) return true;
    if (parked.blob === undefined) return true;
    const mine = await editsOf(change.before.sha, change.after?.sha);
    const between = await editsOf(parked.blob, change.before.sha);
    for (const edit of parked.edits) {
      const place = follow(edit, between);
      if (mine.some((own) => own.aStart < place.end && place.start < own.aEnd)) return true;
    }
    return false;
  }
}

/**
 * Where the lines that an edit left behind are in a later version, with what touches them. Lines that were changed in
 * between count with all that took their place.
 */
function follow(edit: Edit, between: readonly Edit[]): { readonly start: number; readonly end: number } {
  let start = edit.bStart;
  let end = edit.bEnd;
  let shift = 0;
  let first = start;
  let last = end;
  let found = false;
  for (const one of between) {
    if (one.aEnd < edit.bStart || (one.aEnd === edit.bStart && one.aStart < edit.bStart)) {
      shift = one.bEnd - one.aEnd;
      continue;
    }
    if (one.aStart > edit.bEnd) break;
    first = found ? first : Math.min(start + shift, one.bStart);
    last = Math.max(end + (one.bEnd - one.aEnd), one.bEnd);
    found = true;
  }
  start = found ? first : start + shift;
  end = found ? last : end + shift;
  return { start, end };
}

function isSubmodule(change: FileChange): boolean {
  return change.before?.mode === '160000' || change.after?.mode === '160000';
}
