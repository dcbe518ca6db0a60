// Which instances run, by their processes.
import type { Host } from '../../core/host.ts';
import type { DaemonRef } from '../model/step.ts';
import { instanceOfStorageName, runningInstances } from './running.ts';

/** Which instances run, without asking a daemon. */
export function powerWithoutDaemon(
  host: Host,
  daemon: Pick<DaemonRef, 'dataDirectory' | 'sockets'>,
  wouldStart: () => readonly string[],
): { running: string[]; frozen: string[] } {
  const found = powerFromProcesses(host, daemon.dataDirectory);
  return nothingRuns(host, daemon, found) ? { running: [...wouldStart()], frozen: [] } : found;
}

/** Whether neither a daemon nor an instance is there. */
export function nothingRuns(
  host: Host,
  { sockets }: Pick<DaemonRef, 'sockets'>,
  { running, frozen }: { readonly running: readonly string[]; readonly frozen: readonly string[] },
): boolean {
  return (
    running.length + frozen.length === 0 && sockets.every((socket) => host.listener(socket) === undefined)
  );
}

export function powerFromProcesses(
  host: Host,
  dataDirectory: string,
): { running: string[]; frozen: string[] } {
  const found = runningInstances(host, dataDirectory);
  const named = (frozen: boolean): string[] =>
    found.filter((one) => one.frozen === frozen).map(({ storageName }) => instanceOfStorageName(storageName));
  return { running: named(false), frozen: named(true) };
}
