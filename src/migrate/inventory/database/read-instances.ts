// Instances, their snapshots and backups, from the tables of the database.

import { architectureName, instanceTypeName } from '../../catalogue/codes.ts';
import type { Backup, Instance, InstanceSnapshot } from '../../model/inventory.ts';
import { instant } from '../instant.ts';
import { sortBy } from '../order.ts';
import type { ObjectNames } from './read-names.ts';
import { configs, devices, flag, groupBy, names, number, type Row, type Tables, text } from './rows.ts';

export function readInstances(tables: Tables, { project, member }: ObjectNames): Instance[] {
  const config = configs(tables, 'instances_config', 'instance_id');
  const deviceSet = devices(tables, 'instances_devices', 'instance_id');
  const profiles = readProfileOrder(tables);
  const snapshots = readSnapshots(tables);
  const backups = readBackups(tables, 'instances_backups', 'instance_id', 'container_only');
  const list = tables
    .rows('instances', [
      'id',
      'node_id',
      'name',
      'architecture',
      'type',
      'ephemeral',
      'creation_date',
      'stateful',
      'last_use_date',
      'description',
      'project_id',
      'expiry_date',
    ])
    .map(
      (row): Instance => ({
        project: project(row['project_id']),
        name: text(row['name']),
        type: instanceTypeName(number(row['type'])),
        architecture: architectureName(number(row['architecture'])),
        member: member(row['node_id']),
        description: text(row['description']),
        ephemeral: flag(row['ephemeral']),
        stateful: flag(row['stateful']),
        created: instant(row['creation_date']),
        lastUsed: instant(row['last_use_date']),
        expires: instant(row['expiry_date']),
        config: config(row['id']),
        devices: deviceSet(row['id']),
        profiles: profiles.get(number(row['id'])) ?? [],
        snapshots: snapshots(row['id']),
        backups: backups(row['id']),
        status: undefined,
      }),
    );
  return sortBy(
    list,
    (item) => item.project,
    (item) => item.name,
  );
}

function readProfileOrder(tables: Tables): Map<number, string[]> {
  const name = names(tables, 'profiles');
  const rows = tables
    .rows('instances_profiles', ['instance_id', 'profile_id', 'apply_order', 'id'])
    .toSorted(
      (a, b) => number(a['apply_order']) - number(b['apply_order']) || number(a['id']) - number(b['id']),
    );
  return new Map(
    [...groupBy(rows, 'instance_id')].map(([instance, list]) => [
      instance,
      list.map((row) => name.get(number(row['profile_id'])) ?? `#${number(row['profile_id'])}`),
    ]),
  );
}

function readSnapshots(tables: Tables): (instance: unknown) => InstanceSnapshot[] {
  const config = configs(tables, 'instances_snapshots_config', 'instance_snapshot_id');
  const deviceSet = devices(tables, 'instances_snapshots_devices', 'instance_snapshot_id');
  const groups = groupBy(
    tables.rows('instances_snapshots', [
      'id',
      'instance_id',
      'name',
      'creation_date',
      'stateful',
      'description',
      'expiry_date',
    ]),
    'instance_id',
  );
  const toSnapshot = (row: Row): InstanceSnapshot => ({
    name: text(row['name']),
    description: text(row['description']),
    created: instant(row['creation_date']),
    expires: instant(row['expiry_date']),
    stateful: flag(row['stateful']),
    config: config(row['id']),
    devices: deviceSet(row['id']),
  });
  return (instance) =>
    sortBy((groups.get(number(instance)) ?? []).map(toSnapshot), (snapshot) => snapshot.name);
}

/** Backups of instances or of volumes. Their names hold the owner's (`c1/backup0`), which is left out as the API does. */
export function readBackups(
  tables: Tables,
  table: string,
  owner: string,
  withoutSnapshots: string,
): (id: unknown) => Backup[] {
  const groups = groupBy(
    tables.rows(table, [
      owner,
      'name',
      'creation_date',
      'expiry_date',
      withoutSnapshots,
      'optimized_storage',
    ]),
    owner,
  );
  const toBackup = (row: Row): Backup => ({
    name: text(row['name']).replace(/^[^/]*\//, ''),
    created: instant(row['creation_date']),
    expires: instant(row['expiry_date']),
    withoutSnapshots: flag(row[withoutSnapshots]),
    optimized: flag(row['optimized_storage']),
  });
  return (id) => sortBy((groups.get(number(id)) ?? []).map(toBackup), (backup) => backup.name);
}
