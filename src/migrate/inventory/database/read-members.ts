// What is kept for each member: configuration and states of pools and networks, the members themselves and their groups.

import { architectureName, memberRoleName, objectStateName } from '../../catalogue/codes.ts';
import type { ClusterGroup, Config, Member } from '../../model/inventory.ts';
import { sortBy } from '../order.ts';
import type { ObjectNames } from './read-names.ts';
import { configs, groupBy, names, number, type Row, type Tables, text, toConfig } from './rows.ts';

interface MemberConfig {
  readonly config: Config;
  readonly memberConfig: Readonly<Record<string, Config>> | undefined;
}

/** Rows of all members, with those of the one member of a server that is not clustered; in a cluster, each member's beside them. */
export function readMemberConfig(
  tables: Tables,
  table: string,
  owner: string,
  { member, clustered }: ObjectNames,
): (id: unknown) => MemberConfig {
  const groups = groupBy(tables.rows(table, [owner, 'node_id', 'key', 'value']), owner);
  const isShared = (row: Row): boolean => row['node_id'] === null || row['node_id'] === undefined;
  return (id) => {
    const rows = groups.get(number(id)) ?? [];
    if (!clustered) return { config: toConfig(rows), memberConfig: undefined };
    const own = groupBy(
      rows.filter((row) => !isShared(row)),
      'node_id',
    );
    const sorted = sortBy(
      [...own].map(([node, list]): readonly [string, Config] => [member(node), toConfig(list)]),
      ([name]) => name,
    );
    return { config: toConfig(rows.filter(isShared)), memberConfig: Object.fromEntries(sorted) };
  };
}

/** The state of an object: on the only member, like a daemon that is not clustered says it; in a cluster, its own. */
export function readStates(
  tables: Tables,
  table: string,
  owner: string,
  { clustered }: ObjectNames,
): (row: Row) => string {
  const groups = groupBy(tables.rows(table, [owner, 'state']), owner);
  const byMember = tables.has(table, 'state');
  return (row) => {
    const local = !clustered ? groups.get(number(row['id']))?.[0] : undefined;
    // Without a row of its own, the daemon does not know how it stands on this member (network/driver_common.go, LocalStatus).
    if (byMember && !clustered && local === undefined) return 'Unknown';
    // Before networks and pools had a state of their own, one that has a row was created.
    return objectStateName(number(local?.['state'] ?? row['state'] ?? 1));
  };
}

export function readMembers(tables: Tables): Member[] {
  const config = configs(tables, 'nodes_config', 'node_id');
  const roles = groupBy(tables.rows('nodes_roles', ['node_id', 'role']), 'node_id');
  const domains = names(tables, 'nodes_failure_domains');
  const list = tables
    .rows('nodes', [
      'id',
      'name',
      'description',
      'address',
      'schema',
      'api_extensions',
      'arch',
      'failure_domain_id',
    ])
    .map(
      (row): Member => ({
        name: text(row['name']),
        address: text(row['address']),
        description: text(row['description']),
        architecture: architectureName(number(row['arch'])),
        schema: number(row['schema']),
        apiExtensions: number(row['api_extensions']),
        failureDomain: domains.get(number(row['failure_domain_id'])) ?? 'default',
        roles: (roles.get(number(row['id'])) ?? [])
          .map((role) => memberRoleName(number(role['role'])))
          .sort(),
        config: config(row['id']),
      }),
    );
  return sortBy(list, (member) => member.name);
}

export function readClusterGroups(tables: Tables, { member }: ObjectNames): ClusterGroup[] {
  const config = configs(tables, 'cluster_groups_config', 'cluster_group_id');
  const members = groupBy(tables.rows('nodes_cluster_groups', ['node_id', 'group_id']), 'group_id');
  const list = tables.rows('cluster_groups', ['id', 'name', 'description']).map(
    (row): ClusterGroup => ({
      name: text(row['name']),
      description: text(row['description']),
      config: config(row['id']),
      members: (members.get(number(row['id'])) ?? []).map((link) => member(link['node_id'])).sort(),
    }),
  );
  return sortBy(list, (group) => group.name);
}
