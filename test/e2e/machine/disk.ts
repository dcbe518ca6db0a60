// A machine's disk: an ext4 image of its own with all that the machine writes, so that it can be copied and unplugged.
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../src/core/run.ts';
import { cacheFolder, madeOnce } from './cache.ts';
import type { RootTree } from './root-tree.ts';

const diskBytes = 16 * 1024 ** 3;
const limitMs = 120_000;

/** The disk of a machine that never ran: /var of the tree, and an empty layer over the rest of it. */
export async function emptyDisk(tree: RootTree): Promise<string> {
  const path = join(cacheFolder(), 'disks', `empty-${tree.name}-${tree.key}.img`);
  return madeOnce(path, async (temporary) => {
    const content = mkdtempSync(join(cacheFolder(), 'disk-content-'));
    try {
      for (const folder of ['upper', 'work']) mkdirSync(join(content, folder), { mode: 0o755 });
      await run(['cp', '-a', join(tree.path, 'var'), join(content, 'var')], { timeoutMs: limitMs });
      writeFileSync(temporary, '', { mode: 0o600 });
      truncateSync(temporary, diskBytes);
      await run(['mkfs.ext4', '-q', '-F', '-m', '0', '-E', 'lazy_itable_init=1', '-d', content, temporary], {
        timeoutMs: limitMs,
      });
    } finally {
      rmSync(content, { recursive: true, force: true });
    }
  });
}

/** Copies an image with its holes; where the file system can share blocks, it does. */
export async function copyDisk(from: string, to: string): Promise<void> {
  await run(['cp', '--sparse=always', '--reflink=auto', from, to], { timeoutMs: limitMs });
}

/** Loop devices whose content is this file, found by its inode: the name differs with the mount namespace. */
export async function loopsOfFile(path: string): Promise<string[]> {
  const { dev, ino } = statSync(path);
  return (await loopDevices())
    .filter((loop) => loop.device === dev && loop.inode === ino)
    .map(({ name }) => name);
}

/** Loop devices whose content is a file on the file system of this block device. */
export async function loopsOnDevice(device: string): Promise<string[]> {
  const { rdev } = statSync(device);
  return (await loopDevices()).filter((loop) => loop.device === rdev).map(({ name }) => name);
}

interface LoopRow {
  readonly name: string;
  /** Number of the device that holds the backing file, as stat(2) gives it. */
  readonly device: number;
  readonly inode: number;
}

async function loopDevices(): Promise<LoopRow[]> {
  const { stdout } = await run(['losetup', '--list', '--json', '--output', 'NAME,BACK-INO,BACK-MAJ:MIN'], {
    timeoutMs: 20_000,
  });
  // Without any device it prints nothing at all.
  if (stdout.length === 0) return [];
  const { loopdevices } = JSON.parse(stdout.toString('utf8')) as {
    loopdevices: readonly { name: string; 'back-ino': number | string; 'back-maj:min': string }[];
  };
  return loopdevices.flatMap((loop) => {
    const [, major, minor] = /^\s*(\d+):(\d+)\s*$/.exec(loop['back-maj:min']) ?? [];
    return major === undefined
      ? []
      : [
          {
            name: loop.name,
            device: deviceNumber(Number(major), Number(minor)),
            inode: Number(loop['back-ino']),
          },
        ];
  });
}

/** glibc's makedev(3), as far as doubles carry it. */
function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 0x100 + Math.floor(minor / 0x100) * 0x100000;
}

export async function detachLoop(device: string): Promise<void> {
  // Somebody else may have let go of it first.
  await run(['losetup', '--detach', device], { timeoutMs: 20_000, accept: [1] });
}
