// Which mount shows a path, and what of its file system.
import { join, relative } from 'node:path';
import type { MountInfo } from '../../core/host.ts';

/** The mount through which a path is seen; the last one where several are mounted on one point. */
export function mountShowing<M extends MountInfo>(mounts: readonly M[], path: string): M | undefined {
  return mounts
    .filter((mount) => mount.path === path || isBelow(mount.path, path))
    .reduce<M | undefined>(
      (best, one) => (best === undefined || one.path.length >= best.path.length ? one : best),
      undefined,
    );
}

/** A path as the mounted file system itself has it. */
export function pathInside({ root, path: point }: MountInfo, path: string): string {
  return join(root, relative(point, path));
}

/** A bind mount that shows what lies beneath it anyway: without it everything would still be in the old place. */
export function isBoundOntoItself(mounts: readonly MountInfo[], mount: MountInfo): boolean {
  const above = mountShowing(
    mounts.filter(({ path }) => path !== mount.path),
    mount.path,
  );
  return above !== undefined && above.device === mount.device && pathInside(above, mount.path) === mount.root;
}

export function isBelow(folder: string, path: string): boolean {
  return path !== folder && path.startsWith(folder === '/' ? '/' : `${folder}/`);
}
