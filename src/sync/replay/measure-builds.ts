// Says of replayed picks which leave Go packages that do not build, with the Go of this machine.
import { buildBranch } from '../build/broken-picks.ts';
import type { GoBuilder } from '../build/go-builder.ts';
import type { Objects } from '../git/objects.ts';
import type { Replayed } from './replay-pairs.ts';

export interface BuildFigures {
  /** Picks of which all packages build that build without them. */
  readonly built: number;
  /** Picks of which no package can be built here, and why of the first. */
  readonly unknown: number;
  readonly why: string | undefined;
  readonly broken: readonly BrokenPick[];
}

export interface BrokenPick {
  readonly upstream: string;
  readonly status: Replayed['status'];
  /** It has the tree that people committed. */
  readonly exact: boolean;
  /** The rest of its pull request finishes it, as upstream. */
  readonly half: boolean;
  readonly folder: string;
  readonly why: string;
}

/** Each pick alone on what it was picked onto; those that touch no Go are not counted. */
export async function measureBuilds(
  objects: Objects,
  builder: GoBuilder,
  replayed: readonly Replayed[],
  tell: (line: string) => void,
): Promise<BuildFigures> {
  let built = 0;
  let unknown = 0;
  let why: string | undefined;
  const broken: BrokenPick[] = [];
  for (const [place, one] of replayed.entries()) {
    const { commit, upstream, status, exact, signs } = one;
    const [onto] = (await objects.commit(one.fork)).parents;
    if (commit === undefined || onto === undefined) continue;
    const [before, after] = await Promise.all([objects.commit(onto), objects.commit(commit)]);
    const files = await objects.compare(before.tree, after.tree);
    const result = await buildBranch(builder, onto, [{ upstream, commit, files }]);
    if (result.packages === 0) continue;
    const [first] = result.broken;
    if (first !== undefined)
      broken.push({
        upstream,
        status,
        exact,
        half: signs.includes('half'),
        folder: first.folder,
        why: first.why,
      });
    else if (result.unknown === result.packages) unknown += 1;
    else built += 1;
    why ??= result.why;
    tell(`${place + 1} of ${replayed.length}: ${built} build, ${broken.length} do not, ${unknown} unknown`);
  }
  return { built, unknown, why, broken };
}
