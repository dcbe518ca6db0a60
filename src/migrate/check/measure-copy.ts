// What a copy of a data directory takes, and whether there is something in it that a copy of files would not follow.
import * as fs from 'node:fs';
import type { Host } from '../../core/host.ts';
import type { CopyFacts } from './context.ts';

const limitMs = 3_600_000;
/** f_type of statfs(2) (BTRFS_SUPER_MAGIC). */
const btrfs = 0x9123683e;

/** Looks only. du counts a hard-linked file once, and of a sparse one what is allocated. */
export async function measureCopy(host: Host, directory: string): Promise<CopyFacts> {
  // A file that goes away meanwhile makes du exit with 1; its sum is good enough all the same.
  const { stdout } = await host.run(
    ['du', '--summarize', '--one-file-system', '--block-size=1', '--', directory],
    { timeoutMs: limitMs, accept: [1] },
  );
  const bytes = Number(/^\d+/.exec(stdout.toString('utf8'))?.[0] ?? '0');
  return { bytes, subvolumes: await subvolumes(host, directory) };
}

/** The root of every subvolume has inode 256 (BTRFS_FIRST_FREE_OBJECTID); what is mounted looks the same. */
async function subvolumes(host: Host, directory: string): Promise<string[]> {
  if (fs.statfsSync(host.path(directory)).type !== btrfs) return [];
  const { stdout } = await host.run(
    ['find', directory, '-xdev', '-mindepth', '1', '-type', 'd', '-inum', '256', '-print0'],
    { timeoutMs: limitMs, accept: [1] },
  );
  const mounted = new Set(host.mounts().map(({ path }) => path));
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '' && !mounted.has(path));
}
