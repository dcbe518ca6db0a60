// Rewrites paths of the LXD directory to the Incus directory, by path component and never by string prefix.
import { posix } from 'node:path';

export interface PathMap {
  /** Absolute, without a slash at the end. */
  readonly from: string;
  readonly to: string;
  /** Folders directly below that have another name in the target. */
  readonly renamedFolders: readonly { readonly from: string; readonly to: string }[];
}

/** The path below `map.from` in its new place, or undefined when it is not inside (`/var/lib/lxd-data` is not in `/var/lib/lxd`). */
export function mapPath(map: PathMap, path: string): string | undefined {
  if (!path.startsWith('/')) return undefined;
  const normal = posix.normalize(path);
  const slashed = normal.endsWith('/') ? normal : `${normal}/`;
  if (!slashed.startsWith(`${map.from}/`)) return undefined;
  const [first = '', ...rest] = normal.slice(map.from.length + 1).split('/');
  const folder = map.renamedFolders.find((renamed) => renamed.from === first)?.to ?? first;
  const inside = [folder, ...rest].join('/');
  return inside === '' ? map.to : `${map.to}/${inside}`;
}

/** Rewrites every path of the LXD directory that stands anywhere in a text (`unix:/var/lib/lxd/unix.socket`, raw.lxc lines). */
export function mapPathsInText(map: PathMap, text: string): string {
  const escaped = map.from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // A path begins where no path character stands before it and, after the folder, goes on with a slash or ends.
  const found = new RegExp(`(?<![\\w./-])${escaped}(?![\\w.-])(/[^\\s"'\`,;:)\\]}]*)?`, 'g');
  return text.replace(found, (path) => mapPath(map, path) ?? path);
}
