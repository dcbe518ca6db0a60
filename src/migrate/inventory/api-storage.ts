// Pools, volumes and buckets, asked of a daemon.
import { veil } from '../../core/secret.ts';
import { apiPath, type DaemonClient } from '../daemon/client.ts';
import { configOf, type Fields, fieldsList, rawOf, textOf } from '../daemon/fields.ts';
import { lastPart, toBackup } from './api-objects.ts';
import { instant } from './instant.ts';
import type { Backup, Bucket, BucketKey, InternalVolume, Pool, Volume, VolumeSnapshot } from './inventory.ts';
import { sortBy } from './order.ts';
import { sortVolumes } from './read-storage.ts';

export interface Storage {
  readonly pools: readonly Pool[];
  readonly volumes: readonly Volume[];
  readonly internalVolumes: readonly InternalVolume[];
  readonly buckets: readonly Bucket[];
}

export async function askStorage(
  client: DaemonClient,
  projects: readonly string[],
  extensions: ReadonlySet<string>,
): Promise<Storage> {
  const pools = (await ask(client, ['1.0', 'storage-pools'])).map(toPool);
  const volumes: Volume[] = [];
  const internalVolumes: InternalVolume[] = [];
  const buckets: Bucket[] = [];
  for (const pool of pools) {
    const found = await askVolumes(client, pool.name, extensions);
    volumes.push(...found.volumes);
    internalVolumes.push(...found.internalVolumes);
    if (extensions.has('storage_buckets') && bucketDrivers.has(pool.driver))
      buckets.push(...(await askBuckets(client, pool.name, projects)));
  }
  return {
    pools: sortBy(pools, ({ name }) => name),
    volumes: sortVolumes(volumes),
    internalVolumes: sortBy(sortVolumes(internalVolumes), ({ type }) => type),
    buckets: sortVolumes(buckets),
  };
}

/** Drivers that say they have buckets (storage/drivers, Info.Buckets); the others refuse to be asked. */
const bucketDrivers: ReadonlySet<string> = new Set(['dir', 'btrfs', 'lvm', 'zfs', 'cephobject']);

async function ask(
  client: DaemonClient,
  parts: readonly string[],
  query: Readonly<Record<string, string>> = {},
): Promise<Fields[]> {
  return fieldsList(await client.get(apiPath(parts, { recursion: '1', ...query })), `/${parts.join('/')}`);
}

function toPool(from: Fields): Pool {
  return {
    name: textOf(from, 'name'),
    driver: textOf(from, 'driver'),
    description: textOf(from, 'description'),
    state: textOf(from, 'status'),
    config: configOf(from, 'config'),
    memberConfig: undefined,
  };
}

/** One list holds the volumes of all projects and their snapshots (`c1/snap0`). */
async function askVolumes(
  client: DaemonClient,
  pool: string,
  extensions: ReadonlySet<string>,
): Promise<Pick<Storage, 'volumes' | 'internalVolumes'>> {
  const listed = await ask(client, ['1.0', 'storage-pools', pool, 'volumes'], { 'all-projects': 'true' });
  const snapshotsOf = new Map<string, Fields[]>();
  for (const from of listed.filter(isSnapshot)) {
    const owner = volumeId(from, textOf(from, 'name').split('/')[0] ?? '');
    snapshotsOf.set(owner, [...(snapshotsOf.get(owner) ?? []), from]);
  }
  const volumes: Volume[] = [];
  const internalVolumes: InternalVolume[] = [];
  for (const from of listed.filter((item) => !isSnapshot(item))) {
    const name = textOf(from, 'name');
    const type = textOf(from, 'type');
    const snapshots = snapshotsOf.get(volumeId(from, name)) ?? [];
    const common = {
      pool,
      project: textOf(from, 'project') || 'default',
      name,
      contentType: textOf(from, 'content_type'),
      member: textOf(from, 'location'),
      config: configOf(from, 'config'),
    };
    if (type === 'custom') {
      volumes.push({
        ...common,
        description: textOf(from, 'description'),
        created: instant(rawOf(from, 'created_at')),
        snapshots: snapshots.length === 0 ? [] : await askVolumeSnapshots(client, common),
        backups: extensions.has('custom_volume_backup') ? await askVolumeBackups(client, common) : [],
      });
    } else {
      const taken = snapshots.map((item) => ({
        name: lastPart(textOf(item, 'name')),
        config: configOf(item, 'config'),
      }));
      internalVolumes.push({ ...common, type, snapshots: sortBy(taken, (snapshot) => snapshot.name) });
    }
  }
  return { volumes, internalVolumes };
}

function isSnapshot(from: Fields): boolean {
  return textOf(from, 'name').includes('/');
}

function volumeId(from: Fields, name: string): string {
  return JSON.stringify([textOf(from, 'type'), textOf(from, 'project'), name, textOf(from, 'location')]);
}

type VolumeName = Pick<Volume, 'pool' | 'project' | 'name' | 'member'>;

/** Volumes of the same name may stand on several members of a cluster. */
function volumeQuery({ project, member }: VolumeName): Record<string, string> {
  return member === 'none' || member === '' ? { project } : { project, target: member };
}

async function askVolumeSnapshots(client: DaemonClient, volume: VolumeName): Promise<VolumeSnapshot[]> {
  const parts = ['1.0', 'storage-pools', volume.pool, 'volumes', 'custom', volume.name, 'snapshots'];
  const list = (await ask(client, parts, volumeQuery(volume))).map(
    (from): VolumeSnapshot => ({
      name: lastPart(textOf(from, 'name')),
      description: textOf(from, 'description'),
      created: instant(rawOf(from, 'created_at')),
      expires: instant(rawOf(from, 'expires_at')),
      config: configOf(from, 'config'),
    }),
  );
  return sortBy(list, ({ name }) => name);
}

async function askVolumeBackups(client: DaemonClient, volume: VolumeName): Promise<Backup[]> {
  const parts = ['1.0', 'storage-pools', volume.pool, 'volumes', 'custom', volume.name, 'backups'];
  const list = await ask(client, parts, volumeQuery(volume));
  return sortBy(
    list.map((from) => toBackup(from, 'volume_only')),
    ({ name }) => name,
  );
}

async function askBuckets(
  client: DaemonClient,
  pool: string,
  projects: readonly string[],
): Promise<Bucket[]> {
  const buckets = new Map<string, Bucket>();
  for (const project of projects) {
    for (const from of await ask(client, ['1.0', 'storage-pools', pool, 'buckets'], { project })) {
      const name = textOf(from, 'name');
      const member = textOf(from, 'location');
      // A project without buckets of its own shows those of project default. Their names are unique on a member.
      const id = JSON.stringify([member, name]);
      if (buckets.has(id)) continue;
      buckets.set(id, {
        pool,
        project: textOf(from, 'project') || project,
        name,
        member,
        description: textOf(from, 'description'),
        config: configOf(from, 'config'),
        keys: await askBucketKeys(client, { pool, project, name, member }),
      });
    }
  }
  return [...buckets.values()];
}

async function askBucketKeys(client: DaemonClient, bucket: VolumeName): Promise<BucketKey[]> {
  const parts = ['1.0', 'storage-pools', bucket.pool, 'buckets', bucket.name, 'keys'];
  const list = (await ask(client, parts, volumeQuery(bucket))).map(
    (from): BucketKey => ({
      name: textOf(from, 'name'),
      description: textOf(from, 'description'),
      role: textOf(from, 'role'),
      accessKey: veil(textOf(from, 'access-key')),
      secretKey: veil(textOf(from, 'secret-key')),
    }),
  );
  return sortBy(list, ({ name }) => name);
}
