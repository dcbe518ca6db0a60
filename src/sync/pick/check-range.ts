// Looks at what several picks leave together: a half that its own pull request finishes is none.

import type { InstalledGo } from '../build/find-go.ts';
import type { Objects } from '../git/objects.ts';
import { checkEdit } from '../go/check-edit.ts';
import { createGoSources } from '../go/go-sources.ts';
import type { GoIndexer } from '../rewrite/go/go-index.ts';
import { signsOf } from './check-types.ts';
import { doubtsOf } from './doubts.ts';
import type { Doubt } from './pick-result.ts';

/** Doubts about the tree of the second commit where the first one's is taken to compile. */
export async function checkRange(
  parts: {
    readonly objects: Objects;
    readonly indexer: GoIndexer;
    readonly installedGo: InstalledGo | undefined;
  },
  from: string,
  to: string,
): Promise<readonly Doubt[]> {
  const { objects, indexer, installedGo } = parts;
  const [before, after] = await Promise.all([objects.commit(from), objects.commit(to)]);
  const edits = new Map(
    (await objects.compare(before.tree, after.tree)).map(
      (change) => [change.path, change.after?.sha] as const,
    ),
  );
  const index = await indexer.index(before.tree);
  const sources = createGoSources(objects, installedGo);
  return doubtsOf(signsOf(await checkEdit({ objects, sources, tree: before.tree, index, edits })));
}
