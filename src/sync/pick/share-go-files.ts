// Each of two threads reads the Go files of one of the two repositories, and tells the other what they declare.
import type { Verdict } from '../gate/licence-gate.ts';
import type { Commit } from '../git/commit.ts';
import type { Objects } from '../git/objects.ts';
import { isMissingObject } from '../problem.ts';
import type { GoIndexer, ReadGoFile } from '../rewrite/go/go-index.ts';
import type { PickRequest } from './open-workshop.ts';
import { type Partner, share } from './partner.ts';

export interface GoFileSources {
  readonly objects: Pick<Objects, 'commit'>;
  readonly indexer: Pick<GoIndexer, 'files' | 'learn'>;
  readonly judge: (commit: Commit) => Promise<Verdict>;
}

/** The trees of all picks hold nearly the same files as those of the first. */
export async function shareGoFiles(
  partner: Partner,
  sources: GoFileSources,
  first: PickRequest,
): Promise<void> {
  const { indexer } = sources;
  await Promise.all([
    share(partner, 0, 'fork-go', () => read(sources, () => forkTree(sources, first))).then(indexer.learn),
    share(partner, 1, 'upstream-go', () => read(sources, () => upstreamTree(sources, first))).then(
      indexer.learn,
    ),
  ]);
}

/** What cannot be read here stops the pick that needs it, and no other. */
async function read(
  { indexer }: GoFileSources,
  treeOf: () => Promise<string | undefined>,
): Promise<readonly ReadGoFile[]> {
  try {
    const tree = await treeOf();
    return tree === undefined ? [] : await indexer.files(tree);
  } catch (error) {
    if (isMissingObject(error)) return [];
    throw error;
  }
}

async function forkTree({ objects }: GoFileSources, { onto }: PickRequest): Promise<string> {
  return (await objects.commit(onto)).tree;
}

/** Undefined where not all of it may be looked at. */
async function upstreamTree(
  { objects, judge }: GoFileSources,
  first: PickRequest,
): Promise<string | undefined> {
  const commit = await objects.commit(first.upstream);
  const verdict = await judge(commit);
  if (!verdict.cleared || verdict.scope !== 'tree') return undefined;
  const [parent] = commit.parents;
  return parent === undefined ? commit.tree : (await objects.commit(parent)).tree;
}
