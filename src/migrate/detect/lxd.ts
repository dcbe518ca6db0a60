// LXD installations: Debian's package, one built or installed by hand, one named by the user.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';
import type { FoundInstallation } from '../model/installation.ts';
import { movedNote } from './moved-note.ts';
import type { OtherDirectory } from './other-directories.ts';

const units = ['lxd-containers.service', 'lxd.socket', 'lxd.service'];
const defaultDirectory = '/var/lib/lxd';

export interface SourceKind {
  readonly name: string;
  readonly looksFor: string;
  find(host: Host): FoundInstallation | undefined;
}

/** Whether a migration has left its note there. */
function hasMoved(host: Host): boolean {
  return existsSync(host.path(join(defaultDirectory, movedNote)));
}

export const debSource: SourceKind = {
  name: 'deb',
  looksFor: `Debian package lxd with ${defaultDirectory}`,
  find(host) {
    const list = '/var/lib/dpkg/info/lxd.list';
    if (!existsSync(host.path(list)) || !existsSync(host.path(defaultDirectory)) || hasMoved(host))
      return undefined;
    return describe(host, 'deb', defaultDirectory, [list, defaultDirectory]);
  },
};

export const manualSource: SourceKind = {
  name: 'manual',
  looksFor: `an LXD database in ${defaultDirectory}`,
  find(host) {
    const database = join(defaultDirectory, 'database');
    return existsSync(host.path(database)) && !hasMoved(host)
      ? describe(host, 'manual', defaultDirectory, [database])
      : undefined;
  },
};

/** The data directory that the user named. */
export function givenSource(host: Host, directory: string): FoundInstallation {
  return describe(host, 'given', directory, ['--lxd-dir']);
}

/** One in another place, named by that. */
export function otherSource(
  host: Host,
  { directory, evidence, unit, program }: OtherDirectory,
): FoundInstallation {
  const found = describe(host, directory, directory, [evidence]);
  const own = unit === undefined ? [] : [unit.replace(/\.service$/, '.socket'), unit];
  return directory === defaultDirectory
    ? found
    : { ...found, program: program ?? found.program, units: own, startUnits: own };
}

function describe(
  host: Host,
  name: string,
  dataDirectory: string,
  evidence: readonly string[],
): FoundInstallation {
  return {
    role: 'source',
    name,
    evidence,
    dataDirectory,
    sockets: [join(dataDirectory, 'unix.socket')],
    runtimeDirectory: undefined,
    // Only the standard directory is the one that the packaged units start a daemon on.
    units: dataDirectory === defaultDirectory ? units : [],
    startUnits: ['lxd.socket', 'lxd.service', 'lxd-containers.service'],
    // Helpers of a removed package live on, under the name that the program had.
    program:
      ['/usr/bin/lxd', '/usr/sbin/lxd', '/usr/local/bin/lxd', '/opt/lxd/bin/lxd'].find((path) =>
        existsSync(host.path(path)),
      ) ?? (dataDirectory === defaultDirectory ? '/usr/bin/lxd' : undefined),
  };
}
