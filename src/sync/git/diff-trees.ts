// Compares two trees by their bytes: only entries that differ are ever made into values.
import { fileMode, type TreeEntry } from './tree.ts';

export type EntryPair = readonly [TreeEntry | undefined, TreeEntry | undefined];

/** Entries that differ, in git's order; a name that is a file on one side and a folder on the other comes twice. */
export function diffTrees(left: Buffer, right: Buffer): readonly EntryPair[] {
  const pairs: EntryPair[] = [];
  let [i, j] = skipEqual(left, right);
  while (i < left.length || j < right.length) {
    const one = i < left.length ? readEntry(left, i) : undefined;
    const two = j < right.length ? readEntry(right, j) : undefined;
    const order =
      one === undefined ? 1 : two === undefined ? -1 : compareNames(keyOf(one.entry), keyOf(two.entry));
    if (order <= 0 && one !== undefined) i = one.end;
    if (order >= 0 && two !== undefined) j = two.end;
    if (order < 0) pairs.push([one?.entry, undefined]);
    else if (order > 0) pairs.push([undefined, two?.entry]);
    else if (one?.entry.sha !== two?.entry.sha || one?.entry.mode !== two?.entry.mode)
      pairs.push([one?.entry, two?.entry]);
    if (left.length - i === right.length - j && left.compare(right, j, right.length, i, left.length) === 0)
      break;
  }
  return pairs;
}

/** The first entries that may differ: what is in front of them is the same, byte for byte. */
function skipEqual(left: Buffer, right: Buffer): [number, number] {
  let low = 0;
  let high = Math.min(left.length, right.length);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (left.compare(right, low, middle, low, middle) === 0) low = middle;
    else high = middle - 1;
  }
  let entry = 0;
  for (;;) {
    const name = left.indexOf(0, entry);
    if (name < 0 || name + 21 > low) return [entry, entry];
    entry = name + 21;
  }
}

function readEntry(data: Buffer, start: number): { readonly entry: TreeEntry; readonly end: number } {
  const space = data.indexOf(32, start);
  const end = data.indexOf(0, space);
  return {
    entry: {
      mode: data.toString('latin1', start, space),
      name: data.toString('latin1', space + 1, end),
      sha: data.toString('hex', end + 1, end + 21),
    },
    end: end + 21,
  };
}

/** Folders sort as if their name ended in a slash. */
function keyOf(entry: TreeEntry): string {
  return entry.mode === fileMode.tree ? `${entry.name}/` : entry.name;
}

function compareNames(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

/** The entry of a name, or undefined. */
export function findEntry(tree: Buffer, name: string): TreeEntry | undefined {
  // Where the bytes do not stand at all, which is quick to see, no entry is looked at.
  if (!tree.includes(` ${name}\0`, 0, 'latin1')) return undefined;
  for (let start = 0; start < tree.length; ) {
    const { entry, end } = readEntry(tree, start);
    if (entry.name === name) return entry;
    start = end;
  }
  return undefined;
}
