// Says which picks of a finished branch leave packages that do not build and did before.
import { Failure } from '../../core/failure.ts';
import type { GoBuild, GoBuilder } from './go-builder.ts';

export interface BuiltPick {
  readonly upstream: string;
  readonly commit: string;
  readonly files: readonly { readonly path: string }[];
}

export interface BranchBuild {
  /** Packages that were looked at. */
  readonly packages: number;
  /** Of these, those about which this machine cannot say anything, with why of the first. */
  readonly unknown: number;
  readonly why: string | undefined;
  /** By the pick since which it is so. */
  readonly broken: readonly {
    readonly upstream: string;
    readonly folder: string;
    readonly why: string;
  }[];
}

/** Compares the end of a branch with what it stands on (picks in their order); a half that a later pick finishes is none. */
export async function buildBranch(
  builder: GoBuilder,
  onto: string,
  picks: readonly BuiltPick[],
): Promise<BranchBuild> {
  const last = picks.at(-1);
  const folders = goFolders(picks.flatMap(({ files }) => files));
  if (last === undefined || folders.length === 0)
    return { packages: 0, unknown: 0, why: undefined, broken: [] };
  const before = await builder.build(onto, folders);
  const after = await builder.build(last.commit, folders);
  const broken = await findFirst(builder, folders, picks, newFailures(before, after));
  const [why] = after.unknown.values();
  return { packages: after.packages.length, unknown: after.unknown.size, why, broken };
}

/**
 * By halving: a package builds on what the branch stands on and does not at its end, so that there is a pick at which that
 * changes. Of each round all packages have one build.
 */
async function findFirst(
  builder: GoBuilder,
  folders: readonly string[],
  picks: readonly BuiltPick[],
  left: ReadonlyMap<string, string>,
): Promise<BranchBuild['broken']> {
  const broken: { readonly upstream: string; readonly folder: string; readonly why: string }[] = [];
  /** What does not build at `last` and does before `first`. */
  const search = async (first: number, last: number, here: ReadonlyMap<string, string>): Promise<void> => {
    const pick = picks[last];
    if (here.size === 0 || pick === undefined) return;
    const middle = Math.floor((first + last) / 2);
    const at = first === last ? undefined : await buildInTime(builder, picks[middle]?.commit ?? '', folders);
    if (at === undefined) {
      const others =
        first === last ? '' : `\n(or since one of the ${last - first} picks before: no time was left)`;
      for (const [folder, why] of here)
        broken.push({ upstream: pick.upstream, folder, why: `${why}${others}` });
      return;
    }
    const isBroken = ([folder]: readonly [string, string]): boolean => at.failed.has(folder);
    await search(first, middle, new Map([...here].filter(isBroken)));
    await search(middle + 1, last, new Map([...here].filter((one) => !isBroken(one))));
  };
  await search(0, picks.length - 1, left);
  const place = new Map(picks.map(({ upstream }, index) => [upstream, index]));
  return broken.toSorted((one, two) => (place.get(one.upstream) ?? 0) - (place.get(two.upstream) ?? 0));
}

/** Undefined where the time for builds is over. */
async function buildInTime(
  builder: GoBuilder,
  commit: string,
  folders: readonly string[],
): Promise<GoBuild | undefined> {
  try {
    return await builder.build(commit, folders);
  } catch (error) {
    if (error instanceof Failure && error.problem.code === 'command-timeout') return undefined;
    throw error;
  }
}

/** Packages that do not build and did, or were not there. */
export function newFailures(before: GoBuild, after: GoBuild): Map<string, string> {
  const known = (folder: string): boolean => before.failed.has(folder) || before.unknown.has(folder);
  return new Map([...after.failed].filter(([folder]) => !known(folder)));
}

export function goFolders(files: readonly { readonly path: string }[]): readonly string[] {
  const paths = files.map(({ path }) => path).filter((path) => path.endsWith('.go'));
  return [...new Set(paths.map((path) => path.slice(0, Math.max(0, path.lastIndexOf('/')))))];
}
