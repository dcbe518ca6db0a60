// A server with very many instances for measurements: made once, kept as a disk image in the cache.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn } from '../../src/core/in-turn.ts';
import { cacheFolder, cacheKey, madeOnce } from '../e2e/machine/cache.ts';
import { type Machine, startMachine } from '../e2e/machine/machine.ts';
import { rootTree } from '../e2e/machine/root-tree.ts';
import { api } from '../e2e/server/api.ts';
import { busyboxImage } from '../e2e/server/image.ts';
import { startIncus, startLxd, stopLxd } from '../e2e/server/populated-machine.ts';
import { setPower } from '../e2e/server/power.ts';
import { uploadImage } from '../e2e/server/upload-image.ts';
import { createInstances } from '../e2e/server/variants.ts';

export interface ManyOptions {
  /** Stopped, empty containers. */
  readonly stopped: number;
  /** Containers c1, c2, … that run. */
  readonly running: number;
  /** Projects beside `default`, each with profiles of its own. */
  readonly projects: number;
  /** Profiles beside those that every project has. */
  readonly profiles: number;
  /** Of stopped containers, one each. */
  readonly snapshots: number;
}

/** LXD with very many containers on a dir pool, of which some run, and an empty Incus beside it. */
export async function startManyMachine(options: ManyOptions, name = 'many'): Promise<Machine> {
  const tree = await rootTree('bookworm');
  const key = cacheKey(tree.key, readFileSync(import.meta.filename, 'utf8'), JSON.stringify(options));
  const path = join(cacheFolder(), 'disks', `many-${options.stopped}-${key}.img`);
  const disk = await madeOnce(path, async (temporary) => {
    const machine = await startMachine({ tree: 'bookworm', name: 'make-many' });
    let kept = false;
    try {
      await startLxd(machine);
      await fill(machine, options);
      await stopLxd(machine);
      await machine.stop({ keepDisk: temporary });
      kept = true;
    } finally {
      if (!kept) await machine.stop();
    }
  });
  const machine = await startMachine({ tree: 'bookworm', name, disk });
  await startLxd(machine);
  await setPower(
    machine,
    'lxd',
    numbers(options.running).map((number) => ({
      project: 'default',
      instance: `c${number}`,
      status: 'Running',
    })),
  );
  await startIncus(machine);
  return machine;
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

const root = { type: 'disk', path: '/', pool: 'default' };

async function fill(machine: Machine, options: ManyOptions): Promise<void> {
  const make = (path: string, body: unknown, project = 'default'): Promise<unknown> =>
    api(machine, 'lxd', 'POST', path, body, { project });
  await make('/1.0/storage-pools', { name: 'default', driver: 'dir' });
  await make('/1.0/networks', {
    name: 'lxdbr0',
    type: 'bridge',
    config: { 'ipv4.address': '10.77.0.1/24', 'ipv4.nat': 'true', 'ipv6.address': 'none' },
  });
  await api(machine, 'lxd', 'PUT', '/1.0/profiles/default', {
    devices: { root, eth0: { type: 'nic', name: 'eth0', network: 'lxdbr0' } },
  });
  const fingerprint = await uploadImage(machine, await busyboxImage(machine, 'tiny'));
  for (const number of numbers(options.running))
    await make('/1.0/instances', { name: `c${number}`, source: { type: 'image', fingerprint } });
  const projects = numbers(options.projects).map((number) => `p${number}`);
  for (const name of projects) {
    await make('/1.0/projects', {
      name,
      config: { 'features.images': 'true', 'features.profiles': 'true', 'user.owner': `team ${name}` },
    });
    await api(machine, 'lxd', 'PUT', '/1.0/profiles/default', { devices: { root } }, { project: name });
  }
  for (const number of numbers(options.profiles))
    await make('/1.0/profiles', {
      name: `profile${number}`,
      description: `profile ${number}`,
      config: { 'limits.memory': `${number + 100}MiB`, 'user.tag': `tag ${number}` },
    });
  await createInstances(machine, 'lxd', options.stopped, ['default', ...projects]);
  await inTurn(numbers(options.snapshots), 4, async (number) => {
    const { name, project } = nameOfStopped(number, ['default', ...projects]);
    await make(`/1.0/instances/${name}/snapshots`, { name: 'before-upgrade', stateful: false }, project);
  });
}

/** As createInstances spreads them over the projects. */
function nameOfStopped(number: number, projects: readonly string[]): { name: string; project: string } {
  return {
    name: `m${String(number).padStart(5, '0')}`,
    project: projects[(number - 1) % projects.length] ?? 'default',
  };
}
