// What upstream's commit did, file by file, with its renames found again.
import type { Change, Objects } from '../git/objects.ts';
import { fileMode, type TreeEntry } from '../git/tree.ts';

export interface FileChange {
  readonly kind: 'made' | 'changed' | 'deleted' | 'moved';
  /** Path before, or after for a file that was made. */
  readonly path: string;
  /** Path after; the same unless the file moved. */
  readonly toPath: string;
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

const largestRenameCheck = 60;

/** Pairs deletions with additions that kept at least half of the lines; files that were made or moved come first. */
export async function findFileChanges(
  objects: Objects,
  before: string | undefined,
  after: string,
): Promise<readonly FileChange[]> {
  const changes = await objects.compare(before, after);
  const made = changes.filter((change) => change.before === undefined);
  const gone = changes.filter((change) => change.after === undefined);
  const moves = await findMoves(objects, gone, made);
  const movedTo = new Set([...moves.values()].map((change) => change.path));
  const out: FileChange[] = [];
  for (const change of changes) {
    if (change.before !== undefined && change.after !== undefined)
      out.push({ ...change, kind: 'changed', toPath: change.path });
    else if (change.after !== undefined) {
      if (!movedTo.has(change.path)) out.push({ ...change, kind: 'made', toPath: change.path });
    } else {
      const to = moves.get(change.path);
      if (to === undefined) out.push({ ...change, kind: 'deleted', toPath: change.path });
      else
        out.push({
          kind: 'moved',
          path: change.path,
          toPath: to.path,
          before: change.before,
          after: to.after,
        });
    }
  }
  // Code before documentation, which repeats its sentences; what is made before what may refer to it.
  const rank = (change: FileChange): number =>
    (change.path.endsWith('.go') ? 0 : 2) + (change.kind === 'made' || change.kind === 'moved' ? 0 : 1);
  return out.toSorted((left, right) => rank(left) - rank(right));
}

async function findMoves(
  objects: Objects,
  gone: readonly Change[],
  made: readonly Change[],
): Promise<ReadonlyMap<string, Change>> {
  const moves = new Map<string, Change>();
  if (gone.length === 0 || made.length === 0) return moves;
  const free = new Set(made);
  const name = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  for (const left of gone) {
    const same = [...free].filter((right) => right.after?.sha === left.before?.sha);
    const best = same.find((right) => name(right.path) === name(left.path)) ?? same[0];
    if (best === undefined) continue;
    moves.set(left.path, best);
    free.delete(best);
  }
  if (gone.length * free.size > largestRenameCheck * largestRenameCheck) return moves;
  const candidates: { readonly left: Change; readonly right: Change; readonly score: number }[] = [];
  for (const left of gone) {
    if (moves.has(left.path) || left.before === undefined || left.before.mode === fileMode.submodule)
      continue;
    const lines = countLines(await objects.text(left.before.sha));
    for (const right of free) {
      if (right.after === undefined || right.after.mode !== left.before.mode) continue;
      const score = sharedShare(lines, countLines(await objects.text(right.after.sha)));
      if (score >= 0.5) candidates.push({ left, right, score });
    }
  }
  for (const { left, right } of candidates.toSorted((one, two) => two.score - one.score)) {
    if (moves.has(left.path) || !free.has(right)) continue;
    moves.set(left.path, right);
    free.delete(right);
  }
  return moves;
}

interface Counted {
  readonly lines: ReadonlyMap<string, number>;
  readonly bytes: number;
}

function countLines(text: string): Counted {
  const lines = new Map<string, number>();
  for (const line of text.split('\n')) lines.set(line, (lines.get(line) ?? 0) + 1);
  return { lines, bytes: text.length };
}

/** Bytes in common lines over the bytes of the larger file, as git's similarity index is meant. */
function sharedShare(left: Counted, right: Counted): number {
  let shared = 0;
  for (const [line, count] of left.lines)
    shared += Math.min(count, right.lines.get(line) ?? 0) * (line.length + 1);
  const larger = Math.max(left.bytes, right.bytes);
  return larger === 0 ? 0 : shared / larger;
}
