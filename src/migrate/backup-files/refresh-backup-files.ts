// Has every instance's backup.yaml written anew, which still is the one of LXD where the instance has not been started.
import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { removeTemporaries } from '../../core/durable.ts';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { inTurn } from '../../core/in-turn.ts';
import { inline } from '../../core/text.ts';
import { allInstances, apiPath, type DaemonClient, type InstanceName } from '../daemon/client.ts';
import { type Fields, fieldsList, textOf } from '../daemon/fields.ts';
import { backupContent, isContentOf, isStillRight } from './backup-file.ts';
import { type BackupOf, backupSources } from './backup-sources.ts';
import { dropBackupFiles, type MadeBackup, makeBackupFiles, placeBackupFiles } from './write-backup-files.ts';

export interface NotRefreshed extends InstanceName {
  /** The daemon's own words, or what was found on disk. */
  readonly error: string;
}

/** Fewer are not worth the questions that it takes to write them without the daemon. */
const manyInstances = 20;
/** Of each kind, the daemon writes so many, with which what is written without it is compared. */
const samples = 3;

/**
 * `incus admin recover` and the deletion of snapshots read backup.yaml, which holds names of pools, profiles and paths of the
 * time when it was written. Only instances have one: neither daemon writes any for custom volumes and buckets
 * (internal/server/storage/backend.go, UpdateInstanceBackupFile, is the only writer up to 7.3).
 *
 * Each instance is updated without change: of a PATCH the daemon takes what is missing from the instance, apart from the
 * description, which would be emptied (cmd/incusd/instance_patch.go). That takes Incus 6.0.4 25 ms an instance, one after
 * the other, most of it for rows that stay as they are. So where there are many, it writes some of each pool and kind; if
 * these hold what its API says, the files of the others are written from what its API says of them.
 *
 * @returns the instances whose file was not written
 */
export async function refreshBackupFiles(
  host: Host,
  client: DaemonClient,
  dataDirectory: string,
): Promise<NotRefreshed[]> {
  const listing = client.get(allInstances).then((answer) => fieldsList(answer, '/1.0/instances'));
  const update = (instances: readonly Fields[]): Promise<NotRefreshed[]> =>
    updateAll(host, client, dataDirectory, instances);
  const finding = backupSources(host, client, dataDirectory, listing);
  finding.catch(() => {});
  const list = await listing;
  if (list.length < manyInstances) return update(list);

  const { withoutSnapshots, withSnapshots } = await finding;
  // The first are made while the daemon is asked for the snapshots of the others.
  const rounds = await Promise.all(
    [Promise.resolve(withoutSnapshots), withSnapshots].map(async (sources) =>
      makeAsTheDaemon(host, await sources, update),
    ),
  );
  const settled = new Set(rounds.flatMap(({ settled: some }) => some));
  const [written, others] = await Promise.all([
    placeBackupFiles(
      host,
      rounds.flatMap(({ made }) => made),
    ),
    update(list.filter((instance) => !settled.has(instance))),
  ]);
  const left = rounds.flatMap(({ ours }) => ours).filter((one) => !written.has(one));
  return [
    ...rounds.flatMap(({ failed }) => failed),
    ...others,
    ...(await update(left.map(({ instance }) => instance))),
  ];
}

interface Round {
  /** Instances whose file is right, or is written by the daemon or by us. */
  readonly settled: readonly Fields[];
  readonly ours: readonly BackupOf[];
  /** Of ours, what can take the place of the former file. */
  readonly made: readonly MadeBackup[];
  readonly failed: readonly NotRefreshed[];
}

/** Has the daemon write some of each kind, and makes the others as it has written those. */
async function makeAsTheDaemon(
  host: Host,
  found: readonly BackupOf[],
  update: (instances: readonly Fields[]) => Promise<NotRefreshed[]>,
): Promise<Round> {
  const sources = found.filter((one) => isInPlace(host, one));
  // Incus has just written those of the instances that it has started.
  const current = sources.filter(
    (one) => isRunning(one) && isStillRight(textOfFile(host, one), backupContent(one)),
  );
  const kinds = groupByKind(sources.filter((one) => !isRunning(one)));
  const ours = kinds.flatMap((kind) => kind.slice(samples));
  const theirs = kinds.flatMap((kind) => kind.slice(0, samples));
  const [failed, made] = await Promise.all([
    update(theirs.map(({ instance }) => instance)),
    makeBackupFiles(host, ours),
  ]);
  const proven = new Set(
    kinds
      .filter((kind) =>
        kind.slice(0, samples).every((one) => isContentOf(textOfFile(host, one), backupContent(one))),
      )
      .flat(),
  );
  dropBackupFiles(made.filter(({ source }) => !proven.has(source)));
  return {
    settled: [...current, ...ours, ...theirs].map(({ instance }) => instance),
    ours,
    made: made.filter(({ source }) => proven.has(source)),
    failed,
  };
}

function isRunning({ instance }: BackupOf): boolean {
  return textOf(instance, 'status') !== 'Stopped';
}

function groupByKind(sources: readonly BackupOf[]): BackupOf[][] {
  const kinds = new Map<string, BackupOf[]>();
  for (const source of sources) {
    const kind = kinds.get(source.kind);
    if (kind === undefined) kinds.set(source.kind, [source]);
    else kind.push(source);
  }
  return [...kinds.values()];
}

/** Whether the file lies where the daemon would write it; a volume that is mounted only while its instance runs shows none. */
function isInPlace(host: Host, { file: { path, link } }: BackupOf): boolean {
  try {
    const isFile = lstatSync(host.path(path)).isFile();
    return isFile && realpathSync(host.path(link)) === realpathSync(dirname(host.path(path)));
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}

/** Bytes: far more than such a file has, with some snapshots. */
const largest = 4 * 1024 * 1024;

function textOfFile(host: Host, { file }: BackupOf): string {
  try {
    const path = host.path(file.path);
    return statSync(path).size > largest ? '' : readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return '';
  }
}

async function updateAll(
  host: Host,
  client: DaemonClient,
  dataDirectory: string,
  instances: readonly Fields[],
): Promise<NotRefreshed[]> {
  const results = await inTurn(instances, 4, async (from): Promise<NotRefreshed | undefined> => {
    const instance = { project: textOf(from, 'project') || 'default', name: textOf(from, 'name') };
    const error = await refresh(host, client, from, instance, dataDirectory);
    return error === undefined ? undefined : { ...instance, error };
  });
  return results.filter((result) => result !== undefined);
}

async function refresh(
  host: Host,
  client: DaemonClient,
  from: Fields,
  instance: InstanceName,
  dataDirectory: string,
): Promise<string | undefined> {
  const folder = instanceFolder(from, instance, dataDirectory);
  const before = modified(host, join(folder, 'backup.yaml'));
  // What an earlier run left that was killed while it wrote the file itself.
  if (modified(host, folder) !== undefined) removeTemporaries(host.path(folder), 'backup.yaml');
  try {
    const path = apiPath(['1.0', 'instances', instance.name], { project: instance.project });
    await client.change(path, 'PATCH', { description: textOf(from, 'description') });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return inline(error.message);
  }
  // The other members of a cluster have their own files.
  if (!['', 'none'].includes(textOf(from, 'location'))) return undefined;
  // The daemon says nothing where the file's folder does not exist (driver_lxc.go, Update).
  if (modified(host, folder) === undefined) return `${folder} leads to nothing`;
  const after = modified(host, join(folder, 'backup.yaml'));
  // A volume that is mounted only while its instance runs shows no file: then the daemon's word counts.
  return after !== undefined && after === before ? `${folder}/backup.yaml was not written` : undefined;
}

function instanceFolder(from: Fields, { project, name }: InstanceName, dataDirectory: string): string {
  const kind = textOf(from, 'type') === 'virtual-machine' ? 'virtual-machines' : 'containers';
  return join(dataDirectory, kind, project === 'default' ? name : `${project}_${name}`);
}

/** Nanoseconds; links are followed. undefined where there is nothing. */
function modified(host: Host, path: string): bigint | undefined {
  try {
    return statSync(host.path(path), { bigint: true }).mtimeNs;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
