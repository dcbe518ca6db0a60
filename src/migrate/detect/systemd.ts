// Which systemd units of a daemon exist on the host; only what the files say, whatever process 1 is.
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';
import type { FoundInstallation, Service } from '../model/installation.ts';

/** By systemd's order. */
export const unitFolders = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Those of an installation's units whose files are on the host. */
export function presentUnits(host: Host, { units }: Pick<FoundInstallation, 'units'>): string[] {
  return units.filter((unit) => unitFile(host, unit) !== undefined);
}

/** How an installation is started where systemd can do it; units whose files do not exist do not count. */
export function systemdService(host: Host, found: FoundInstallation): Service {
  const present = presentUnits(host, found);
  if (present.length === 0) return { kind: 'none' };
  return {
    kind: 'systemd',
    units: present,
    start: found.startUnits.filter((unit) => present.includes(unit)),
  };
}

/** A link to /dev/null, or an empty file, is a mask (systemd.unit(5)). */
export function isMaskedByFile(host: Host, unit: string): boolean {
  const path = unitFolders
    .map((folder) => host.path(join(folder, unit)))
    .find((one) => lstatSync(one, { throwIfNoEntry: false }) !== undefined);
  if (path === undefined) return false;
  const stat = lstatSync(path);
  return stat.isSymbolicLink() ? readlinkSync(path) === '/dev/null' : stat.isFile() && stat.size === 0;
}

/**
 * Units of those that start a daemon without which it does not start: its service, and the socket that this requires. A
 * service beside them (`incus-startup.service`) only looks whether to start it.
 */
export function neededToStart(start: readonly string[]): string[] {
  const nameOf = (unit: string): string => unit.replace(/\.(?:service|socket)$/, '');
  const paired = start.filter((unit) =>
    start.some((other) => other !== unit && nameOf(other) === nameOf(unit)),
  );
  return paired.length > 0 ? paired : [...start];
}

/** The file of a unit, by systemd's order of folders. */
export function unitFile(host: Host, unit: string): string | undefined {
  return unitFolders.map((folder) => join(folder, unit)).find((path) => existsSync(host.path(path)));
}
