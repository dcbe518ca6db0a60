// Which systemd units of a daemon exist on the host; only what the files say, whatever process 1 is.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';
import type { FoundInstallation, Service } from './installation.ts';

/** By systemd's order. */
export const unitFolders = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

export async function systemdIsThere(host: Host): Promise<boolean> {
  if (host.which('systemctl') === undefined) return false;
  const { status } = await host.run(['systemctl', 'list-unit-files'], { timeoutMs: 30_000, accept: 'any' });
  return status === 0;
}

/** How an installation is started, given whether systemd is there; units whose files do not exist do not count. */
export function systemdService(host: Host, { units, startUnits }: FoundInstallation): Service {
  const present = units.filter((unit) => unitFile(host, unit) !== undefined);
  if (present.length === 0) return { kind: 'none' };
  return { kind: 'systemd', units: present, start: startUnits.filter((unit) => present.includes(unit)) };
}

/** The file of a unit, by systemd's order of folders. */
export function unitFile(host: Host, unit: string): string | undefined {
  return unitFolders.map((folder) => join(folder, unit)).find((path) => existsSync(host.path(path)));
}
