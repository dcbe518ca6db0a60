// What somebody other than the daemon has mounted or attached inside of a data directory.
import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host, LoopDevice } from '../../core/host.ts';
import { unescapeMount } from '../../core/mountinfo.ts';
import { mountsElsewhere } from './mount-namespaces.ts';
import { type DaemonDirectory, loopsInside, mountsInside } from './own-mounts.ts';

export interface UsedByOthers {
  /** Mount points, those of other mount namespaces with a process of theirs. */
  readonly mounts: readonly string[];
  /** Files that serve as loop devices or as swap space. */
  readonly files: readonly string[];
}

/** @param loops all of the machine */
export function usedByOthers(
  host: Host,
  directory: DaemonDirectory,
  loops: readonly LoopDevice[],
): UsedByOthers {
  const { dataDirectory } = directory;
  const mounts = mountsInside(host, directory).foreign.map(({ path }) => path);
  const elsewhere = mountsElsewhere(host, dataDirectory).map(
    ({ mount, process: { pid, argv } }) =>
      `${mount.path} in the mount namespace of process ${pid} (${argv.join(' ').slice(0, 60)})`,
  );
  const attached = loopsInside(loops, directory).foreign.map(
    ({ device, backingFile }) => `${backingFile} (loop device ${device})`,
  );
  return {
    mounts: [...new Set([...mounts, ...elsewhere])],
    files: [...attached, ...swapsInside(host, dataDirectory).map((path) => `${path} (swap space)`)],
  };
}

/** Files and devices of /proc/swaps (proc_swaps(5)) below a folder. */
export function swapsInside(host: Host, dataDirectory: string): string[] {
  let text: string;
  try {
    text = readFileSync(host.path('/proc/swaps'), 'latin1');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'EACCES') return [];
    throw error;
  }
  return text
    .split('\n')
    .slice(1)
    .map((line) => unescapeMount(line.split(/[ \t]/)[0] ?? ''))
    .filter((path) => path.startsWith(`${dataDirectory}/`));
}
