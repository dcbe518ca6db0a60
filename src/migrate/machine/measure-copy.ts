// What a copy of a data directory takes, and which btrfs subvolumes are in it, which a copy of files would not keep.
import type { Host } from '../../core/host.ts';
import { groupByOutermost } from './outermost.ts';
import { subvolumePaths } from './subvolumes.ts';
import { untilDone } from './until-done.ts';

export interface CopyFacts {
  readonly bytes: number;
  /** Subvolumes of btrfs inside, which a copy of files would not follow. */
  readonly subvolumes: readonly string[];
}

/** Looks only. */
export async function measureCopy(host: Host, directory: string): Promise<CopyFacts> {
  const subvolumes = (await subvolumePaths(host, directory)).map((path) => `${directory}/${path}`);
  return { bytes: await bytesOf(host, directory, subvolumes), subvolumes };
}

/** @param subvolumes every one in the directory */
export async function bytesOf(host: Host, directory: string, subvolumes: readonly string[]): Promise<number> {
  let bytes = await allocated(host, [directory]);
  for (const [outermost, inside] of groupByOutermost(subvolumes))
    bytes += (await withSharedBlocks(host, outermost)) ?? (await allocated(host, [outermost, ...inside]));
  return bytes;
}

/**
 * du counts a hard-linked file once, and of a sparse one what is allocated; it stays out of subvolumes within. There may be
 * more folders than a command takes as arguments.
 */
async function allocated(host: Host, folders: readonly string[]): Promise<number> {
  // A file that goes away meanwhile makes it exit with 1; its sum is good enough all the same.
  const { stdout } = await host.run(
    ['du', '--summarize', '--one-file-system', '--block-size=1', '--files0-from=-'],
    { ...untilDone, accept: [1], input: Buffer.from(folders.map((folder) => `${folder}\0`).join('')) },
  );
  const sums = [...stdout.toString('utf8').matchAll(/^\d+/gm)].map(([sum]) => Number(sum));
  return sums.reduce((total, sum) => total + sum, 0);
}

/**
 * Blocks that several subvolumes share are sent once: what belongs to one alone, and what is shared, counted once.
 * undefined: it cannot be told, as where other file systems are mounted inside, which the command would count too.
 */
async function withSharedBlocks(host: Host, folder: string): Promise<number | undefined> {
  if (host.which('btrfs') === undefined) return undefined;
  if (host.mounts().some(({ path }) => path.startsWith(`${folder}/`))) return undefined;
  const { status, stdout } = await host.run(
    ['btrfs', 'filesystem', 'du', '--summarize', '--raw', '--', folder],
    { ...untilDone, accept: 'any' },
  );
  const [, exclusive, shared] = /^\s*\d+\s+(\d+)\s+(\d+)\s/m.exec(stdout.toString('utf8')) ?? [];
  if (status !== 0 || exclusive === undefined || shared === undefined) return undefined;
  return Number(exclusive) + Number(shared);
}
