// Networks and what belongs to them, asked of a daemon.
import { apiPath, type DaemonClient } from '../../daemon/client.ts';
import { configOf, type Fields, fieldsList, flagOf, rawOf, textOf } from '../../daemon/fields.ts';
import type {
  LoadBalancer,
  Network,
  NetworkAcl,
  NetworkForward,
  NetworkPeer,
  NetworkZone,
  ZoneRecord,
} from '../../model/inventory.ts';
import { type Networks, sortByAddress } from '../database/read-networks.ts';
import { entries } from '../entries.ts';
import { sortBy } from '../order.ts';
import { askOfProjects } from './of-projects.ts';

/** What a network can have, by its type and the daemon's API extensions; to ask for anything else is an error. */
const parts = {
  forwards: { extension: 'network_forward', types: ['bridge', 'ovn'] },
  'load-balancers': { extension: 'network_load_balancer', types: ['ovn'] },
  peers: { extension: 'network_peer', types: ['ovn'] },
} as const;

interface ProjectNames {
  /** All of them, default first. */
  readonly names: readonly string[];
  /** Those that have networks of their own. */
  readonly withNetworks: readonly string[];
  readonly withZones: readonly string[];
}

export async function askNetworks(
  client: DaemonClient,
  { names, withNetworks, withZones }: ProjectNames,
  extensions: ReadonlySet<string>,
): Promise<Networks> {
  const [networks, zones] = await Promise.all([
    askWithParts(client, withNetworks, extensions),
    extensions.has('network_dns') ? askZones(client, { names, withZones }, extensions) : [],
  ]);
  return { ...networks, zones };
}

async function askWithParts(
  client: DaemonClient,
  withNetworks: readonly string[],
  extensions: ReadonlySet<string>,
): Promise<Omit<Networks, 'zones'>> {
  const networks: Network[] = [];
  const acls: NetworkAcl[] = [];
  const forwards: NetworkForward[] = [];
  const loadBalancers: LoadBalancer[] = [];
  const peers: NetworkPeer[] = [];
  for (const project of withNetworks) {
    const managed = (await ask(client, ['networks'], project)).filter((from) => flagOf(from, 'managed'));
    networks.push(...managed.map((from) => toNetwork(from, project)));
    if (extensions.has('network_acl'))
      acls.push(...(await ask(client, ['network-acls'], project)).map((from) => toAcl(from, project)));
  }
  for (const { project, name, type } of networks) {
    const askPart = async (part: keyof typeof parts): Promise<Fields[]> => {
      const { extension, types } = parts[part];
      const has = extensions.has(extension) && (types as readonly string[]).includes(type);
      return has ? ask(client, ['networks', name, part], project) : [];
    };
    const owner = { project, network: name };
    forwards.push(...(await askPart('forwards')).map((from) => toForward(from, owner)));
    loadBalancers.push(...(await askPart('load-balancers')).map((from) => toLoadBalancer(from, owner)));
    peers.push(...(await askPart('peers')).map((from) => toPeer(from, owner)));
  }
  return {
    networks: sortBy(
      networks,
      (item) => item.project,
      (item) => item.name,
    ),
    acls: sortBy(
      acls,
      (item) => item.project,
      (item) => item.name,
    ),
    forwards: sortByAddress(forwards),
    loadBalancers: sortByAddress(loadBalancers),
    peers: sortBy(
      peers,
      (item) => item.project,
      (item) => item.network,
      (item) => item.name,
    ),
  };
}

async function ask(client: DaemonClient, path: readonly string[], project: string): Promise<Fields[]> {
  return fieldsList(
    await client.get(apiPath(['1.0', ...path], { project, recursion: '1' })),
    `/1.0/${path.join('/')}`,
  );
}

function toNetwork(from: Fields, project: string): Network {
  return {
    project,
    name: textOf(from, 'name'),
    type: textOf(from, 'type'),
    managed: true,
    description: textOf(from, 'description'),
    state: textOf(from, 'status'),
    config: configOf(from, 'config'),
    memberConfig: undefined,
  };
}

function toAcl(from: Fields, project: string): NetworkAcl {
  return {
    project,
    name: textOf(from, 'name'),
    description: textOf(from, 'description'),
    config: configOf(from, 'config'),
    ingress: entries(rawOf(from, 'ingress')),
    egress: entries(rawOf(from, 'egress')),
  };
}

interface Owner {
  readonly project: string;
  readonly network: string;
}

function toForward(from: Fields, owner: Owner): NetworkForward {
  return {
    ...owner,
    listenAddress: textOf(from, 'listen_address'),
    member: textOf(from, 'location'),
    description: textOf(from, 'description'),
    config: configOf(from, 'config'),
    ports: entries(rawOf(from, 'ports')),
  };
}

function toLoadBalancer(from: Fields, owner: Owner): LoadBalancer {
  return {
    ...owner,
    listenAddress: textOf(from, 'listen_address'),
    member: textOf(from, 'location'),
    description: textOf(from, 'description'),
    config: configOf(from, 'config'),
    backends: entries(rawOf(from, 'backends')),
    ports: entries(rawOf(from, 'ports')),
  };
}

function toPeer(from: Fields, owner: Owner): NetworkPeer {
  return {
    ...owner,
    name: textOf(from, 'name'),
    description: textOf(from, 'description'),
    config: configOf(from, 'config'),
    targetProject: textOf(from, 'target_project'),
    targetNetwork: textOf(from, 'target_network'),
  };
}

/** Names of zones are unique on a server; a project without zones of its own shows those of project default. */
async function askZones(
  client: DaemonClient,
  { names, withZones }: Pick<ProjectNames, 'names' | 'withZones'>,
  extensions: ReadonlySet<string>,
): Promise<NetworkZone[]> {
  const listed = await askOfProjects(
    client,
    {
      path: ['network-zones'],
      extension: 'network_zones_all_projects',
      owners: withZones,
      // Which feature decides differs with the version.
      askedOneByOne: names,
    },
    extensions,
  );
  const zones = new Map<string, NetworkZone>();
  for (const { from, project } of listed) {
    const name = textOf(from, 'name');
    if (zones.has(name)) continue;
    const records = extensions.has('network_dns_records')
      ? (await ask(client, ['network-zones', name, 'records'], project)).map(toRecord)
      : [];
    zones.set(name, {
      project: textOf(from, 'project') || project,
      name,
      description: textOf(from, 'description'),
      config: configOf(from, 'config'),
      records: sortBy(records, (record) => record.name),
    });
  }
  return sortBy(
    [...zones.values()],
    (zone) => zone.project,
    (zone) => zone.name,
  );
}

function toRecord(from: Fields): ZoneRecord {
  return {
    name: textOf(from, 'name'),
    description: textOf(from, 'description'),
    config: configOf(from, 'config'),
    entries: entries(rawOf(from, 'entries')),
  };
}
