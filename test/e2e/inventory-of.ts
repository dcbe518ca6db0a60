// Everything that an LXD or an Incus says about itself, as one value in which two servers can be compared.
import type { Machine } from './machine/machine.ts';
import { api, type Product } from './server/api.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Rows = readonly { readonly [key: string]: Json }[];

export interface ProjectInventory {
  readonly project: Json;
  /** With snapshots, backups and state, by name; so are the others. */
  readonly instances: Readonly<Record<string, Json>>;
  readonly profiles: Readonly<Record<string, Json>>;
  readonly images: Readonly<Record<string, Json>>;
  readonly aliases: Readonly<Record<string, Json>>;
  readonly networks: Readonly<Record<string, NetworkInventory>>;
  readonly acls: Readonly<Record<string, Json>>;
  readonly zones: Readonly<Record<string, Json>>;
}

export interface NetworkInventory {
  readonly network: Json;
  readonly forwards: Readonly<Record<string, Json>>;
}

export interface PoolInventory {
  readonly pool: Json;
  /** By `project/type/name`; snapshots by `project/type/name/snapshot`. */
  readonly volumes: Readonly<Record<string, Json>>;
}

export interface Inventory {
  readonly server: Json;
  readonly certificates: Readonly<Record<string, Json>>;
  readonly projects: Readonly<Record<string, ProjectInventory>>;
  readonly pools: Readonly<Record<string, PoolInventory>>;
}

/** Asks the API for every object; order of lists does not matter, since all are kept by name. */
export async function inventoryOf(machine: Machine, product: Product): Promise<Inventory> {
  const get = (path: string, project?: string): Promise<Json> =>
    api(machine, product, 'GET', path, undefined, project === undefined ? {} : { project }) as Promise<Json>;
  // An empty list is null in the answers of some versions.
  const rows = async (path: string, project?: string): Promise<Rows> =>
    ((await get(path, project)) ?? []) as Rows;
  const server = (await get('/1.0')) as { config: Json };
  const projects = await rows('/1.0/projects?recursion=1');
  const pools = await rows('/1.0/storage-pools?recursion=1');
  return {
    server: server.config,
    certificates: by(await rows('/1.0/certificates?recursion=1'), 'fingerprint'),
    projects: Object.fromEntries(
      await inTurn(projects, async (project) => [
        String(project['name']),
        await projectInventory(rows, get, project),
      ]),
    ),
    pools: Object.fromEntries(
      await inTurn(pools, async (pool) => [
        String(pool['name']),
        { pool, volumes: await volumesOf(rows, String(pool['name']), projects) },
      ]),
    ),
  };
}

type GetRows = (path: string, project?: string) => Promise<Rows>;
type Get = (path: string, project?: string) => Promise<Json>;

async function projectInventory(
  rows: GetRows,
  get: Get,
  project: { readonly [key: string]: Json },
): Promise<ProjectInventory> {
  const name = String(project['name']);
  const config = project['config'] as { readonly [key: string]: string };
  // A project without its own shows those of the default project.
  const own = async (feature: string, path: string): Promise<Rows> =>
    name === 'default' || config[feature] === 'true' ? rows(path, name) : [];
  const networks = await own('features.networks', '/1.0/networks?recursion=1');
  const zones = await own('features.networks', '/1.0/network-zones?recursion=1');
  return {
    project,
    instances: by(await rows('/1.0/instances?recursion=2', name), 'name'),
    profiles: by(await own('features.profiles', '/1.0/profiles?recursion=1'), 'name'),
    images: by(await own('features.images', '/1.0/images?recursion=1'), 'fingerprint'),
    aliases: by(await own('features.images', '/1.0/images/aliases?recursion=1'), 'name'),
    networks: Object.fromEntries(
      await inTurn(networks, async (network) => {
        const path = `/1.0/networks/${encodeURIComponent(String(network['name']))}/forwards?recursion=1`;
        const forwards =
          network['managed'] === true && network['type'] === 'bridge' ? await rows(path, name) : [];
        return [String(network['name']), { network, forwards: by(forwards, 'listen_address') }];
      }),
    ),
    acls: by(await own('features.networks', '/1.0/network-acls?recursion=1'), 'name'),
    zones: Object.fromEntries(
      await inTurn(zones, async (zone) => {
        const path = `/1.0/network-zones/${encodeURIComponent(String(zone['name']))}/records?recursion=1`;
        return [String(zone['name']), { zone, records: await get(path, name) }];
      }),
    ),
  };
}

async function volumesOf(rows: GetRows, pool: string, projects: Rows): Promise<Record<string, Json>> {
  const found: Record<string, Json> = {};
  for (const project of projects) {
    const name = String(project['name']);
    const path = `/1.0/storage-pools/${encodeURIComponent(pool)}/volumes`;
    for (const volume of await rows(`${path}?recursion=1`, name)) {
      const own = String(volume['project'] ?? name);
      found[`${own}/${String(volume['type'])}/${String(volume['name'])}`] = volume;
    }
  }
  return found;
}

/** In the order of the keys: daemons answer in any order. */
function by(list: Rows, key: string): Record<string, Json> {
  const named = list.map((row) => [String(row[key]), row] as const);
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function inTurn<T, R>(list: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of list) results.push(await work(item));
  return results;
}

/** Keys whose values differ, as `path: before → after`; what `ignore` names is passed over. */
export function compareInventories(
  before: Inventory,
  after: Inventory,
  ignore: (path: readonly string[]) => boolean = () => false,
): string[] {
  return differences(before as unknown as Json, after as unknown as Json, [], ignore);
}

function differences(
  before: Json | undefined,
  after: Json | undefined,
  path: readonly string[],
  ignore: (path: readonly string[]) => boolean,
): string[] {
  if (ignore(path)) return [];
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => differences(before[key], after[key], [...path, key], ignore));
  }
  const a = JSON.stringify(before);
  const b = JSON.stringify(after);
  return a === b ? [] : [`${path.join(' / ')}: ${a ?? 'missing'} → ${b ?? 'missing'}`];
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
