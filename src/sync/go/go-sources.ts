// Declarations of a repository's Go files, read when somebody asks for them and kept by blob.
import type { InstalledGo } from '../build/find-go.ts';
import { createLru } from '../git/lru.ts';
import type { Objects } from '../git/objects.ts';
import type { PackageFile } from '../rewrite/go/go-index.ts';
import { createGoChecker, type GoChecker } from './check-file.ts';
import { createGoWorld, type GoTree, type GoWorld } from './go-world.ts';
import { type GoDeclarations, readDeclarations } from './read-declarations.ts';
import { openStandardLibrary } from './standard-library.ts';
import { orFault, type TypeFault } from './type-fault.ts';

/** A blob, as the file that it is. */
export type GoBlob = Pick<PackageFile, 'path' | 'sha'>;

export interface GoSources {
  /** The declarations of a file whose text somebody has, or why it cannot be read. */
  read(file: GoBlob, text: string): GoDeclarations | TypeFault;
  /**
   * Asks something of a tree, again and again until all that the answer hangs on is read; `onUnsettled` is told where that
   * has no end.
   */
  ask<T>(
    tree: Omit<GoTree, 'read' | 'library'>,
    question: (checker: GoChecker, world: GoWorld) => T,
    onUnsettled: () => void,
  ): Promise<T>;
}

interface OpenTree {
  readonly world: GoWorld;
  readonly checker: GoChecker;
}

/** What declarations may take; each of two threads keeps its own. */
const keptBytes = 3_000_000;
/** One package leads to the next: what is not known after so many steps stays unknown. */
const mostRounds = 12;

export function createGoSources(objects: Pick<Objects, 'text'>, go: InstalledGo | undefined): GoSources {
  const library = go === undefined ? undefined : openStandardLibrary(go);
  const known = createLru<string, GoDeclarations | TypeFault>(keptBytes);
  const keyOf = ({ sha, path }: GoBlob): string => `${sha} ${path}`;
  const readKnown = (file: GoBlob): GoDeclarations | 'unread' | 'unreadable' => {
    const found = known.get(keyOf(file));
    if (found === undefined) return 'unread';
    return 'kind' in found ? 'unreadable' : found;
  };
  const read = (file: GoBlob, text: string): GoDeclarations | TypeFault => {
    const key = keyOf(file);
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = orFault(() => readDeclarations(file.path, text));
    known.set(key, made, 'kind' in made ? 1 : made.weight);
    return made;
  };
  const load = async (file: GoBlob): Promise<void> => {
    read(file, await objects.text(file.sha));
  };
  // What is found out about a tree is found out once for all that is asked of it.
  const opened = new WeakMap<object, OpenTree>();
  const open = (tree: Omit<GoTree, 'read' | 'library'>): OpenTree => {
    const known = opened.get(tree);
    if (known !== undefined) return known;
    const world = createGoWorld({ ...tree, read: readKnown, library });
    const made = { world, checker: createGoChecker(world) };
    opened.set(tree, made);
    return made;
  };
  return {
    read,
    async ask(tree, question, onUnsettled) {
      const { world, checker } = open(tree);
      for (let round = 1; ; round += 1) {
        const answer = question(checker, world);
        const wanted = world.takeWanted();
        if (wanted.length > 0 && round === mostRounds) onUnsettled();
        if (wanted.length === 0 || round === mostRounds) return answer;
        await Promise.all(wanted.map(load));
      }
    },
  };
}
