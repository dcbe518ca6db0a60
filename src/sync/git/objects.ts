// Typed, cached access to the objects of both repositories: commits, trees, blobs, paths and tree comparison.
import { syncFailure } from '../problem.ts';
import { type Commit, parseCommit } from './commit.ts';
import { diffTrees, findEntry } from './diff-trees.ts';
import { createLru } from './lru.ts';
import type { GitMemory, ObjectReader, ObjectType } from './object-reader.ts';
import { fileMode, parseTree, type TreeEntry } from './tree.ts';

export interface Change {
  readonly path: string;
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

/** One name of a folder that is not the same in two trees. */
export interface Difference {
  readonly name: string;
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

export type Folder = ReadonlyMap<string, TreeEntry>;

export interface Objects {
  commit(sha: string): Promise<Commit>;
  /** The commit, or undefined where this clone does not hold it (a shallow history ends here). */
  commitIfHere(sha: string): Promise<Commit | undefined>;
  /** The same for one that is looked at once: it is not kept. */
  commitInPassing(sha: string): Promise<Commit | undefined>;
  folder(sha: string): Promise<Folder>;
  /** What differs between two folders themselves, by name; what is in their folders is not looked at. */
  differing(before: string | undefined, after: string | undefined): Promise<readonly Difference[]>;
  /** Whether a folder may hold an entry that begins like one of these; false is certain. */
  mayHold(tree: string, stems: readonly string[]): Promise<boolean>;
  /** One entry of a folder. */
  entryIn(tree: string, name: string): Promise<TreeEntry | undefined>;
  /** The bytes of a blob as latin1: one character a byte. */
  text(sha: string): Promise<string>;
  /** Whether this clone holds an object of any kind. */
  isHere(sha: string): Promise<boolean>;
  /** The same, or undefined where this clone does not hold the blob. */
  textIfHere(sha: string): Promise<string | undefined>;
  entry(tree: string, path: string): Promise<TreeEntry | undefined>;
  /** Files that differ, in path order; renames are two changes. */
  compare(before: string | undefined, after: string | undefined): Promise<readonly Change[]>;
  /** Makes an object known that was made here and is not (yet) in a repository. */
  remember(sha: string, type: ObjectType, data: Buffer): void;
  /** Forgets an object that was made known: it is in a repository now, or nobody wants it. */
  forget(sha: string): void;
}

/** What the caches hold, in bytes: enough for neighbours of a pick, or for all that is under way in a scan. */
const cacheBytes: Readonly<Record<GitMemory, { readonly blobs: number; readonly trees: number }>> = {
  little: { blobs: 3 * 1024 * 1024, trees: 2 * 1024 * 1024 },
  much: { blobs: 32 * 1024 * 1024, trees: 32 * 1024 * 1024 },
};
const folderCacheEntries = 12_000;

/** Caches on top of a reader; the caches hold only what can be read again. */
export function openObjects(reader: ObjectReader, memory: GitMemory = 'little'): Objects {
  const commits = new Map<string, Commit>();
  const folders = createLru<string, Folder>(folderCacheEntries);
  const texts = createLru<string, string>(cacheBytes[memory].blobs);
  const trees = createLru<string, Buffer>(cacheBytes[memory].trees);
  const once = createOnce();
  const own = new Map<string, { readonly type: ObjectType; readonly data: Buffer }>();

  const read = async (sha: string, wanted: ObjectType): Promise<Buffer> => {
    const found = own.get(sha) ?? (await reader.read(sha));
    if (found === undefined) throw syncFailure({ code: 'object-missing', sha });
    if (found.type !== wanted) throw syncFailure({ code: 'not-the-type', sha, wanted, found: found.type });
    return found.data;
  };
  const commit = async (sha: string): Promise<Commit> => {
    const known = commits.get(sha);
    if (known !== undefined) return known;
    const parsed = parseCommit(sha, await read(sha, 'commit'));
    commits.set(sha, parsed);
    return parsed;
  };
  const folder = async (sha: string): Promise<Folder> => {
    const known = folders.get(sha);
    if (known !== undefined) return known;
    return once(`folder ${sha}`, async () => {
      const data = await read(sha, 'tree');
      const parsed = new Map(parseTree(data).map((entry) => [entry.name, entry]));
      folders.set(sha, parsed, parsed.size + 1);
      return parsed;
    });
  };
  const tree = async (sha: string | undefined): Promise<Buffer> => {
    if (sha === undefined) return noTree;
    const known = trees.get(sha);
    if (known !== undefined) return known;
    return once(`tree ${sha}`, async () => {
      // A copy: what the reader hands out is a piece of something larger, and so is what Buffer.from gives.
      const piece = await read(sha, 'tree');
      const data = Buffer.allocUnsafeSlow(piece.length);
      piece.copy(data);
      trees.set(sha, data, data.length + 200);
      return data;
    });
  };
  const differing = async (
    before: string | undefined,
    after: string | undefined,
  ): Promise<readonly Difference[]> => {
    if (before === after) return [];
    const [left, right] = await Promise.all([tree(before), tree(after)]);
    const byName = new Map<string, Difference>();
    for (const [one, two] of diffTrees(left, right)) {
      const name = one?.name ?? two?.name ?? '';
      const other = byName.get(name);
      byName.set(name, { name, before: one ?? other?.before, after: two ?? other?.after });
    }
    return [...byName.values()].sort((one, two) => (one.name < two.name ? -1 : 1));
  };
  const compareInto = async (
    prefix: string,
    before: string | undefined,
    after: string | undefined,
    out: Change[],
  ): Promise<void> => {
    if (before === after) return;
    for (const { name, before: one, after: two } of await differing(before, after)) {
      const oneTree = one?.mode === fileMode.tree ? one.sha : undefined;
      const twoTree = two?.mode === fileMode.tree ? two.sha : undefined;
      if (oneTree !== undefined || twoTree !== undefined)
        await compareInto(`${prefix}${name}/`, oneTree, twoTree, out);
      const oneFile = oneTree === undefined ? one : undefined;
      const twoFile = twoTree === undefined ? two : undefined;
      if (oneFile !== undefined || twoFile !== undefined)
        out.push({ path: prefix + name, before: oneFile, after: twoFile });
    }
  };

  return {
    commit,
    async commitIfHere(sha) {
      const known = commits.get(sha);
      if (known !== undefined) return known;
      return once(`commit ${sha}`, async () => {
        const found = own.get(sha) ?? (await reader.read(sha));
        if (found?.type !== 'commit') return undefined;
        const parsed = parseCommit(sha, found.data);
        commits.set(sha, parsed);
        return parsed;
      });
    },
    async commitInPassing(sha) {
      const known = commits.get(sha);
      if (known !== undefined) return known;
      const found = own.get(sha) ?? (await reader.read(sha));
      return found?.type === 'commit' ? parseCommit(sha, found.data) : undefined;
    },
    folder,
    differing,
    mayHold: async (sha, stems) => {
      const data = await tree(sha);
      return stems.some((stem) => data.includes(` ${stem}`, 0, 'latin1'));
    },
    entryIn: async (sha, name) => findEntry(await tree(sha), name),
    async text(sha) {
      const known = texts.get(sha);
      if (known !== undefined) return known;
      return once(`text ${sha}`, async () => {
        const text = (await read(sha, 'blob')).toString('latin1');
        texts.set(sha, text, text.length + 200);
        return text;
      });
    },
    isHere: async (sha) => own.has(sha) || (await reader.read(sha)) !== undefined,
    async textIfHere(sha) {
      const known = texts.get(sha);
      if (known !== undefined) return known;
      const found = own.get(sha) ?? (await reader.read(sha));
      return found?.type === 'blob' ? found.data.toString('latin1') : undefined;
    },
    async entry(tree, path) {
      const parts = path.split('/');
      let sha = tree;
      for (const [index, part] of parts.entries()) {
        const found = (await folder(sha)).get(part);
        if (found === undefined || index === parts.length - 1) return found;
        if (found.mode !== fileMode.tree) return undefined;
        sha = found.sha;
      }
      return undefined;
    },
    async compare(before, after) {
      const out: Change[] = [];
      await compareInto('', before, after, out);
      return out;
    },
    remember(sha, type, data) {
      own.set(sha, { type, data });
    },
    forget(sha) {
      own.delete(sha);
    },
  };
}

const noTree = Buffer.alloc(0);

/** Who asks for what is being made already waits for that. */
function createOnce(): <T>(key: string, make: () => Promise<T>) => Promise<T> {
  const underWay = new Map<string, Promise<unknown>>();
  return <T>(key: string, make: () => Promise<T>): Promise<T> => {
    // What stands under a key was made for it: keys of different kinds begin differently.
    const before = underWay.get(key) as Promise<T> | undefined;
    if (before !== undefined) return before;
    const made = make().finally(() => underWay.delete(key));
    underWay.set(key, made);
    return made;
  };
}
