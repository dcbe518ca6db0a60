// detect: finds the source and the target on the host, or takes the ones that the user named.
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { isSameFolder } from '../machine/daemon-process.ts';
import type { FoundInstallation, Installation, Service } from '../model/installation.ts';
import { migrateFailure } from '../problem.ts';
import { debTarget, givenTarget, manualTarget, otherTarget, type TargetKind } from './incus.ts';
import { usualDirectories } from './lives-here.ts';
import { debSource, givenSource, manualSource, otherSource, type SourceKind } from './lxd.ts';
import { movedNote } from './moved-note.ts';
import { otherDirectories } from './other-directories.ts';
import type { Services } from './services-file.ts';
import { serviceManager } from './systemctl.ts';
import { presentUnits, systemdService } from './systemd.ts';

export interface DetectOptions {
  readonly lxdDir?: string | undefined;
  readonly incusDir?: string | undefined;
  readonly source?: string | undefined;
  readonly target?: string | undefined;
  readonly incusd?: string | undefined;
  readonly services?: Services | undefined;
}

export interface Detected {
  readonly source: Installation;
  /** undefined: no Incus here; a finding says how to install one. */
  readonly target: Installation | undefined;
}

const sourceKinds: readonly SourceKind[] = [debSource, manualSource];
const targetKinds: readonly TargetKind[] = [debTarget, manualTarget];

export interface Found {
  readonly source: FoundInstallation;
  readonly target: FoundInstallation | undefined;
}

/**
 * Looks at files and processes; asks nobody.
 * @throws {Failure<MigrateProblem>} no-source, installation-unknown, several-installations
 */
export function find(host: Host, options: DetectOptions): Found {
  return { source: findSource(host, options), target: findTarget(host, options) };
}

/** Adds how each is started and stopped, for which the service manager is asked. */
export async function withServices(
  host: Host,
  { source, target }: Found,
  services: Services | undefined,
): Promise<Detected> {
  const isGiven = (given: Service | undefined): boolean => given !== undefined && given.kind !== 'none';
  const asked = [
    ...(isGiven(services?.source) ? [] : presentUnits(host, source)),
    ...(target === undefined || isGiven(services?.target) ? [] : presentUnits(host, target)),
  ];
  const manager = asked.length === 0 ? undefined : await serviceManager(host, asked);
  const bySystemd = (found: FoundInstallation): Service => {
    if (manager === undefined || presentUnits(host, found).length === 0) return { kind: 'none' };
    if (manager.kind === 'offline') return { kind: 'none', offline: manager.said };
    return manager.kind === 'acts' ? systemdService(host, found) : { kind: 'none' };
  };
  const complete = (found: FoundInstallation, given: Service | undefined): Installation => {
    const { units: _units, startUnits: _start, ...installation } = found;
    const service = given !== undefined && isGiven(given) ? given : bySystemd(found);
    return { ...installation, service };
  };
  return {
    source: complete(source, services?.source),
    target: target === undefined ? undefined : complete(target, services?.target),
  };
}

/** @throws {Failure<MigrateProblem>} as find, of the source alone */
export function findSource(host: Host, options: DetectOptions): FoundInstallation {
  if (options.lxdDir !== undefined) return givenSource(host, resolve(options.lxdDir));
  const found = [
    ...collect(sourceKinds, (kind) => kind.find(host)),
    ...otherDirectories(host, 'source').map((other) => otherSource(host, other)),
  ];
  const chosen = choose(host, 'source', found, options.source);
  if (chosen !== undefined) return chosen;
  throw migrateFailure({
    code: 'no-source',
    looked: sourceKinds.map(({ looksFor }) => looksFor),
    plainLxc: hasPlainLxc(host),
    elsewhere: usualDirectories.filter((directory) => hasUnmovedData(host, directory)),
  });
}

function hasUnmovedData(host: Host, directory: string): boolean {
  const stands = (name: string): boolean => existsSync(host.path(join(directory, name)));
  return stands('database') && !stands(movedNote);
}

/** Whether there are containers of liblxc without LXD; a folder that this user cannot read tells nothing. */
function hasPlainLxc(host: Host): boolean {
  try {
    return readdirSync(host.path('/var/lib/lxc')).length > 0;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false;
    throw error;
  }
}

function findTarget(host: Host, options: DetectOptions): FoundInstallation | undefined {
  if (options.incusDir !== undefined) return givenTarget(host, resolve(options.incusDir), options.incusd);
  const found = [
    ...collect(targetKinds, (kind) => kind.find(host, options.incusd)),
    ...otherDirectories(host, 'target').map((other) => otherTarget(host, other, options.incusd)),
  ];
  return choose(host, 'target', found, options.target);
}

function collect<K>(
  kinds: readonly K[],
  look: (kind: K) => FoundInstallation | undefined,
): FoundInstallation[] {
  return kinds.flatMap((kind) => look(kind) ?? []);
}

/** Several kinds may describe one installation: the first that found a data directory speaks for it. */
function choose(
  host: Host,
  role: 'source' | 'target',
  found: readonly FoundInstallation[],
  wanted: string | undefined,
): FoundInstallation | undefined {
  if (wanted !== undefined) {
    const named = found.find(({ name }) => name === wanted);
    if (named === undefined)
      throw migrateFailure({
        code: 'installation-unknown',
        role,
        name: wanted,
        names: found.map(({ name }) => name),
      });
    return named;
  }
  const distinct = found.filter(
    (one, index) =>
      found.findIndex(({ dataDirectory }) => isSameFolder(host, dataDirectory, one.dataDirectory)) === index,
  );
  if (distinct.length > 1)
    throw migrateFailure({ code: 'several-installations', role, names: distinct.map(({ name }) => name) });
  return distinct[0];
}
