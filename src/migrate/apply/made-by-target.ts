// Removes what Incus makes inside containers' volumes and leaves there; the pools must be mounted.
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';

/** Incus 7.0.2 makes an empty folder `credentials` in the volume of each container that it starts. */
const madeInVolumes = 'credentials';

/** Only where it is empty. Returns how many were removed. */
export function removeMadeByTarget(host: Host, dataDirectory: string): number {
  const pools = host.path(join(dataDirectory, 'storage-pools'));
  return folders(pools)
    .map((pool) => join(pools, pool, 'containers'))
    .flatMap((containers) => folders(containers).map((name) => join(containers, name, madeInVolumes)))
    .filter((path) => {
      if (
        fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true ||
        fs.readdirSync(path).length > 0
      )
        return false;
      fs.rmdirSync(path);
      return true;
    }).length;
}

function folders(path: string): string[] {
  if (!fs.existsSync(path)) return [];
  return fs
    .readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}
