// Whether a path lies in a folder, whatever links and bind mounts lead there, and whether or not it exists yet.
import * as fs from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Host, MountInfo } from '../../core/host.ts';
import { nearest } from './layout.ts';

/** The folder itself counts as inside. Paths are absolute ones of the host. */
export function isInside(host: Host, path: string, folder: string): boolean {
  const [one, other] = [realPlace(host, path), realPlace(host, folder)];
  return isBelow(one, other) || isBelowByInode(host, path, folder) || isBelowOnDisk(host, one, other);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** Links of what exists are followed; what does not exist yet is where it will be made. Without the root of the host. */
function realPlace(host: Host, path: string): string {
  const full = host.path(resolve(path));
  const there = nearest(full);
  const real = join(fs.realpathSync(there), relative(there, full));
  const root = fs.realpathSync(host.path('/'));
  return root !== '/' && isBelow(real, root) ? join('/', relative(root, real)) : real;
}

/** A bind mount of the folder itself has its inode. */
function isBelowByInode(host: Host, path: string, folder: string): boolean {
  const wanted = fs.statSync(host.path(folder), { throwIfNoEntry: false });
  if (wanted === undefined) return false;
  let place = fs.realpathSync(nearest(host.path(resolve(path))));
  for (;;) {
    const { dev, ino } = fs.statSync(place);
    if (dev === wanted.dev && ino === wanted.ino) return true;
    if (place === dirname(place)) return false;
    place = dirname(place);
  }
}

/** A bind mount of something below the folder: both are looked up in the file system that holds them. */
function isBelowOnDisk(host: Host, path: string, folder: string): boolean {
  const mounts = host.mounts();
  const [one, other] = [placeOnDisk(mounts, path), placeOnDisk(mounts, folder)];
  return (
    one !== undefined &&
    other !== undefined &&
    one.deviceNumber === other.deviceNumber &&
    isBelow(one.path, other.path)
  );
}

function placeOnDisk(
  mounts: readonly MountInfo[],
  path: string,
): { readonly deviceNumber: string; readonly path: string } | undefined {
  // Of several on one path the last is on top.
  const mount = mounts
    .filter((each) => isBelow(path, each.path))
    .reduce<MountInfo | undefined>(
      (best, each) => (best === undefined || each.path.length >= best.path.length ? each : best),
      undefined,
    );
  return mount?.deviceNumber === undefined
    ? undefined
    : { deviceNumber: mount.deviceNumber, path: join(mount.root, relative(mount.path, path)) };
}
