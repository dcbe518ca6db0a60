// Finds btrfs subvolumes in a folder, and what each is and comes from.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { coreFailure } from '../../core/core-problem.ts';
import type { Host } from '../../core/host.ts';
import type { Argv } from '../../core/run.ts';
import { isBoundOntoItself } from './mount-showing.ts';
import { groupByOutermost } from './outermost.ts';
import { untilDone } from './until-done.ts';

export interface Subvolume {
  /** Relative to the folder that was searched. */
  readonly path: string;
  readonly uuid: string;
  /** Whose snapshot it is. */
  readonly parent: string | undefined;
  /** Whether it is a copy that `btrfs receive` has brought to its end. */
  readonly received: boolean;
  readonly readOnly: boolean;
}

/** What the tool needs for its own work with subvolumes, at the top of either side; never part of what is copied. */
export const subvolumeWorkFolder = '.lxd-to-incus-subvolumes';

/** f_type of statfs(2) (BTRFS_SUPER_MAGIC). */
const btrfs = 0x9123683e;

/** @param path as this process finds it */
export function isBtrfs(path: string): boolean {
  return fs.statfsSync(path).type === btrfs;
}

/**
 * Relative paths, outermost first. The root of every subvolume has inode 256 (BTRFS_FIRST_FREE_OBJECTID); so has that of
 * every btrfs that is mounted inside, which is not looked into. LXD binds the folder of a pool onto itself: that is.
 */
export async function subvolumePaths(host: Host, folder: string): Promise<string[]> {
  if (!fs.existsSync(host.path(folder)) || !isBtrfs(host.path(folder))) return [];
  const mounts = host.mounts();
  const mounted = mounts
    .filter((mount) => mount.path.startsWith(`${folder}/`) && !isBoundOntoItself(mounts, mount))
    .map(({ path }) => path);
  // What is mounted inside of another mount need not be named: all of it has to fit into the arguments.
  const passedOver = [`${folder}/${subvolumeWorkFolder}`, ...groupByOutermost(mounted).keys()].flatMap(
    (path) => ['-path', path.replace(/[*?[\]\\]/g, '\\$&'), '-prune', '-o'],
  );
  const { stdout } = await host.run(
    ['find', folder, '-mindepth', '1', ...passedOver, '-type', 'd', '-inum', '256', '-print0'],
    // What goes away meanwhile makes find exit with 1.
    { ...untilDone, accept: [1], maxOutputBytes: 2 ** 28 },
  );
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '')
    .map((path) => path.slice(folder.length + 1))
    .sort();
}

/** @returns undefined where it went away meanwhile, or is a folder */
export async function describeSubvolume(
  host: Host,
  folder: string,
  path: string,
): Promise<Subvolume | undefined> {
  const argv: Argv = ['btrfs', 'subvolume', 'show', '--', `${folder}/${path}`];
  const { status, stdout, stderr } = await host.run(argv, { ...untilDone, accept: 'any' });
  const words = stderr.toString('utf8');
  const isThere = fs.existsSync(host.path(join(folder, path)));
  if (status !== 0 && isThere && !/Not a Btrfs subvolume/i.test(words))
    throw coreFailure({ code: 'command-failed', argv, status, stderr: words });
  const text = stdout.toString('utf8');
  const field = (name: string): string | undefined => {
    const value = new RegExp(`^\\s+${name}:\\s+(\\S.*)$`, 'm').exec(text)?.[1]?.trim();
    return value === '-' ? undefined : value;
  };
  const uuid = field('UUID');
  if (status !== 0 || uuid === undefined) return undefined;
  return {
    path,
    uuid,
    parent: field('Parent UUID'),
    received: field('Received UUID') !== undefined,
    readOnly: /\breadonly\b/.test(field('Flags') ?? ''),
  };
}
