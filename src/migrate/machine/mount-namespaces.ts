// Mounts as the other processes of the machine see them: each mount namespace has its own.
import * as fs from 'node:fs';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host, ProcessInfo } from '../../core/host.ts';
import { type MountEntry, parseMountinfo } from '../../core/mountinfo.ts';

export function mountsOf(host: Host, pid: string): MountEntry[] {
  return parseMountinfo(
    ofProcess(() => fs.readFileSync(host.path(`/proc/${pid}/mountinfo`), 'latin1')) ?? '',
  );
}

export function namespaceOf(host: Host, pid: number): string {
  return ofProcess(() => fs.readlinkSync(host.path(`/proc/${pid}/ns/mnt`))) ?? `of ${pid}`;
}

/** A process may end at any moment, and some belong to nobody's eyes. */
export function ofProcess<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM' || code === 'EINVAL')
      return undefined;
    throw error;
  }
}

/** Whether paths mean the same in both namespaces, as they do in that of a service of systemd. */
export function isSameTree(one: readonly MountEntry[], other: readonly MountEntry[]): boolean {
  const root = (all: readonly MountEntry[]): MountEntry | undefined =>
    all.findLast(({ path }) => path === '/');
  const [ours, theirs] = [root(one), root(other)];
  return ours !== undefined && ours.deviceNumber === theirs?.deviceNumber && ours.root === theirs.root;
}

export interface MountElsewhere {
  readonly mount: MountEntry;
  /** One of the processes that see it. */
  readonly process: ProcessInfo;
}

/** Mounts inside of a directory that this process does not see; what containers have in their own trees is none. */
export function mountsElsewhere(host: Host, dataDirectory: string): MountElsewhere[] {
  const own = mountsOf(host, 'self');
  const ours = new Set(own.map(identity));
  const looked = new Set<string>();
  return host.processes().flatMap((process) => {
    if (process.sameMountNamespace || !process.samePidNamespace) return [];
    const namespace = namespaceOf(host, process.pid);
    if (looked.has(namespace)) return [];
    looked.add(namespace);
    const mounts = mountsOf(host, String(process.pid));
    if (!isSameTree(own, mounts)) return [];
    return mounts
      .filter((mount) => mount.path.startsWith(`${dataDirectory}/`) && !ours.has(identity(mount)))
      .map((mount) => ({ mount, process }));
  });
}

function identity({ path, deviceNumber, root }: MountEntry): string {
  return JSON.stringify([path, deviceNumber, root]);
}
