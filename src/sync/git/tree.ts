// Tree objects: parsing, looking up paths, comparing two trees, and the bytes of a changed one.
export interface TreeEntry {
  readonly mode: string;
  readonly name: string;
  readonly sha: string;
}

export const fileMode = {
  tree: '40000',
  file: '100644',
  executable: '100755',
  link: '120000',
  submodule: '160000',
};

/** Entries in git's order; names are bytes kept as latin1, so that every name survives. */
export function parseTree(data: Buffer): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  let position = 0;
  while (position < data.length) {
    const space = data.indexOf(32, position);
    const end = data.indexOf(0, space);
    const sha = data.toString('hex', end + 1, end + 21);
    entries.push({
      mode: data.toString('latin1', position, space),
      name: data.toString('latin1', space + 1, end),
      sha,
    });
    position = end + 21;
  }
  return entries;
}

/** The bytes of a tree; entries are put into git's order (folders sort as if their name ended in a slash). */
export function formatTree(entries: readonly TreeEntry[]): Buffer {
  const key = (entry: TreeEntry): string => (entry.mode === fileMode.tree ? `${entry.name}/` : entry.name);
  const sorted = entries.toSorted((left, right) => (key(left) < key(right) ? -1 : 1));
  return Buffer.concat(
    sorted.flatMap((entry) => [
      Buffer.from(`${entry.mode} ${entry.name}\0`, 'latin1'),
      Buffer.from(entry.sha, 'hex'),
    ]),
  );
}
