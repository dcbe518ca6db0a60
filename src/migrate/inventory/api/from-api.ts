// Asks a running daemon for everything that it has.
import { onTheirWay } from '../../../core/on-their-way.ts';
import { allInstances, apiPath, type DaemonClient } from '../../daemon/client.ts';
import { configOf, type Fields, fields, fieldsList, flagOf, rawOf, textsOf } from '../../daemon/fields.ts';
import { isTrue } from '../../is-true.ts';
import type { Bucket, Inventory, Project } from '../../model/inventory.ts';
import type { Networks } from '../database/read-networks.ts';
import { sortBy } from '../order.ts';
import type { NotInTime } from './in-time.ts';
import { toListed, withParts } from './instances.ts';
import { askNetworks } from './networks.ts';
import { toCertificate, toClusterGroup, toImage, toMember, toProfile, toProject } from './objects.ts';
import { askOfProjects, type OfProjects } from './of-projects.ts';
import { askBuckets, askVolumes, listVolumes, toPool } from './storage.ts';

export interface ApiOptions {
  /**
   * What the daemon should have: saves asking each instance for the snapshots and backups that it does not have, which takes a
   * request each. Whether those have any is not known then. Called while the daemon works on its longest answers.
   */
  readonly expected?: () => Inventory;
  /** Told what was not answered in time and is not known therefore; without it that is a failure. */
  readonly notInTime?: NotInTime;
  /** The answer to `allInstances`, where it is asked for already. */
  readonly listed?: Promise<unknown>;
}

/**
 * The same shape as `readInventory` gives, in some twenty requests and a few more for each network, custom volume and instance
 * with snapshots; where the daemon lists one project at a time, also for each project. What the API does not show is undefined.
 */
export async function inventoryFromApi(
  client: DaemonClient,
  { expected, notInTime, listed = client.get(allInstances) }: ApiOptions = {},
): Promise<Inventory> {
  const ask = async (path: string, query: Readonly<Record<string, string>> = {}): Promise<Fields[]> =>
    fieldsList(await client.get(apiPath(path.split('/'), { recursion: '1', ...query })), `/${path}`);

  // Its failure is looked at below, whenever it comes.
  listed.catch(() => {});
  const server = fields(await client.get('/1.0'), '/1.0');
  const extensions = new Set(textsOf(server, 'api_extensions'));
  const clustered = flagOf(fields(rawOf(server, 'environment'), '/1.0.environment'), 'server_clustered');
  // Side by side, each as soon as it can be asked: a daemon answers one question on one processor.
  const asked = {
    projects: ask('1.0/projects').then((list) => defaultFirst(list.map(toProject))),
    pools: ask('1.0/storage-pools').then((list) => list.map(toPool)),
    certificates: ask('1.0/certificates').then((list) => list.map(toCertificate)),
  };
  const owners = async (feature: string): Promise<string[]> => withFeature(await asked.projects, feature);
  const names = async (): Promise<string[]> => (await asked.projects).map(({ name }) => name);
  const ofProjects = async <T>(
    feature: string,
    of: Omit<OfProjects, 'owners'>,
    make: (from: Fields, project: string) => T,
  ): Promise<T[]> => {
    const list = await askOfProjects(client, { ...of, owners: await owners(feature) }, extensions);
    return list.map(({ from, project }) => make(from, project));
  };
  const storage = async () => {
    const pools = await asked.pools;
    const listing = listVolumes(client, pools, extensions);
    listing.catch(() => {});
    await onTheirWay();
    const known = expected?.();
    const lists = await listing;
    const instances = await withParts(client, toListed(await listed), lists, {
      expected: known,
      extensions,
      notInTime,
    });
    return {
      pools: sortBy(pools, ({ name }) => name),
      instances: sortBy(
        instances,
        ({ project }) => project,
        ({ name }) => name,
      ),
      ...(await askVolumes(
        client,
        lists,
        instances,
        await owners('features.storage.volumes'),
        extensions,
        notInTime,
      )),
    };
  };
  const askAllBuckets = async (): Promise<Bucket[]> =>
    extensions.has('storage_buckets')
      ? askBuckets(
          client,
          await asked.pools,
          { names: await names(), withBuckets: await owners('features.storage.buckets') },
          extensions,
        )
      : [];
  const askAllNetworks = async (): Promise<Networks> =>
    askNetworks(
      client,
      {
        names: await names(),
        withNetworks: await owners('features.networks'),
        withZones: await owners('features.networks.zones'),
      },
      extensions,
    );
  const [projects, certificates, profiles, images, stored, buckets, networks] = await Promise.all([
    asked.projects,
    asked.certificates,
    ofProjects('features.profiles', { path: ['profiles'], extension: 'profiles_all_projects' }, toProfile),
    ofProjects('features.images', { path: ['images'], extension: 'images_all_projects' }, toImage),
    storage(),
    askAllBuckets(),
    askAllNetworks(),
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
    buckets,
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
