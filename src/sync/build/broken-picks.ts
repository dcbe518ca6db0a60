// Says which picks of a finished branch leave packages that do not build and did before.
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
  const broken: { readonly upstream: string; readonly folder: string; readonly why: string }[] = [];
  const left = newFailures(before, after);
  for (const pick of picks) {
    if (left.size === 0) break;
    const here = pick === last ? after : await builder.build(pick.commit, folders);
    for (const [folder, why] of left)
      if (here.failed.has(folder)) {
        broken.push({ upstream: pick.upstream, folder, why });
        left.delete(folder);
      }
  }
  const [why] = after.unknown.values();
  return { packages: after.packages.length, unknown: after.unknown.size, why, broken };
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
