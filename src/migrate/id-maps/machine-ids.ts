// What the machine itself gives: the ids of this user namespace, and whether shadow's tools are there.
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import type { MachineIds } from './daemon-ranges.ts';
import type { IdRange } from './id-range.ts';

/** All ids but the last, which stands for "none" (user_namespaces(7)). */
const everyId: readonly IdRange[] = [{ start: 0, size: 0xffff_ffff }];

export function readMachineIds(host: Host): MachineIds {
  return {
    kernel: { uid: mapped(host, '/proc/self/uid_map'), gid: mapped(host, '/proc/self/gid_map') },
    hasTools: ['newuidmap', 'newgidmap'].every((tool) => host.which(tool) !== undefined),
  };
}

function mapped(host: Host, file: string): readonly IdRange[] {
  let text: string;
  try {
    text = readRegularFile(host.path(file), { limit: 1024 * 1024, links: 'follow' }).toString('latin1');
  } catch (error) {
    // A kernel without user namespaces has no such file.
    if (error instanceof Failure || systemErrorCode(error) !== undefined) return everyId;
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+\d+\s+(\d+)\s*$/.exec(line);
    return match === null ? [] : [{ start: Number(match[1]), size: Number(match[2]) }];
  });
}
