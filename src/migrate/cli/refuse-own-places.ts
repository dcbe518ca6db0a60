// The places that the user names for what the tool writes: none may lie in a data directory, which moves away as a whole.
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { type DetectOptions, find } from '../detect/index.ts';
import { isInside } from '../machine/is-inside.ts';
import { migrateFailure } from '../problem.ts';

/** Of installations that are found in no other way: nothing is written into them either. */
const usualDirectories = [
  ['LXD', '/var/lib/lxd'],
  ['LXD', '/var/snap/lxd/common/lxd'],
  ['Incus', '/var/lib/incus'],
] as const;

export interface OwnPlaces {
  readonly state?: string | undefined;
  readonly report?: string | undefined;
  /** The file that export-db writes. */
  readonly out?: string | undefined;
}

interface DataDirectory {
  readonly product: string;
  readonly path: string;
}

/**
 * Before anything is made there.
 * @throws {Failure<MigrateProblem>} bad-option
 */
export function refuseOwnPlaces(host: Host, places: OwnPlaces, where: DetectOptions): void {
  refusePlacesIn(host, places, dataDirectories(host, where));
}

/** The same for directories that are known, as those of a run that was begun. */
export function refusePlacesIn(host: Host, places: OwnPlaces, directories: readonly DataDirectory[]): void {
  const { state, report, out } = places;
  for (const directory of directories) {
    if (state !== undefined) {
      refuse(host, '--state', state, directory);
      if (isInside(host, directory.path, state))
        throw badPlace(
          '--state',
          `the data directory of ${directory.product}, ${directory.path}, lies in ${state}`,
        );
    }
    if (report !== undefined) refuse(host, '--report', resolve(report), directory);
    if (out !== undefined) refuse(host, 'export-db', dirname(resolve(out)), directory);
  }
}

function refuse(host: Host, option: string, place: string, { product, path }: DataDirectory): void {
  if (isInside(host, place, path))
    throw badPlace(option, `${place} lies in the data directory of ${product}, ${path}`);
}

function badPlace(option: string, why: string): Failure {
  return migrateFailure({
    code: 'bad-option',
    option,
    why: `${why}. Nothing is written there, as it is moved as a whole. Name a place outside of it.`,
  });
}

function dataDirectories(host: Host, where: DetectOptions): DataDirectory[] {
  const usual = usualDirectories
    .map(([product, path]) => ({ product, path }))
    .filter(({ path }) => existsSync(host.path(path)));
  try {
    const { source, target } = find(host, where);
    return [
      { product: 'LXD', path: source.dataDirectory },
      ...(target === undefined ? [] : [{ product: 'Incus', path: target.dataDirectory }]),
      ...(target?.runtimeDirectory === undefined
        ? []
        : [{ product: 'Incus', path: target.runtimeDirectory }]),
      ...usual,
    ];
  } catch (error) {
    // What is missing or ambiguous is said by the command itself.
    if (error instanceof Failure) return usual;
    throw error;
  }
}
