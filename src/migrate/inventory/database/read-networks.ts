// Networks and what belongs to them, from the tables of the database.

import { networkTypeName } from '../../catalogue/codes.ts';
import type {
  LoadBalancer,
  Network,
  NetworkAcl,
  NetworkForward,
  NetworkPeer,
  NetworkZone,
  ZoneRecord,
} from '../../model/inventory.ts';
import { entries } from '../entries.ts';
import { sortBy } from '../order.ts';
import { readMemberConfig, readStates } from './read-members.ts';
import type { ObjectNames } from './read-names.ts';
import { configs, groupBy, number, type Row, type Tables, text } from './rows.ts';

export interface Networks {
  readonly networks: readonly Network[];
  readonly acls: readonly NetworkAcl[];
  readonly zones: readonly NetworkZone[];
  readonly forwards: readonly NetworkForward[];
  readonly loadBalancers: readonly LoadBalancer[];
  readonly peers: readonly NetworkPeer[];
}

interface NetworkName {
  readonly project: string;
  readonly network: string;
}

export function readNetworks(tables: Tables, objects: ObjectNames): Networks {
  const config = readMemberConfig(tables, 'networks_config', 'network_id', objects);
  const state = readStates(tables, 'networks_nodes', 'network_id', objects);
  const isShown = objects.showsOwn('features.networks');
  const rows = tables.rows('networks', ['id', 'project_id', 'name', 'description', 'state', 'type']);
  const networks = rows
    .filter((row) => isShown(row['project_id']))
    .map(
      (row): Network => ({
        project: objects.project(row['project_id']),
        name: text(row['name']),
        type: networkTypeName(number(row['type'])),
        managed: true,
        description: text(row['description']),
        state: state(row),
        ...config(row['id']),
      }),
    );
  const owners = new Map(
    rows.map((row): [number, NetworkName] => [
      number(row['id']),
      { project: objects.project(row['project_id']), network: text(row['name']) },
    ]),
  );
  const owner = (id: unknown): NetworkName =>
    owners.get(number(id)) ?? { project: '', network: `#${number(id)}` };
  return {
    networks: sortByName(networks),
    acls: readAcls(tables, objects),
    zones: readZones(tables, objects),
    forwards: readForwards(tables, objects, owner),
    loadBalancers: readLoadBalancers(tables, objects, owner),
    peers: readPeers(tables, owner),
  };
}

function sortByName<T extends { readonly project: string; readonly name: string }>(list: readonly T[]): T[] {
  return sortBy(
    list,
    (item) => item.project,
    (item) => item.name,
  );
}

export function sortByAddress<
  T extends {
    readonly project: string;
    readonly network: string;
    readonly listenAddress: string;
    readonly member: string;
  },
>(list: readonly T[]): T[] {
  return sortBy(
    list,
    (item) => item.project,
    (item) => item.network,
    (item) => item.listenAddress,
    (item) => item.member,
  );
}

function readAcls(tables: Tables, objects: ObjectNames): NetworkAcl[] {
  const config = configs(tables, 'networks_acls_config', 'network_acl_id');
  const isShown = objects.showsOwn('features.networks');
  const list = tables
    .rows('networks_acls', ['id', 'project_id', 'name', 'description', 'ingress', 'egress'])
    .filter((row) => isShown(row['project_id']))
    .map(
      (row): NetworkAcl => ({
        project: objects.project(row['project_id']),
        name: text(row['name']),
        description: text(row['description']),
        config: config(row['id']),
        ingress: entries(row['ingress']),
        egress: entries(row['egress']),
      }),
    );
  return sortByName(list);
}

function readZones(tables: Tables, objects: ObjectNames): NetworkZone[] {
  const config = configs(tables, 'networks_zones_config', 'network_zone_id');
  const recordConfig = configs(tables, 'networks_zones_records_config', 'network_zone_record_id');
  const records = groupBy(
    tables.rows('networks_zones_records', ['id', 'network_zone_id', 'name', 'description', 'entries']),
    'network_zone_id',
  );
  const toRecord = (row: Row): ZoneRecord => ({
    name: text(row['name']),
    description: text(row['description']),
    config: recordConfig(row['id']),
    entries: entries(row['entries']),
  });
  const isShown = objects.showsOwn(zonesFeature(tables));
  const list = tables
    .rows('networks_zones', ['id', 'project_id', 'name', 'description'])
    .filter((row) => isShown(row['project_id']))
    .map(
      (row): NetworkZone => ({
        project: objects.project(row['project_id']),
        name: text(row['name']),
        description: text(row['description']),
        config: config(row['id']),
        records: sortBy((records.get(number(row['id'])) ?? []).map(toRecord), (record) => record.name),
      }),
    );
  return sortByName(list);
}

/** Zones went with networks until schema update 68 gave them a feature of their own (db/cluster/update.go). */
function zonesFeature(tables: Tables): string {
  const schema = Math.max(...tables.rows('schema', ['version']).map((row) => number(row['version'])));
  return schema < 68 ? 'features.networks' : 'features.networks.zones';
}

function readForwards(
  tables: Tables,
  objects: ObjectNames,
  owner: (id: unknown) => NetworkName,
): NetworkForward[] {
  const config = configs(tables, 'networks_forwards_config', 'network_forward_id');
  const list = tables
    .rows('networks_forwards', ['id', 'network_id', 'node_id', 'listen_address', 'description', 'ports'])
    .map(
      (row): NetworkForward => ({
        ...owner(row['network_id']),
        listenAddress: text(row['listen_address']),
        member: objects.member(row['node_id']),
        description: text(row['description']),
        config: config(row['id']),
        ports: entries(row['ports']),
      }),
    );
  return sortByAddress(list);
}

function readLoadBalancers(
  tables: Tables,
  objects: ObjectNames,
  owner: (id: unknown) => NetworkName,
): LoadBalancer[] {
  const config = configs(tables, 'networks_load_balancers_config', 'network_load_balancer_id');
  const list = tables
    .rows('networks_load_balancers', [
      'id',
      'network_id',
      'node_id',
      'listen_address',
      'description',
      'backends',
      'ports',
    ])
    .map(
      (row): LoadBalancer => ({
        ...owner(row['network_id']),
        listenAddress: text(row['listen_address']),
        member: objects.member(row['node_id']),
        description: text(row['description']),
        config: config(row['id']),
        backends: entries(row['backends']),
        ports: entries(row['ports']),
      }),
    );
  return sortByAddress(list);
}

function readPeers(tables: Tables, owner: (id: unknown) => NetworkName): NetworkPeer[] {
  const config = configs(tables, 'networks_peers_config', 'network_peer_id');
  const list = tables
    .rows('networks_peers', [
      'id',
      'network_id',
      'name',
      'description',
      'target_network_project',
      'target_network_name',
      'target_network_id',
    ])
    .map((row): NetworkPeer => {
      // The names stand there until the other side has agreed; then only its number does.
      const target =
        row['target_network_id'] === null || row['target_network_id'] === undefined
          ? { project: text(row['target_network_project']), network: text(row['target_network_name']) }
          : owner(row['target_network_id']);
      return {
        ...owner(row['network_id']),
        name: text(row['name']),
        description: text(row['description']),
        config: config(row['id']),
        targetProject: target.project,
        targetNetwork: target.network,
      };
    });
  return sortBy(
    list,
    (peer) => peer.project,
    (peer) => peer.network,
    (peer) => peer.name,
  );
}
