// Pools, volumes and buckets, asked of a daemon.
import { Failure } from '../../../core/failure.ts';
import { inTurn } from '../../../core/in-turn.ts';
import { veil } from '../../../core/secret.ts';
import { apiPath, type DaemonClient } from '../../daemon/client.ts';
import { configOf, type Fields, fieldsList, rawOf, textOf } from '../../daemon/fields.ts';
import type {
  Backup,
  Bucket,
  BucketKey,
  Config,
  Instance,
  InternalVolume,
  Pool,
  Volume,
  VolumeSnapshot,
} from '../../model/inventory.ts';
import { sortVolumes } from '../database/read-storage.ts';
import { instant } from '../instant.ts';
import { sortBy } from '../order.ts';
import { inTime, type NotInTime } from './in-time.ts';
import { lastPart, toBackup } from './objects.ts';
import { askOfProjects, type OfProject } from './of-projects.ts';

/** The volumes of every pool, as they were listed. */
export interface VolumeLists {
  readonly byPool: ReadonlyMap<string, readonly Fields[]>;
  /** Whether the lists hold snapshots (`c1/snap0`) beside the volumes. */
  readonly showSnapshots: boolean;
}

export async function listVolumes(
  client: DaemonClient,
  pools: readonly Pool[],
  extensions: ReadonlySet<string>,
): Promise<VolumeLists> {
  const byPool = new Map<string, readonly Fields[]>();
  for (const { name } of pools)
    byPool.set(
      name,
      await ask(client, ['1.0', 'storage-pools', name, 'volumes'], { 'all-projects': 'true' }),
    );
  // This extension came together with the end of snapshots in the list (Incus 6.0.6 and 6.19).
  return { byPool, showSnapshots: !extensions.has('storage_volume_full') };
}

/** Instances, as JSON of project and name, whose volumes have snapshots; undefined where the lists do not tell. */
export function volumesWithSnapshots({
  byPool,
  showSnapshots,
}: VolumeLists): ReadonlySet<string> | undefined {
  if (!showSnapshots) return undefined;
  const snapshots = [...byPool.values()]
    .flat()
    .filter((from) => isSnapshot(from) && textOf(from, 'type') !== 'custom');
  return new Set(snapshots.map((from) => JSON.stringify([projectOf(from), ownerName(from)])));
}

async function ask(
  client: DaemonClient,
  parts: readonly string[],
  query: Readonly<Record<string, string>> = {},
): Promise<Fields[]> {
  return fieldsList(await client.get(apiPath(parts, { recursion: '1', ...query })), `/${parts.join('/')}`);
}

export function toPool(from: Fields): Pool {
  return {
    name: textOf(from, 'name'),
    driver: textOf(from, 'driver'),
    description: textOf(from, 'description'),
    state: textOf(from, 'status'),
    config: configOf(from, 'config'),
    memberConfig: undefined,
  };
}

/** @param withVolumes projects that have volumes of their own */
export async function askVolumes(
  client: DaemonClient,
  { byPool, showSnapshots }: VolumeLists,
  instances: readonly Instance[],
  withVolumes: readonly string[],
  extensions: ReadonlySet<string>,
  notInTime?: NotInTime,
): Promise<{ readonly volumes: readonly Volume[]; readonly internalVolumes: readonly InternalVolume[] }> {
  const volumes: Volume[] = [];
  const internalVolumes: InternalVolume[] = [];
  const snapshotsOfInstance = new Map(
    instances.map(({ project, name, snapshots }) => [JSON.stringify([project, name]), snapshots]),
  );
  for (const [pool, listed] of byPool) {
    const listedSnapshots = groupSnapshots(listed);
    const owners = listed.filter((item) => !isSnapshot(item));
    await inTurn(owners, 4, async (from) => {
      const name = textOf(from, 'name');
      const type = textOf(from, 'type');
      const snapshots = listedSnapshots.get(volumeId(from, name)) ?? [];
      const common = {
        pool,
        project: projectOf(from),
        name,
        contentType: textOf(from, 'content_type'),
        member: textOf(from, 'location'),
        config: configOf(from, 'config'),
      };
      const of = `${type} volume ${pool}/${common.project}/${name}`;
      const asked = <T>(what: string, question: () => Promise<T>): Promise<T | undefined> =>
        inTime(`${what} of ${of}`, notInTime, question);
      if (type === 'custom') {
        // The list of all projects shows it, and it cannot be asked for: this project shows the volumes of project default.
        if (!withVolumes.includes(common.project)) return;
        volumes.push({
          ...common,
          description: textOf(from, 'description'),
          created: instant(rawOf(from, 'created_at')),
          snapshots: showSnapshots
            ? await snapshotsOfListed({ client, notInTime }, common, snapshots)
            : await asked('snapshots', () => askSnapshots(client, type, common)),
          backups: extensions.has('custom_volume_backup')
            ? await asked('backups', () => askVolumeBackups(client, common))
            : [],
        });
      } else {
        internalVolumes.push({
          ...common,
          type,
          snapshots: showSnapshots
            ? toInternalSnapshots(snapshots)
            : await asked('snapshots', () => askInternalSnapshots(client, type, common, snapshotsOfInstance)),
        });
      }
    });
  }
  return {
    volumes: sortVolumes(volumes),
    internalVolumes: sortBy(sortVolumes(internalVolumes), ({ type }) => type),
  };
}

/**
 * Of each snapshot that is asked for, Incus 6.0.4 searches all snapshots of the server for its name: 20,000 take more than 15
 * minutes, while the list of volumes shows them in 2 s, all but when they expire.
 */
const manySnapshots = 500;

interface Asking {
  readonly client: DaemonClient;
  readonly notInTime: NotInTime | undefined;
}

async function snapshotsOfListed(
  { client, notInTime }: Asking,
  volume: VolumeName,
  listed: readonly Fields[],
): Promise<readonly VolumeSnapshot[]> {
  if (listed.length === 0) return [];
  const expiry = `when the ${listed.length} snapshots of volume ${volume.pool}/${volume.project}/${volume.name} expire`;
  if (listed.length <= manySnapshots) {
    const whole = await inTime(expiry, notInTime, () => askSnapshots(client, 'custom', volume));
    if (whole !== undefined) return whole;
  } else notInTime?.(`${expiry}: not asked, since the time that takes grows with the square of their number`);
  return sortBy(listed.map(toVolumeSnapshot), ({ name }) => name);
}

function toVolumeSnapshot(from: Fields): VolumeSnapshot {
  return {
    name: lastPart(textOf(from, 'name')),
    description: textOf(from, 'description'),
    created: instant(rawOf(from, 'created_at')),
    // Not in the list of volumes.
    expires: rawOf(from, 'expires_at') === undefined ? undefined : instant(rawOf(from, 'expires_at')),
    config: configOf(from, 'config'),
  };
}

function groupSnapshots(listed: readonly Fields[]): ReadonlyMap<string, readonly Fields[]> {
  const groups = new Map<string, Fields[]>();
  for (const from of listed.filter(isSnapshot)) {
    const owner = volumeId(from, ownerName(from));
    const group = groups.get(owner);
    if (group === undefined) groups.set(owner, [from]);
    else group.push(from);
  }
  return groups;
}

function toInternalSnapshots(list: readonly Fields[]): { name: string; config: Config }[] {
  const taken = list.map((from) => ({
    name: lastPart(textOf(from, 'name')),
    config: configOf(from, 'config'),
  }));
  return sortBy(taken, ({ name }) => name);
}

/** Asked only where the instance is known to have snapshots; those of images have none. */
async function askInternalSnapshots(
  client: DaemonClient,
  type: string,
  volume: VolumeName,
  snapshotsOfInstance: ReadonlyMap<string, Instance['snapshots']>,
): Promise<InternalVolume['snapshots']> {
  if (type === 'image') return [];
  const known = snapshotsOfInstance.get(JSON.stringify([volume.project, volume.name]));
  if (known === undefined || known.length === 0) return known;
  const list = await askSnapshots(client, type, volume);
  return list.map(({ name, config }) => ({ name, config }));
}

function isSnapshot(from: Fields): boolean {
  return textOf(from, 'name').includes('/');
}

/** Of the volume that a snapshot belongs to. */
function ownerName(from: Fields): string {
  return textOf(from, 'name').split('/')[0] ?? '';
}

function projectOf(from: Fields): string {
  return textOf(from, 'project') || 'default';
}

function volumeId(from: Fields, name: string): string {
  return JSON.stringify([textOf(from, 'type'), textOf(from, 'project'), name, textOf(from, 'location')]);
}

type VolumeName = Pick<Volume, 'pool' | 'project' | 'name' | 'member'>;

/** Volumes of the same name may stand on several members of a cluster. */
function volumeQuery({ project, member }: VolumeName): Record<string, string> {
  return member === 'none' || member === '' ? { project } : { project, target: member };
}

async function askSnapshots(
  client: DaemonClient,
  type: string,
  volume: VolumeName,
): Promise<VolumeSnapshot[]> {
  const parts = ['1.0', 'storage-pools', volume.pool, 'volumes', type, volume.name, 'snapshots'];
  const list = await ask(client, parts, volumeQuery(volume));
  return sortBy(
    list.map((from) => ({ ...toVolumeSnapshot(from), expires: instant(rawOf(from, 'expires_at')) })),
    ({ name }) => name,
  );
}

async function askVolumeBackups(client: DaemonClient, volume: VolumeName): Promise<Backup[]> {
  const parts = ['1.0', 'storage-pools', volume.pool, 'volumes', 'custom', volume.name, 'backups'];
  const list = await ask(client, parts, volumeQuery(volume));
  return sortBy(
    list.map((from) => toBackup(from, 'volume_only')),
    ({ name }) => name,
  );
}

export async function askBuckets(
  client: DaemonClient,
  pools: readonly Pool[],
  { names, withBuckets }: { readonly names: readonly string[]; readonly withBuckets: readonly string[] },
  extensions: ReadonlySet<string>,
): Promise<Bucket[]> {
  const buckets = new Map<string, Bucket>();
  for (const { name: pool } of pools) {
    const list = {
      path: ['storage-pools', pool, 'buckets'],
      extension: 'storage_buckets_all_projects',
      owners: withBuckets,
      askedOneByOne: names,
    };
    for (const { from, project } of await possibleBuckets(() => askOfProjects(client, list, extensions))) {
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
  return sortVolumes([...buckets.values()]);
}

/** Which drivers have buckets differs from version to version; to be asked of another one, a daemon refuses. */
async function possibleBuckets(ask: () => Promise<readonly OfProject[]>): Promise<readonly OfProject[]> {
  try {
    return await ask();
  } catch (error) {
    // cmd/incusd/storage_buckets.go and lxd/storage_buckets.go
    const isNone =
      error instanceof Failure && /: Storage pool driver ".*" does not support buckets$/m.test(error.message);
    if (isNone) return [];
    throw error;
  }
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
