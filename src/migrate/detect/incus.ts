// Incus installations: packages, one built by hand, one named by the user; and which incusd is the host's own.
import { closeSync, existsSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';
import { openRegularFile } from '../../core/read-regular-file.ts';
import type { FoundInstallation } from '../model/installation.ts';
import type { OtherDirectory } from './other-directories.ts';
import { unitFile } from './systemd.ts';

const units = [
  'incus-startup.service',
  'incus-user.socket',
  'incus-user.service',
  'incus.socket',
  'incus.service',
];
const defaultDirectory = '/var/lib/incus';
const defaultRuntime = '/run/incus';
const knownPrograms = [
  '/usr/libexec/incus/incusd',
  '/opt/incus/bin/incusd',
  '/usr/lib/incus/incusd',
  '/usr/bin/incusd',
];

export interface TargetKind {
  readonly name: string;
  readonly looksFor: string;
  find(host: Host, program: string | undefined): FoundInstallation | undefined;
}

export const debTarget: TargetKind = {
  name: 'deb',
  looksFor: 'Debian package incus or incus-base',
  find(host, program) {
    const list = ['/var/lib/dpkg/info/incus-base.list', '/var/lib/dpkg/info/incus.list'].find((path) =>
      existsSync(host.path(path)),
    );
    if (list === undefined) return undefined;
    const found = describe(host, 'deb', defaultDirectory, defaultRuntime, [list], program);
    // Of a package that was removed and not purged the list remains.
    return found.program === undefined ? undefined : found;
  },
};

export const manualTarget: TargetKind = {
  name: 'manual',
  looksFor: `incusd in ${knownPrograms.join(', ')}`,
  find(host, program) {
    const found = program ?? knownPrograms.find((path) => existsSync(host.path(path)));
    return found === undefined
      ? undefined
      : describe(host, 'manual', defaultDirectory, defaultRuntime, [found], program);
  },
};

/** The data directory that the user named. */
export function givenTarget(host: Host, directory: string, program: string | undefined): FoundInstallation {
  const standard = directory === defaultDirectory;
  // With INCUS_DIR set, incusd keeps its runtime files below the data directory (internal/util/paths.go).
  return describe(
    host,
    'given',
    directory,
    standard ? defaultRuntime : join(directory, 'run'),
    ['--incus-dir'],
    program,
  );
}

/** One in another place, named by that. */
export function otherTarget(
  host: Host,
  { directory, evidence, unit, program: running }: OtherDirectory,
  program: string | undefined,
): FoundInstallation {
  const found = givenTarget(host, directory, program ?? running);
  const own = unit === undefined ? [] : [unit.replace(/\.service$/, '.socket'), unit];
  const units = directory === defaultDirectory ? {} : { units: own, startUnits: own };
  return { ...found, name: directory, evidence: [evidence], ...units };
}

function describe(
  host: Host,
  name: string,
  dataDirectory: string,
  runtimeDirectory: string,
  evidence: readonly string[],
  program: string | undefined,
): FoundInstallation {
  const standard = dataDirectory === defaultDirectory;
  return {
    role: 'target',
    name,
    evidence,
    dataDirectory,
    sockets: [join(runtimeDirectory, 'unix.socket'), join(dataDirectory, 'unix.socket')],
    runtimeDirectory,
    units: standard ? units : [],
    startUnits: ['incus.socket', 'incus.service', 'incus-startup.service'],
    program: program ?? programOfUnit(host) ?? knownPrograms.find((path) => existsSync(host.path(path))),
  };
}

/** The incusd that incus.service starts; a wrapper script is followed once, to the last incusd that it names. */
function programOfUnit(host: Host): string | undefined {
  const file = unitFile(host, 'incus.service');
  const start = file === undefined ? undefined : /^ExecStart=[-@:+!]*(\S+)/m.exec(headOf(host, file))?.[1];
  if (start === undefined) return undefined;
  const content = headOf(host, start);
  // The wrapper may itself be called incusd.
  if (!content.startsWith('#!')) return start.endsWith('/incusd') ? start : undefined;
  const named = content
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) =>
      [...line.matchAll(/(?<=^|[\s"'=])\/[^\s"']*\/incusd(?=$|[\s"'])/g)].map(([path]) => path),
    );
  return named.filter((path) => path !== start).at(-1);
}

/** The first 64 KiB of a file, as text. */
function headOf(host: Host, path: string): string {
  let fd: number;
  try {
    fd = openRegularFile(host.path(path), 'follow');
  } catch {
    // A unit that names a program which is not there, or not ours to read, tells nothing.
    return '';
  }
  try {
    const buffer = Buffer.alloc(65_536);
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0)).toString('latin1');
  } catch {
    return '';
  } finally {
    closeSync(fd);
  }
}

/** Asks incusd for its version; undefined where it cannot be run. */
export async function versionOf(host: Host, program: string): Promise<string | undefined> {
  try {
    const { stdout } = await host.run([program, '--version'], { timeoutMs: 20_000 });
    return /\d+(\.\d+)+/.exec(stdout.toString('utf8'))?.[0];
  } catch {
    return undefined;
  }
}
