// A server with very many instances for measurements: made once, kept as a disk image in the cache.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, cacheKey, madeOnce } from '../e2e/machine/cache.ts';
import { type Machine, startMachine } from '../e2e/machine/machine.ts';
import { rootTree } from '../e2e/machine/root-tree.ts';
import { api } from '../e2e/server/api.ts';
import { busyboxImage } from '../e2e/server/image.ts';
import { startIncus, startLxd, stopLxd } from '../e2e/server/populated-machine.ts';
import { setPower } from '../e2e/server/power.ts';
import { createInstances } from '../e2e/server/variants.ts';

/** LXD with `count` stopped, empty containers on a dir pool and c1 running, and an empty Incus beside it. */
export async function startManyMachine(count: number): Promise<Machine> {
  const tree = await rootTree('bookworm');
  const path = join(
    cacheFolder(),
    'disks',
    `many-${count}-${cacheKey(tree.key, readFileSync(import.meta.filename, 'utf8'))}.img`,
  );
  const disk = await madeOnce(path, async (temporary) => {
    const machine = await startMachine({ tree: 'bookworm', name: 'make-many' });
    let kept = false;
    try {
      await startLxd(machine);
      await fill(machine, count);
      await stopLxd(machine);
      await machine.stop({ keepDisk: temporary });
      kept = true;
    } finally {
      if (!kept) await machine.stop();
    }
  });
  const machine = await startMachine({ tree: 'bookworm', name: 'many', disk });
  await startLxd(machine);
  await setPower(machine, 'lxd', [{ project: 'default', instance: 'c1', status: 'Running' }]);
  await startIncus(machine);
  return machine;
}

async function fill(machine: Machine, count: number): Promise<void> {
  const make = (path: string, body: unknown): Promise<unknown> => api(machine, 'lxd', 'POST', path, body);
  await make('/1.0/storage-pools', { name: 'default', driver: 'dir' });
  await make('/1.0/networks', {
    name: 'lxdbr0',
    type: 'bridge',
    config: { 'ipv4.address': '10.77.0.1/24', 'ipv4.nat': 'true', 'ipv6.address': 'none' },
  });
  await api(machine, 'lxd', 'PUT', '/1.0/profiles/default', {
    devices: {
      root: { type: 'disk', path: '/', pool: 'default' },
      eth0: { type: 'nic', name: 'eth0', network: 'lxdbr0' },
    },
  });
  const { fingerprint } = (await api(machine, 'lxd', 'POST', '/1.0/images', undefined, {
    content: await busyboxImage(machine, 'tiny'),
  })) as { fingerprint: string };
  await make('/1.0/instances', { name: 'c1', source: { type: 'image', fingerprint } });
  await createInstances(machine, 'lxd', count);
}
