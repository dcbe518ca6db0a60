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
  const [first = '', ...rest] = slashed.slice(map.from.length + 1).split('/');
  const folder = map.renamedFolders.find((renamed) => renamed.from === first)?.to ?? first;
  const moved = [map.to, folder, ...rest].join('/').replace(/\/+$/, '');
  // A slash at the end means something: in AppArmor's rules it makes the path a folder.
  return normal.endsWith('/') ? `${moved}/` : moved;
}

// A path begins and ends at the edge of the text or at one of these. Every other character would make it another path
// (`/srv/var/lib/lxd`, `/var/lib/lxd-data`, `/var/lib/lxdé`).
const beforePath = '(?<=^|[\\s"\'`,;:=([{<>|&!@]|:\\/\\/)';
const afterFolder = '(?=[/\\s"\'`,;:=)\\]}([{<>|&]|$)';
const restOfPath = '(?:/[^\\s"\'`,;:)\\]}]*)?';

/** Rewrites every path of the LXD directory that stands anywhere in a text (`unix:/var/lib/lxd/unix.socket`, raw.lxc lines). */
export function mapPathsInText(map: PathMap, text: string): string {
  const escaped = map.from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = new RegExp(`${beforePath}${escaped}${afterFolder}${restOfPath}`, 'g');
  return text.replace(found, (path) => mapPath(map, path) ?? path);
}
