// Tells what a daemon mounts and attaches inside its data directory from what somebody else does there.
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host, LoopDevice, MountInfo } from '../../core/host.ts';
import type { PoolFacts } from '../model/pool-facts.ts';
import { isBoundOntoItself, mountShowing, pathInside } from './mount-showing.ts';

export interface DaemonDirectory {
  readonly dataDirectory: string;
  readonly pools: readonly PoolFacts[];
}

export interface MountsInside {
  /** Made by the daemon, which makes them again when it starts; in the order in which they were mounted. */
  readonly own: readonly MountInfo[];
  /** Somebody else's. */
  readonly foreign: readonly MountInfo[];
}

/** Memory file systems of the daemon itself (LXD: sys/fs.go and daemon.go; `devices` since Incus 7.0). */
const memoryFolders = new Set(['devlxd', 'guestapi', 'shmounts', 'devices']);
/** Below these, everything: devices of instances, which bring along what is mounted below their sources. */
const deviceFolders = /^(?:shmounts|devices)\/./;

/** Mounts inside of the directory; a mount on the directory itself is none. */
export function mountsInside(host: Host, directory: DaemonDirectory): MountsInside {
  const mounts = host.mounts();
  const inside = mounts.filter(({ path }) => path.startsWith(`${directory.dataDirectory}/`));
  const own: MountInfo[] = [];
  const foreign: MountInfo[] = [];
  for (const mount of inside) {
    // A daemon mounts nothing over what it has mounted, unless it mounts the same once more.
    const below = own.findLast(({ path }) => path === mount.path);
    const again = below === undefined || (below.root === mount.root && below.device === mount.device);
    if (again && isOwn(host, mount, mounts, directory)) own.push(mount);
    else foreign.push(mount);
  }
  return { own, foreign };
}

function isOwn(
  host: Host,
  mount: MountInfo,
  mounts: readonly MountInfo[],
  { dataDirectory, pools }: DaemonDirectory,
): boolean {
  const name = mount.path.slice(dataDirectory.length + 1);
  if (memoryFolders.has(name)) return mount.type === 'tmpfs';
  if (deviceFolders.test(name)) return true;
  const [folder, poolName, ...rest] = name.split('/');
  const pool = folder === 'storage-pools' ? pools.find((one) => one.name === poolName) : undefined;
  if (pool === undefined) return false;
  if (rest.length === 0) return isPool(host, pool, mount, mounts);
  const [kind = '', ...parts] = rest;
  if (!volumeFolders.test(kind) || parts.length !== (kind.endsWith('-snapshots') ? 2 : 1)) return false;
  // Drivers whose volumes are folders or subvolumes mount none, but a snapshot onto itself while it is read (mountReadOnly).
  return foldersOnly.has(pool.driver)
    ? kind.endsWith('-snapshots') && isBoundOntoItself(mounts, mount)
    : true;
}

const volumeFolders = /^(?:containers|virtual-machines|custom|images|buckets)(?:-snapshots)?$/;
const foldersOnly = new Set(['dir', 'btrfs', 'cephfs']);
/** File systems as which a pool is mounted, by driver; one of another driver has no mount point (storage/drivers/driver_*.go, Mount). */
const poolTypes: Readonly<Record<string, string>> = { btrfs: 'btrfs', zfs: 'zfs', cephfs: 'ceph' };

function isPool(
  host: Host,
  { driver, source }: PoolFacts,
  mount: MountInfo,
  mounts: readonly MountInfo[],
): boolean {
  if (source === undefined) return false;
  // Where the source is the mount point itself, btrfs binds it onto itself (driver_btrfs.go, Mount); whatever else is
  // mounted there was mounted by somebody else.
  if (source === mount.path) return driver === 'btrfs' && isBoundOntoItself(mounts, mount);
  if (driver !== 'dir') return poolTypes[driver] === mount.type;
  // A bind mount of the source.
  const real = realPath(host, source);
  const shows = mountShowing(mounts, real);
  return shows !== undefined && shows.device === mount.device && pathInside(shows, real) === mount.root;
}

/** Of a folder that is gone: as it is called. */
function realPath(host: Host, path: string): string {
  try {
    const real = realpathSync(host.path(path));
    const root = host.path('/').replace(/\/$/, '');
    return real.startsWith(`${root}/`) ? real.slice(root.length) : real;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return path;
  }
}

/** Loop devices on files inside of the directory: those of pools, and others. */
export function loopsInside(
  loops: readonly LoopDevice[],
  { dataDirectory, pools }: DaemonDirectory,
): { readonly own: LoopDevice[]; readonly foreign: LoopDevice[] } {
  const files = new Set(
    pools.flatMap(({ name, source }) => [
      join(dataDirectory, 'disks', `${name}.img`),
      ...(source === undefined ? [] : [source]),
    ]),
  );
  const inside = loops.filter(({ backingFile }) => backingFile.startsWith(`${dataDirectory}/`));
  return {
    own: inside.filter(({ backingFile }) => files.has(backingFile)),
    foreign: inside.filter(({ backingFile }) => !files.has(backingFile)),
  };
}
