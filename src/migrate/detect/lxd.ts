// LXD installations: Debian's package, one built or installed by hand, one named by the user.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';
import type { Installation } from './installation.ts';
import { systemdService } from './systemd.ts';

const units = ['lxd-containers.service', 'lxd.socket', 'lxd.service'];
const defaultDirectory = '/var/lib/lxd';

export interface SourceKind {
  readonly name: string;
  readonly looksFor: string;
  find(host: Host): Promise<Installation | undefined>;
}

export const debSource: SourceKind = {
  name: 'deb',
  looksFor: `Debian package lxd with ${defaultDirectory}`,
  async find(host) {
    const list = '/var/lib/dpkg/info/lxd.list';
    if (!existsSync(host.path(list)) || !existsSync(host.path(defaultDirectory))) return undefined;
    return describe(host, 'deb', defaultDirectory, [list, defaultDirectory]);
  },
};

export const manualSource: SourceKind = {
  name: 'manual',
  looksFor: `an LXD database in ${defaultDirectory}`,
  async find(host) {
    const database = join(defaultDirectory, 'database');
    return existsSync(host.path(database))
      ? describe(host, 'manual', defaultDirectory, [database])
      : undefined;
  },
};

/** The data directory that the user named. */
export async function givenSource(host: Host, directory: string): Promise<Installation> {
  return describe(host, 'given', directory, ['--lxd-dir']);
}

async function describe(
  host: Host,
  name: string,
  dataDirectory: string,
  evidence: readonly string[],
): Promise<Installation> {
  // Only the standard directory is the one that the packaged units start a daemon on.
  const service =
    dataDirectory === defaultDirectory
      ? await systemdService(host, units, ['lxd.socket', 'lxd.service', 'lxd-containers.service'])
      : ({ kind: 'none' } as const);
  return {
    role: 'source',
    name,
    evidence,
    dataDirectory,
    sockets: [join(dataDirectory, 'unix.socket')],
    runtimeDirectory: undefined,
    service,
    // Helpers of a removed package live on, under the name that the program had.
    program:
      ['/usr/bin/lxd', '/usr/sbin/lxd', '/usr/local/bin/lxd', '/opt/lxd/bin/lxd'].find((path) =>
        existsSync(host.path(path)),
      ) ?? (dataDirectory === defaultDirectory ? '/usr/bin/lxd' : undefined),
  };
}
