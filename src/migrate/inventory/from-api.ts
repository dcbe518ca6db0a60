// Asks a running daemon for everything that it has.
import { apiPath, type DaemonClient } from '../daemon/client.ts';
import { configOf, type Fields, fields, fieldsList, flagOf, rawOf, textsOf } from '../daemon/fields.ts';
import { isTrue } from '../is-true.ts';
import { askInstances } from './api-instances.ts';
import { askNetworks } from './api-networks.ts';
import { toCertificate, toClusterGroup, toImage, toMember, toProfile, toProject } from './api-objects.ts';
import { askBuckets, askVolumes, listVolumes, toPool } from './api-storage.ts';
import type { Image, Inventory, Profile, Project } from './inventory.ts';
import { sortBy } from './order.ts';

export interface ApiOptions {
  /**
   * What the daemon should have: saves asking each instance for the snapshots and backups that it does not have, which takes a
   * request each. Whether those have any is not known then.
   */
  readonly expected?: Inventory;
}

/**
 * The same shape as `readInventory` gives, in some twenty requests and a few more for each project, network, custom volume and
 * instance with snapshots. What the API does not show is undefined.
 */
export async function inventoryFromApi(client: DaemonClient, options: ApiOptions = {}): Promise<Inventory> {
  const ask = async (path: string, query: Readonly<Record<string, string>> = {}): Promise<Fields[]> =>
    fieldsList(await client.get(apiPath(path.split('/'), { recursion: '1', ...query })), `/${path}`);

  const server = fields(await client.get('/1.0'), '/1.0');
  const extensions = new Set(textsOf(server, 'api_extensions'));
  const clustered = flagOf(fields(rawOf(server, 'environment'), '/1.0.environment'), 'server_clustered');
  const projects = defaultFirst((await ask('1.0/projects')).map(toProject));
  const names = projects.map(({ name }) => name);
  const profiles: Profile[] = [];
  for (const project of withFeature(projects, 'features.profiles'))
    profiles.push(...(await ask('1.0/profiles', { project })).map((from) => toProfile(from, project)));
  const images: Image[] = [];
  for (const project of withFeature(projects, 'features.images'))
    images.push(...(await ask('1.0/images', { project })).map((from) => toImage(from, project)));
  const pools = (await ask('1.0/storage-pools')).map(toPool);
  const lists = await listVolumes(client, pools, extensions);
  const instances = await askInstances(client, lists, options.expected);
  const certificates = (await ask('1.0/certificates')).map(toCertificate);
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
    instances: sortBy(
      instances,
      ({ project }) => project,
      ({ name }) => name,
    ),
    pools: sortBy(pools, ({ name }) => name),
    ...(await askVolumes(client, lists, instances, extensions)),
    buckets: extensions.has('storage_buckets') ? await askBuckets(client, pools, names) : [],
    ...(await askNetworks(client, names, withFeature(projects, 'features.networks'), extensions)),
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
