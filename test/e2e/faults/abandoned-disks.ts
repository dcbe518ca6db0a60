// Disks that faults are tried on, by the process that made them, so that those of a killed run are known.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where this process keeps its disk in the folder. */
export function ownDisk(folder: string): string {
  return join(folder, `fault-disk-${process.pid}.img`);
}

export function removeAbandonedDisks(folder: string): void {
  for (const name of readdirSync(folder)) {
    const maker = /^fault-disk-(\d+)\.img$/.exec(name)?.[1];
    if (maker !== undefined && !existsSync(`/proc/${maker}`)) rmSync(join(folder, name), { force: true });
  }
}
