// Declarations of a repository's Go files, read when somebody asks for them and kept by blob.
import { createLru } from '../git/lru.ts';
import type { Objects } from '../git/objects.ts';
import type { PackageFile } from '../rewrite/go/go-index.ts';
import { createGoChecker, type GoChecker } from './check-file.ts';
import { createGoWorld, type GoTree, type GoWorld } from './go-world.ts';
import { isUnreadable } from './parse-go.ts';
import { type GoDeclarations, readDeclarations } from './read-declarations.ts';

export interface GoSources {
  /**
   * Asks something of a tree, again and again until all that the answer hangs on is read; `onUnsettled` is told where that
   * has no end.
   */
  ask<T>(
    tree: Omit<GoTree, 'read'>,
    question: (checker: GoChecker, world: GoWorld) => T,
    onUnsettled: () => void,
  ): Promise<T>;
}

interface OpenTree {
  readonly world: GoWorld;
  readonly checker: GoChecker;
}

/** Characters of source whose declarations are kept; each of two threads keeps its own. */
const keptCharacters = 3_000_000;
/** One package leads to the next: what is not known after so many steps stays unknown. */
const mostRounds = 12;

export function createGoSources(objects: Pick<Objects, 'text'>): GoSources {
  const known = createLru<string, GoDeclarations | 'unreadable'>(keptCharacters);
  const keyOf = (file: PackageFile): string => `${file.sha} ${file.path}`;
  const read = (file: PackageFile): GoDeclarations | 'unread' | 'unreadable' =>
    known.get(keyOf(file)) ?? 'unread';
  const load = async (file: PackageFile): Promise<void> => {
    const text = await objects.text(file.sha);
    known.set(keyOf(file), declarationsIn(file.path, text), text.length);
  };
  // What is found out about a tree is found out once for all that is asked of it.
  const opened = new WeakMap<object, OpenTree>();
  const open = (tree: Omit<GoTree, 'read'>): OpenTree => {
    const known = opened.get(tree);
    if (known !== undefined) return known;
    const world = createGoWorld({ ...tree, read });
    const made = { world, checker: createGoChecker(world) };
    opened.set(tree, made);
    return made;
  };
  return {
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

function declarationsIn(path: string, text: string): GoDeclarations | 'unreadable' {
  try {
    return readDeclarations(path, text);
  } catch (error) {
    if (isUnreadable(error)) return 'unreadable';
    throw error;
  }
}
