// Whether the files of images are there, and as large as the database says.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import type { ImageCondition } from '../model/condition.ts';
import type { Image } from '../model/inventory.ts';

/**
 * An image is one file, or two where its root file system is apart; its size is that of both together
 * (cmd/incusd/images.go, imgPostURLInfo and getImgPostInfo).
 */
export function imageProblems(
  host: Host,
  dataDirectory: string,
  images: readonly Pick<Image, 'fingerprint' | 'size'>[],
): ImageCondition[] {
  const sizes = new Map(images.map(({ fingerprint, size }) => [fingerprint, size]));
  const folder = host.path(join(dataDirectory, 'images'));
  return [...sizes].flatMap(([fingerprint, size]) => {
    // What a database holds in its place may be no name of a file.
    if (!/^[0-9a-f]{4,64}$/.test(fingerprint)) return [];
    const own = sizeOf(join(folder, fingerprint));
    const rootfs = sizeOf(join(folder, `${fingerprint}.rootfs`)) ?? 0;
    if (own === 'hidden' || rootfs === 'hidden') return [];
    if (own === undefined)
      return [{ fingerprint, problem: `there is no file ${join('images', fingerprint)}` }];
    const found = own + rootfs;
    return size === 0 || size === found
      ? []
      : [{ fingerprint, problem: `its files have ${found} bytes, and ${size} are on record` }];
  });
}

/** undefined: there is none, or it is no file; `hidden`: this user may not see it. */
function sizeOf(path: string): number | 'hidden' | undefined {
  try {
    const stat = fs.statSync(path);
    return stat.isFile() ? stat.size : undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EACCES' || code === 'EPERM') return 'hidden';
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  }
}
