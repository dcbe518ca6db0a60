// What a daemon says of the instances whose backup.yaml can be written without it, and where these files lie.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { inTurn } from '../../core/in-turn.ts';
import { onTheirWay } from '../../core/on-their-way.ts';
import { readDatabase } from '../../dqlite/index.ts';
import { apiPath, type DaemonClient } from '../daemon/client.ts';
import {
  configOf,
  configsOf,
  type Fields,
  fields,
  fieldsList,
  rawOf,
  textOf,
  textsOf,
} from '../daemon/fields.ts';
import { askOfProjects } from '../inventory/api/of-projects.ts';
import { isTrue } from '../is-true.ts';
import type { BackupParts } from './backup-file.ts';

export interface BackupOf extends BackupParts {
  /** Pool, type and number of snapshots: what is the same for one is so for the others. */
  readonly kind: string;
  readonly file: {
    readonly path: string;
    /** By which the daemon finds its folder. */
    readonly link: string;
  };
}

/**
 * Of each snapshot of a volume that is asked for, Incus 6.0.4 searches all snapshots of the server for its name: with more
 * than these the daemon writes the files of instances that have any.
 */
const mostSnapshots = 500;

export interface BackupSources {
  readonly withoutSnapshots: readonly BackupOf[];
  /** Of each of which the daemon is asked: that takes it a while. */
  readonly withSnapshots: Promise<readonly BackupOf[]>;
}

/** Of those that are listed and lie on this machine. */
export async function backupSources(
  host: Host,
  client: DaemonClient,
  dataDirectory: string,
  listing: Promise<readonly Fields[]>,
): Promise<BackupSources> {
  // Side by side: a daemon answers one question on one processor, and the list takes it longest.
  const asking = Promise.all([listing, askParts(client)]);
  asking.catch(() => {});
  await onTheirWay();
  const numbers = numbersOfSnapshots(host, dataDirectory);
  if (numbers === undefined) return { withoutSnapshots: [], withSnapshots: Promise.resolve([]) };
  const [list, { extensions, poolOf, volumes, profiles }] = await asking;
  const all = [...numbers.values()].reduce((sum, number) => sum + number, 0);
  const mayHaveSnapshots = all <= mostSnapshots && extensions.has('instance_get_full');
  const sources = list.flatMap((instance) => {
    const project = textOf(instance, 'project') || 'default';
    const name = textOf(instance, 'name');
    const type = textOf(instance, 'type');
    const pool = poolOf.get(rootPool(instance) ?? '');
    const number = numbers.get(idOf(project, name)) ?? 0;
    if (pool === undefined || (number > 0 && !mayHaveSnapshots)) return [];
    if (!['', 'none'].includes(textOf(instance, 'location'))) return [];
    const poolName = textOf(pool, 'name');
    const volume = volumes.get(idOf(poolName, type, project, name));
    const used = textsOf(instance, 'profiles').map((profile) => profiles(project, profile));
    const known = used.filter((profile) => profile !== undefined);
    if (volume === undefined || known.length < used.length) return [];
    const folder = type === 'virtual-machine' ? 'virtual-machines' : 'containers';
    const stored = project === 'default' ? name : `${project}_${name}`;
    const source: BackupOf = {
      instance,
      pool,
      profiles: known,
      volume,
      snapshots: [],
      volumeSnapshots: [],
      kind: idOf(poolName, type, String(number)),
      file: {
        path: join(dataDirectory, 'storage-pools', poolName, folder, stored, 'backup.yaml'),
        link: join(dataDirectory, folder, stored),
      },
    };
    return [{ source, number }];
  });
  const withSnapshots = inTurn(
    sources.filter(({ number }) => number > 0),
    4,
    ({ source, number }) => askSnapshots(client, source, number),
  ).then((whole) => whole.filter((source) => source !== undefined));
  // Whoever waits for it learns of its failure.
  withSnapshots.catch(() => {});
  return {
    withoutSnapshots: sources.filter(({ number }) => number === 0).map(({ source }) => source),
    withSnapshots,
  };
}

interface Parts {
  readonly extensions: ReadonlySet<string>;
  readonly poolOf: ReadonlyMap<string, Fields>;
  readonly volumes: ReadonlyMap<string, Fields>;
  readonly profiles: (project: string, profile: string) => Fields | undefined;
}

async function askParts(client: DaemonClient): Promise<Parts> {
  const server = client.get('/1.0').then((answer) => fields(answer, '/1.0'));
  const extensions = server.then((answer) => new Set(textsOf(answer, 'api_extensions')));
  const poolOf = client
    .get('/1.0/storage-pools?recursion=1')
    .then((answer) => fieldsList(answer, '/1.0/storage-pools'))
    .then((pools) => new Map(pools.map((pool) => [textOf(pool, 'name'), pool])));
  const [known, pools, volumes, profiles] = await Promise.all([
    extensions,
    poolOf,
    poolOf.then((all) => listVolumes(client, [...all.keys()])),
    listProfiles(client, extensions),
  ]);
  return { extensions: known, poolOf: pools, volumes, profiles };
}

/** undefined where the daemon does not list as many as its database holds: it writes that file itself, or says why not. */
async function askSnapshots(
  client: DaemonClient,
  source: BackupOf,
  number: number,
): Promise<BackupOf | undefined> {
  const { instance, pool } = source;
  const name = textOf(instance, 'name');
  const query = { recursion: '1', project: textOf(instance, 'project') || 'default' };
  const ofVolume = ['storage-pools', textOf(pool, 'name'), 'volumes', textOf(instance, 'type'), name];
  try {
    const [whole, listed] = await Promise.all([
      client.get(apiPath(['1.0', 'instances', name], query)),
      client.get(apiPath(['1.0', ...ofVolume, 'snapshots'], query)),
    ]);
    const where = `/1.0/instances/${name}`;
    const snapshots = fieldsList(rawOf(fields(whole, where), 'snapshots'), `${where}.snapshots`);
    const volumeSnapshots = fieldsList(listed, `/1.0/${ofVolume.join('/')}/snapshots`);
    const isWhole = snapshots.length === number && volumeSnapshots.length === number;
    return isWhole ? { ...source, snapshots, volumeSnapshots } : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function idOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

/**
 * Of the instances that have any; from the daemon's database, since Incus 7 does not list the snapshots of all. undefined
 * where that cannot be read.
 */
function numbersOfSnapshots(host: Host, dataDirectory: string): ReadonlyMap<string, number> | undefined {
  try {
    const db = new Database(readDatabase(host.path(join(dataDirectory, 'database', 'global'))).bytes);
    try {
      const rows = db
        .prepare(
          `SELECT projects.name AS project, instances.name AS name, count(*) AS number FROM instances_snapshots
           JOIN instances ON instances.id = instances_snapshots.instance_id
           JOIN projects ON projects.id = instances.project_id GROUP BY instances.id`,
        )
        .all() as { project: string; name: string; number: number }[];
      return new Map(rows.map(({ project, name, number }) => [idOf(project, name), number]));
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof Failure || error instanceof Database.SqliteError) return undefined;
    throw error;
  }
}

async function listVolumes(
  client: DaemonClient,
  pools: readonly string[],
): Promise<ReadonlyMap<string, Fields>> {
  const volumes = new Map<string, Fields>();
  for (const pool of pools) {
    const path = apiPath(['1.0', 'storage-pools', pool, 'volumes'], {
      recursion: '1',
      'all-projects': 'true',
    });
    for (const volume of fieldsList(await client.get(path), '/1.0/storage-pools/volumes')) {
      const project = textOf(volume, 'project') || 'default';
      volumes.set(idOf(pool, textOf(volume, 'type'), project, textOf(volume, 'name')), volume);
    }
  }
  return volumes;
}

/** By the project of the instance: where that has no profiles of its own, they are those of project default. */
async function listProfiles(
  client: DaemonClient,
  extensions: Promise<ReadonlySet<string>>,
): Promise<(project: string, profile: string) => Fields | undefined> {
  const own = fieldsList(await client.get('/1.0/projects?recursion=1'), '/1.0/projects')
    .filter((project) => isTrue(configOf(project, 'config')['features.profiles']))
    .map((project) => textOf(project, 'name'));
  const withOwn = new Set(['default', ...own]);
  const profiles = await askOfProjects(
    client,
    { path: ['profiles'], extension: 'profiles_all_projects', owners: [...withOwn] },
    await extensions,
  );
  const found = new Map(profiles.map(({ from, project }) => [idOf(project, textOf(from, 'name')), from]));
  return (project, profile) => found.get(idOf(withOwn.has(project) ? project : 'default', profile));
}

function rootPool(instance: Fields): string | undefined {
  const devices = Object.values(configsOf(instance, 'expanded_devices'));
  return devices.find(({ type, path, pool }) => type === 'disk' && path === '/' && pool !== undefined)?.[
    'pool'
  ];
}
