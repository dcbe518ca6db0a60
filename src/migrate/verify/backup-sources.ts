// What a daemon says of the instances whose backup.yaml can be written without it, and where these files lie.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { inTurn } from '../../core/in-turn.ts';
import { readDatabase } from '../../dqlite/index.ts';
import { apiPath, type DaemonClient } from '../daemon/client.ts';
import { configOf, configsOf, type Fields, fieldsList, textOf, textsOf } from '../daemon/fields.ts';
import { isTrue } from '../is-true.ts';
import type { BackupParts } from './backup-file.ts';

export interface BackupOf extends BackupParts {
  /** Pool and type: what is the same for one is so for the others. */
  readonly kind: string;
  readonly file: {
    readonly path: string;
    /** By which the daemon finds its folder. */
    readonly link: string;
  };
}

/** Of those in `list` that lie on this machine and have no snapshots, whose files hold more. */
export async function backupSources(
  host: Host,
  client: DaemonClient,
  dataDirectory: string,
  list: readonly Fields[],
): Promise<BackupOf[]> {
  const withSnapshots = instancesWithSnapshots(host, dataDirectory);
  if (withSnapshots === undefined) return [];
  const pools = fieldsList(await client.get('/1.0/storage-pools?recursion=1'), '/1.0/storage-pools');
  const poolOf = new Map(pools.map((pool) => [textOf(pool, 'name'), pool]));
  const [volumes, profiles] = await Promise.all([
    listVolumes(client, [...poolOf.keys()]),
    listProfiles(client),
  ]);
  return list.flatMap((instance): BackupOf[] => {
    const project = textOf(instance, 'project') || 'default';
    const name = textOf(instance, 'name');
    const type = textOf(instance, 'type');
    const pool = poolOf.get(rootPool(instance) ?? '');
    if (pool === undefined || withSnapshots.has(idOf(project, name))) return [];
    if (!['', 'none'].includes(textOf(instance, 'location'))) return [];
    const poolName = textOf(pool, 'name');
    const volume = volumes.get(idOf(poolName, type, project, name));
    const used = textsOf(instance, 'profiles').map((profile) => profiles(project, profile));
    const known = used.filter((profile) => profile !== undefined);
    if (volume === undefined || known.length < used.length) return [];
    const folder = type === 'virtual-machine' ? 'virtual-machines' : 'containers';
    const stored = project === 'default' ? name : `${project}_${name}`;
    return [
      {
        instance,
        pool,
        profiles: known,
        volume,
        kind: idOf(poolName, type),
        file: {
          path: join(dataDirectory, 'storage-pools', poolName, folder, stored, 'backup.yaml'),
          link: join(dataDirectory, folder, stored),
        },
      },
    ];
  });
}

function idOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

/** From the daemon's database: Incus 7 does not list the snapshots of all. undefined where that cannot be read. */
function instancesWithSnapshots(host: Host, dataDirectory: string): ReadonlySet<string> | undefined {
  try {
    const db = new Database(readDatabase(host.path(join(dataDirectory, 'database', 'global'))).bytes);
    try {
      const rows = db
        .prepare(
          `SELECT DISTINCT projects.name AS project, instances.name AS name FROM instances_snapshots
           JOIN instances ON instances.id = instances_snapshots.instance_id
           JOIN projects ON projects.id = instances.project_id`,
        )
        .all() as { project: string; name: string }[];
      return new Set(rows.map(({ project, name }) => idOf(project, name)));
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
): Promise<(project: string, profile: string) => Fields | undefined> {
  const projects = fieldsList(await client.get('/1.0/projects?recursion=1'), '/1.0/projects');
  const own = projects
    .filter((project) => isTrue(configOf(project, 'config')['features.profiles']))
    .map((project) => textOf(project, 'name'));
  const withOwn = new Set(['default', ...own]);
  const found = new Map<string, Fields>();
  await inTurn([...withOwn], 2, async (project) => {
    const path = apiPath(['1.0', 'profiles'], { recursion: '1', project });
    for (const profile of fieldsList(await client.get(path), '/1.0/profiles'))
      found.set(idOf(project, textOf(profile, 'name')), profile);
  });
  return (project, profile) => found.get(idOf(withOwn.has(project) ? project : 'default', profile));
}

function rootPool(instance: Fields): string | undefined {
  const devices = Object.values(configsOf(instance, 'expanded_devices'));
  return devices.find(({ type, path, pool }) => type === 'disk' && path === '/' && pool !== undefined)?.[
    'pool'
  ];
}
