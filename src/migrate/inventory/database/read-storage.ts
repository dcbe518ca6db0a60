// Pools, volumes and buckets, from the tables of the database.
import { veil } from '../../../core/secret.ts';
import { contentTypeName, volumeTypeName } from '../../catalogue/codes.ts';
import type {
  Bucket,
  BucketKey,
  InternalVolume,
  Pool,
  Volume,
  VolumeSnapshot,
} from '../../model/inventory.ts';
import { instant } from '../instant.ts';
import { sortBy } from '../order.ts';
import { readBackups } from './read-instances.ts';
import { readMemberConfig, readStates } from './read-members.ts';
import type { ObjectNames } from './read-names.ts';
import { configs, groupBy, number, type Row, type Tables, text } from './rows.ts';

export function readPools(tables: Tables, objects: ObjectNames): Pool[] {
  const config = readMemberConfig(tables, 'storage_pools_config', 'storage_pool_id', objects);
  const state = readStates(tables, 'storage_pools_nodes', 'storage_pool_id', objects);
  const list = tables.rows('storage_pools', ['id', 'name', 'driver', 'description', 'state']).map(
    (row): Pool => ({
      name: text(row['name']),
      driver: text(row['driver']),
      description: text(row['description']),
      state: state(row),
      ...config(row['id']),
    }),
  );
  return sortBy(list, (pool) => pool.name);
}

export function readVolumes(
  tables: Tables,
  objects: ObjectNames,
): { volumes: Volume[]; internalVolumes: InternalVolume[] } {
  const config = configs(tables, 'storage_volumes_config', 'storage_volume_id');
  const snapshots = readVolumeSnapshots(tables);
  const backups = readBackups(tables, 'storage_volumes_backups', 'storage_volume_id', 'volume_only');
  const isShown = objects.showsOwn('features.storage.volumes');
  const volumes: Volume[] = [];
  const internalVolumes: InternalVolume[] = [];
  const columns = [
    'id',
    'name',
    'storage_pool_id',
    'node_id',
    'type',
    'description',
    'project_id',
    'content_type',
    'creation_date',
  ];
  for (const row of tables.rows('storage_volumes', columns)) {
    const type = volumeTypeName(number(row['type']));
    const common = {
      pool: objects.pool(row['storage_pool_id']),
      project: objects.project(row['project_id']),
      name: text(row['name']),
      contentType: contentTypeOf(row, type),
      member: objects.member(row['node_id']),
      config: config(row['id']),
    };
    const taken = snapshots(row['id']);
    if (type === 'custom') {
      if (!isShown(row['project_id'])) continue;
      volumes.push({
        ...common,
        description: text(row['description']),
        created: instant(row['creation_date']),
        snapshots: taken,
        backups: backups(row['id']),
      });
    } else {
      internalVolumes.push({
        ...common,
        type,
        snapshots: taken.map(({ name, config: own }) => ({ name, config: own })),
      });
    }
  }
  return {
    volumes: sortVolumes(volumes),
    internalVolumes: sortBy(sortVolumes(internalVolumes), (v) => v.type),
  };
}

/** Before the table said it (schema 31 added the column), all volumes of virtual machines were blocks and all others files. */
function contentTypeOf(row: Row, type: string): string {
  const code = row['content_type'];
  return code === undefined
    ? type === 'virtual-machine'
      ? 'block'
      : 'filesystem'
    : contentTypeName(number(code));
}

export function sortVolumes<T extends Pick<Volume, 'pool' | 'project' | 'name' | 'member'>>(
  list: readonly T[],
): T[] {
  return sortBy(
    list,
    (volume) => volume.project,
    (volume) => volume.pool,
    (volume) => volume.name,
    (volume) => volume.member,
  );
}

function readVolumeSnapshots(tables: Tables): (volume: unknown) => VolumeSnapshot[] {
  const config = configs(tables, 'storage_volumes_snapshots_config', 'storage_volume_snapshot_id');
  const groups = groupBy(
    tables.rows('storage_volumes_snapshots', [
      'id',
      'storage_volume_id',
      'name',
      'description',
      'expiry_date',
      'creation_date',
    ]),
    'storage_volume_id',
  );
  const toSnapshot = (row: Row): VolumeSnapshot => ({
    name: text(row['name']),
    description: text(row['description']),
    created: instant(row['creation_date']),
    expires: instant(row['expiry_date']),
    config: config(row['id']),
  });
  return (volume) => sortBy((groups.get(number(volume)) ?? []).map(toSnapshot), (snapshot) => snapshot.name);
}

export function readBuckets(tables: Tables, objects: ObjectNames): Bucket[] {
  const config = configs(tables, 'storage_buckets_config', 'storage_bucket_id');
  const keys = groupBy(
    tables.rows('storage_buckets_keys', [
      'storage_bucket_id',
      'name',
      'description',
      'access_key',
      'secret_key',
      'role',
    ]),
    'storage_bucket_id',
  );
  const isShown = objects.showsOwn('features.storage.buckets');
  const toKey = (row: Row): BucketKey => ({
    name: text(row['name']),
    description: text(row['description']),
    role: text(row['role']),
    accessKey: veil(text(row['access_key'])),
    secretKey: veil(text(row['secret_key'])),
  });
  const list = tables
    .rows('storage_buckets', ['id', 'name', 'storage_pool_id', 'node_id', 'description', 'project_id'])
    .filter((row) => isShown(row['project_id']))
    .map(
      (row): Bucket => ({
        pool: objects.pool(row['storage_pool_id']),
        project: objects.project(row['project_id']),
        name: text(row['name']),
        member: objects.member(row['node_id']),
        description: text(row['description']),
        config: config(row['id']),
        keys: sortBy((keys.get(number(row['id'])) ?? []).map(toKey), (key) => key.name),
      }),
    );
  return sortVolumes(list);
}
