import { describe, expect, it } from 'vitest';
import type { Folder } from '../../../src/sync/git/objects.ts';
import { fileMode } from '../../../src/sync/git/tree.ts';
import { createGoIndexer } from '../../../src/sync/rewrite/go/go-index.ts';

/** Roots of one folder each, which holds very many files of one text; tells which folders were read. */
function largeFolders(): {
  readonly objects: Parameters<typeof createGoIndexer>[0];
  readonly read: string[];
} {
  const read: string[] = [];
  const files: Folder = new Map(
    Array.from({ length: 3000 }, (_, index) => {
      const name = `file${index}.go`;
      return [name, { name, mode: fileMode.file, sha: 'blob' }];
    }),
  );
  return {
    read,
    objects: {
      text: async () => 'package large\n\nfunc Known(one int) {}\n',
      folder: async (sha) => {
        read.push(sha);
        // `root 1 …` holds the first version of the folder, and so on.
        const [kind, version] = sha.split(' ');
        return kind === 'root'
          ? new Map([['large', { name: 'large', mode: fileMode.tree, sha: `large ${version}` }]])
          : files;
      },
      entry: async () => undefined,
      compare: async () => [],
    },
  };
}

describe('the index of a tree', () => {
  it('does not read a folder again that stayed as it was, and keeps few versions of a large one', async () => {
    // Arrange
    const { objects, read } = largeFolders();
    const indexer = createGoIndexer(objects);
    const readFor = async (tree: string): Promise<readonly string[]> => {
      read.length = 0;
      const index = await indexer.index(tree);
      expect(index.packages.get('large')?.declares(0)).toBe(false);
      expect(index.callables('Known')).toHaveLength(3000);
      return [...read];
    };

    // Act
    const first = await readFor('root 1 a');
    const second = await readFor('root 2 a');
    const unchanged = await readFor('root 2 b');
    const back = await readFor('root 1 b');

    // Assert
    expect(first).toEqual(['root 1 a', 'large 1']);
    expect(second).toEqual(['root 2 a', 'large 2']);
    expect(unchanged).toEqual(['root 2 b']);
    expect(back).toEqual(['root 1 b', 'large 1']);
  });
});
