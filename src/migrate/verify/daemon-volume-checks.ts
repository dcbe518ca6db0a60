// Whether the volumes on which the server keeps its own images and backups are where it looks for them.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import type { Config } from '../model/inventory.ts';
import type { Check } from '../model/verification.ts';

const volumes = [
  { key: 'storage.images_volume', folder: 'images' },
  { key: 'storage.backups_volume', folder: 'backups' },
] as const;

/** Both daemons put a link in the place of the folder (daemon_storage.go, daemonStorageMount). */
export function daemonVolumeChecks(host: Host, dataDirectory: string, config: Config): Check[] {
  return volumes.flatMap(({ key, folder }): Check[] => {
    const [pool, name] = (config[key] ?? '').split('/');
    if (pool === undefined || pool === '' || name === undefined) return [];
    const link = join(dataDirectory, folder);
    const wanted = join(dataDirectory, 'storage-pools', pool, 'custom', `default_${name}`);
    const problem = whatIsWrong(host, link, wanted);
    return [
      {
        id: 'daemon-volume',
        object: `${key} ${pool}/${name}`,
        what: `${link} leads to it`,
        ok: problem === undefined,
        ...(problem === undefined ? {} : { detail: problem }),
      },
    ];
  });
}

function whatIsWrong(host: Host, link: string, wanted: string): string | undefined {
  try {
    const target = fs.readlinkSync(host.path(link));
    if (target !== wanted) return `it leads to ${target}`;
    // Followed as far as this machine has it: a volume that is not mounted is an empty folder, or none.
    return fs.statSync(host.path(wanted)).isDirectory() ? undefined : `${wanted} is no folder`;
  } catch (error) {
    switch (systemErrorCode(error)) {
      case 'EINVAL':
        return 'it is a folder of its own, and not a link';
      case 'ENOENT':
      case 'ENOTDIR':
        return 'it leads to nothing';
      default:
        throw error;
    }
  }
}
