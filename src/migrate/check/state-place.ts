// A finding about the tool's own folder: a place in which LXD's database and the journal would not stay.
import { readFileSync, realpathSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host, MountInfo } from '../../core/host.ts';
import { nearest } from '../machine/layout.ts';
import { isBelow, mountShowing } from '../machine/mount-showing.ts';
import type { Finding } from '../model/finding.ts';
import type { CheckContext } from './context.ts';
import { passingFolders } from './own-program.ts';

/** It hangs on an option and not on the server: no plan is stale because of it. */
export const statePlaceId = 'state-in-passing-place';

export function checkStatePlace({
  host,
  source,
  state,
}: Pick<CheckContext, 'host' | 'state'> & {
  readonly source: Pick<CheckContext['source'], 'dataDirectory'>;
}): Finding[] {
  const why = whyItPasses(host, realPlace(host, state), realPlace(host, source.dataDirectory));
  if (why === undefined) return [];
  return [
    {
      id: 'state-in-passing-place',
      severity: 'loss',
      objects: [`${state}: ${why}`],
      what: "The tool's folder is in a place that does not outlast a restart. After the move it holds the only copy of LXD's database, and the journal: the next boot would take both away, and no rollback could bring LXD back.",
      action:
        'Name a folder on a disk with --state DIR, then plan again. With --accept it is used all the same.',
      answers: ['accept'],
    },
  ];
}

/** Where LXD itself goes with the same restart, nothing is lost by it. */
function whyItPasses(host: Host, state: string, data: string): string | undefined {
  const mounts = host.mounts();
  const mount = mountShowing(mounts, state);
  if (mount !== undefined && mount !== mountShowing(mounts, data)) {
    const memory = memoryBehind(host, mounts, mount);
    if (memory !== undefined) return `${mount.path === '/' ? 'the root' : mount.path} is ${memory}`;
  }
  const isOf = (path: string, folder: string): boolean => path === folder || isBelow(folder, path);
  const folder = passingFolders.find((one) => isOf(state, one) && !isOf(data, one));
  // Another disk may be mounted below such a folder.
  const isOwnDisk = folder !== undefined && mount !== undefined && isBelow(folder, mount.path);
  if (folder === undefined || (isOwnDisk && folder !== '/media')) return undefined;
  return folder === '/media' ? 'what is below /media can be taken out' : `${folder} is emptied`;
}

function memoryBehind(host: Host, mounts: readonly MountInfo[], mount: MountInfo): string | undefined {
  if (['tmpfs', 'ramfs', 'rootfs'].includes(mount.type)) return `in memory (${mount.type})`;
  if (mount.type !== 'overlay' && mount.type !== 'aufs') return undefined;
  const upper = upperDirectory(host, mount.path);
  const below = upper === undefined ? undefined : mountShowing(mounts, upper);
  const isMemory =
    (below !== undefined && ['tmpfs', 'ramfs'].includes(below.type)) ||
    isLiveSystem(readOf(host, '/proc/cmdline'));
  return isMemory ? `a layer in memory (${mount.type})` : undefined;
}

/** Where an overlay keeps what is written (overlayfs.rst), if that can be told; the last mount on a point is the one seen. */
function upperDirectory(host: Host, point: string): string | undefined {
  const line = readOf(host, '/proc/self/mountinfo')
    .split('\n')
    .findLast((one) => one.split(' ')[4] === point && one.includes(' - overlay '));
  return /[ ,]upperdir=([^, ]+)/.exec(line ?? '')?.[1];
}

/** Words by which live systems are booted (live-boot(7), casper(7), dracut.cmdline(7), overlayroot), unless they keep what is written. */
function isLiveSystem(commandLine: string): boolean {
  const words = commandLine.trim().split(/\s+/);
  const live = ['boot=live', 'boot=casper', 'rd.live.image', 'overlayroot=tmpfs'];
  const kept = ['persistence', 'persistent', 'rd.live.overlay'];
  return (
    words.some((word) => live.includes(word) || word.startsWith('overlayroot=tmpfs:')) &&
    !words.some((word) => kept.includes(word.split('=')[0] ?? ''))
  );
}

/** As the machine has it, with the links on the way resolved; what is not made yet lies where its parent does. */
function realPlace(host: Host, path: string): string {
  const there = nearest(host.path(path));
  const inside = relative(realpathSync(host.path('/')), realpathSync(there));
  return resolve('/', inside, relative(there, host.path(path)));
}

function readOf(host: Host, path: string): string {
  try {
    return readFileSync(host.path(path), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return '';
  }
}
