// Has Incus write every instance's backup.yaml anew, which still is the one of LXD where the instance has not been started.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { inTurn } from '../../core/in-turn.ts';
import { inline } from '../../core/text.ts';
import { apiPath, type DaemonClient, type InstanceName } from '../daemon/client.ts';
import { type Fields, fieldsList, textOf } from '../daemon/fields.ts';

export interface NotRefreshed extends InstanceName {
  /** The daemon's own words, or what was found on disk. */
  readonly error: string;
}

/**
 * `incus admin recover` and the deletion of snapshots read backup.yaml, which holds names of pools, profiles and paths of the
 * time when it was written. Only instances have one: neither daemon writes any for custom volumes and buckets
 * (internal/server/storage/backend.go, UpdateInstanceBackupFile, is the only writer up to 7.3).
 *
 * Each instance is updated without change: of a PATCH the daemon takes what is missing from the instance, apart from the
 * description, which would be emptied (cmd/incusd/instance_patch.go).
 *
 * @returns the instances whose file was not written
 */
export async function refreshBackupFiles(
  host: Host,
  client: DaemonClient,
  dataDirectory: string,
): Promise<NotRefreshed[]> {
  const list = fieldsList(await client.get('/1.0/instances?recursion=1&all-projects=true'), '/1.0/instances');
  const results = await inTurn(list, 4, async (from): Promise<NotRefreshed | undefined> => {
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
