// Finds the commits after which more of the same pull request are picked.
import type { Objects } from '../git/objects.ts';

/** No pull request has as many. */
const longest = 200;

/** Those of some upstream commits that another of them has as an ancestor, with no merge between the two. */
export async function followedCommits(
  objects: Objects,
  upstream: readonly string[],
): Promise<ReadonlySet<string>> {
  const all = new Set(upstream);
  const followed = new Set<string>();
  for (const sha of all) {
    let at = await objects.commitIfHere(sha);
    for (let step = 0; at !== undefined && at.parents.length === 1 && step < longest; step += 1) {
      const [parent = ''] = at.parents;
      if (followed.has(parent)) break;
      at = await objects.commitIfHere(parent);
      if (at?.parents.length === 1 && all.has(parent)) followed.add(parent);
    }
  }
  return followed;
}
