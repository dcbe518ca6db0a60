// Whether a data directory is one that LXD works on, or worked on, on this very machine, and not a copy of another's.
import type { Host } from '../../core/host.ts';
import { isSameFolder } from '../machine/daemon-process.ts';
import type { Installation } from '../model/installation.ts';
import { otherDirectories } from './other-directories.ts';

/** Where packages keep the data of LXD. */
export const usualDirectories = ['/var/lib/lxd', '/var/snap/lxd/common/lxd'];

/** Interfaces, processes and mounts of this machine say something about it only then. */
export function livesHere(
  host: Host,
  { dataDirectory, sockets }: Pick<Installation, 'dataDirectory' | 'sockets'>,
): boolean {
  const isHere = (directory: string): boolean => isSameFolder(host, directory, dataDirectory);
  return (
    usualDirectories.some(isHere) ||
    sockets.some((socket) => host.listener(socket) !== undefined) ||
    otherDirectories(host, 'source').some(({ directory }) => isHere(directory))
  );
}
