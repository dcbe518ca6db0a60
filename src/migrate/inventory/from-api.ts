// Asks a running daemon for everything that it has.
import { inTurn } from '../../core/in-turn.ts';
import { apiPath, type DaemonClient } from '../daemon/client.ts';
import { configOf, type Fields, fields, fieldsList, flagOf, rawOf, textsOf } from '../daemon/fields.ts';
import { isTrue } from '../is-true.ts';
import { askInstances } from './api-instances.ts';
import { askNetworks } from './api-networks.ts';
import { toCertificate, toClusterGroup, toImage, toMember, toProfile, toProject } from './api-objects.ts';
import { askBuckets, askVolumes, listVolumes, toPool } from './api-storage.ts';
import type { NotInTime } from './in-time.ts';
import type { Inventory, Project } from './inventory.ts';
import { sortBy } from './order.ts';

export interface ApiOptions {
  /**
   * What the daemon should have: saves asking each instance for the snapshots and backups that it does not have, which takes a
   * request each. Whether those have any is not known then.
   */
  readonly expected?: Inventory;
  /** Told what was not answered in time and is not known therefore; without it that is a failure. */
  readonly notInTime?: NotInTime;
}

/**
 * The same shape as `readInventory` gives, in some twenty requests and a few more for each project, network, custom volume and
 * instance with snapshots. What the API does not show is undefined.
 */
export async function inventoryFromApi(
  client: DaemonClient,
  { expected, notInTime }: ApiOptions = {},
): Promise<Inventory> {
  const ask = async (path: string, query: Readonly<Record<string, string>> = {}): Promise<Fields[]> =>
    fieldsList(await client.get(apiPath(path.split('/'), { recursion: '1', ...query })), `/${path}`);

  const server = fields(await client.get('/1.0'), '/1.0');
  const extensions = new Set(textsOf(server, 'api_extensions'));
  const clustered = flagOf(fields(rawOf(server, 'environment'), '/1.0.environment'), 'server_clustered');
  const projects = defaultFirst((await ask('1.0/projects')).map(toProject));
  const names = projects.map(({ name }) => name);
  const ofProjects = async <T>(
    feature: string,
    path: string,
    make: (from: Fields, project: string) => T,
  ): Promise<T[]> => {
    const lists = await inTurn(withFeature(projects, feature), 2, async (project) =>
      (await ask(path, { project })).map((from) => make(from, project)),
    );
    return lists.flat();
  };
  const storage = async () => {
    const pools = (await ask('1.0/storage-pools')).map(toPool);
    const lists = await listVolumes(client, pools, extensions);
    const withVolumes = withFeature(projects, 'features.storage.volumes');
    const instances = await askInstances(client, lists, { expected, extensions, notInTime });
    return {
      pools: sortBy(pools, ({ name }) => name),
      instances: sortBy(
        instances,
        ({ project }) => project,
        ({ name }) => name,
      ),
      ...(await askVolumes(client, lists, instances, withVolumes, extensions, notInTime)),
      buckets: extensions.has('storage_buckets') ? await askBuckets(client, pools, names) : [],
    };
  };
  // Side by side, since a daemon answers one question on one processor.
  const [profiles, images, stored, networks, certificates] = await Promise.all([
    ofProjects('features.profiles', '1.0/profiles', toProfile),
    ofProjects('features.images', '1.0/images', toImage),
    storage(),
    askNetworks(client, names, withFeature(projects, 'features.networks'), extensions),
    ask('1.0/certificates').then((list) => list.map(toCertificate)),
  ]);
  return {
    origin: 'api',
    schema: undefined,
    server: { config: configOf(server, 'config'), memberKeys: undefined },
    projects: sortBy(projects, ({ name }) => name),
    profiles: sortBy(
      profiles,
      ({ project }) => project,
      ({ name }) => name,
    ),
    ...stored,
    ...networks,
    images: sortBy(
      images,
      ({ project }) => project,
      ({ fingerprint }) => fingerprint,
    ),
    certificates: sortBy(certificates, ({ fingerprint }) => fingerprint),
    members: clustered
      ? sortBy((await ask('1.0/cluster/members')).map(toMember), ({ name }) => name)
      : undefined,
    clusterGroups:
      clustered && extensions.has('clustering_groups')
        ? sortBy((await ask('1.0/cluster/groups')).map(toClusterGroup), ({ name }) => name)
        : undefined,
    operations: undefined,
    warnings: undefined,
    otherTables: undefined,
  };
}

function defaultFirst(projects: readonly Project[]): Project[] {
  return sortBy(projects, ({ name }) => (name === 'default' ? '' : name));
}

/** Projects that have such objects of their own; the others show those of project default. */
function withFeature(projects: readonly Project[], feature: string): string[] {
  return projects
    .filter(({ name, config }) => name === 'default' || isTrue(config[feature]))
    .map(({ name }) => name);
}
