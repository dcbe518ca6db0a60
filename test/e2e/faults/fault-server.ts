// A small server that faults are tried on: few containers, yet pools, networks, loops and mounts of each kind; from a disk that is made once.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, cacheKey, madeOnce } from '../machine/cache.ts';
import { type Machine, startMachine } from '../machine/machine.ts';
import { type RootTreeName, rootTree } from '../machine/root-tree.ts';
import { packedTool } from '../packed-tool.ts';
import { api } from '../server/api.ts';
import { busyboxImage } from '../server/image.ts';
import { startIncus, startLxd, stopIncus, stopLxd } from '../server/populated-machine.ts';
import { type PowerState, setPower } from '../server/power.ts';
import { installTool } from '../server/tool.ts';
import { uploadImage } from '../server/upload-image.ts';
import { ownDisk, removeAbandonedDisks } from './abandoned-disks.ts';
import { installFakeClock } from './fake-clock.ts';

/** Its instances: what runs is not what either daemon would start by itself. */
export const faultPower: readonly PowerState[] = [
  { project: 'default', instance: 'bridged', status: 'Running' },
  { project: 'default', instance: 'on-btrfs', status: 'Running' },
  { project: 'default', instance: 'resting', status: 'Stopped' },
];

/** What the directories of LXD, Incus and the tool are on. */
export type DataFileSystem = 'ext4' | 'btrfs';

/** A btrfs in a file of the machine's disk takes the place of /var/lib. */
const dataImage = '/var/data.img';

/** Stopped, with the tool and the tracer on it; the caller removes it. */
export async function makeFaultDisk(tree: RootTreeName, fileSystem: DataFileSystem): Promise<string> {
  const machine = await startMachine({ tree, disk: await populatedDisk(tree), name: 'fault-disk' });
  removeAbandonedDisks(cacheFolder());
  const path = ownDisk(cacheFolder());
  try {
    if (fileSystem === 'btrfs')
      await machine.exec(
        [
          'sh',
          '-ec',
          `truncate --size 1G "$1"; mkfs.btrfs --quiet "$1"; mount -o loop "$1" /mnt
           cp --archive /var/lib/. /mnt/; umount /mnt`,
          'sh',
          dataImage,
        ],
        { timeoutMs: 120_000 },
      );
    await installTool(machine, await packedTool());
    machine.copyIn(join(import.meta.dirname, 'at-call.pl'), '/opt/at-call.pl', 0o755);
    installFakeClock(machine);
  } catch (error) {
    await machine.stop();
    throw error;
  }
  await machine.stop({ keepDisk: path });
  return path;
}

export function removeFaultDisk(path: string): void {
  rmSync(path, { force: true });
}

/** LXD runs, and of its instances those of `faultPower`; an empty Incus runs beside it. */
export async function startFaultServer(tree: RootTreeName, disk: string, name: string): Promise<Machine> {
  const machine = await startMachine({ tree, disk, name });
  try {
    await mountData(machine);
    await Promise.all([
      startLxd(machine).then(() => setPower(machine, 'lxd', faultPower)),
      startIncus(machine),
    ]);
    return machine;
  } catch (error) {
    await machine.stop();
    throw error;
  }
}

/** An idle Incus starts with the first who asks it, through its socket; the tests do. */
const atBoot = [
  ['lxd-containers.service', 'lxd-containers.service'],
  ['incus.socket', 'incus.service'],
] as const;

/** As systemd does at boot; a daemon that does not come up is for the test to find. */
export async function bootFaultServer(tree: RootTreeName, disk: string, name: string): Promise<Machine> {
  const machine = await startMachine({ tree, disk, name });
  try {
    await mountData(machine);
    const script = `[ "$(systemctl is-enabled "$1")" != enabled ] || systemctl start "$2"`;
    for (const [enabled, unit] of atBoot)
      await machine.exec(['sh', '-c', script, 'sh', enabled, unit], {
        accept: 'any',
        timeoutMs: 120_000,
      });
    return machine;
  } catch (error) {
    await machine.stop();
    throw error;
  }
}

async function mountData(machine: Machine): Promise<void> {
  if (!existsSync(machine.rootPath(dataImage))) return;
  await machine.exec(['mount', '-o', 'loop', dataImage, '/var/lib']);
}

async function populatedDisk(treeName: RootTreeName): Promise<string> {
  const tree = await rootTree(treeName);
  const sources = [
    readFileSync(import.meta.filename, 'utf8'),
    ...readdirSync(join(dirname(import.meta.dirname), 'machine'))
      .sort()
      .map((name) => readFileSync(join(dirname(import.meta.dirname), 'machine', name), 'utf8')),
  ];
  const path = join(cacheFolder(), 'disks', `faults-${tree.name}-${cacheKey(tree.key, ...sources)}.img`);
  return madeOnce(path, async (temporary) => {
    const machine = await startMachine({ tree: treeName, name: 'fault-fill' });
    let kept = false;
    try {
      // Both, so that what a daemon makes at its very first start is the same in each machine.
      await Promise.all([startLxd(machine).then(() => fill(machine)), startIncus(machine)]);
      // The first start of a container gives its files their owners: that is over before anything is tried.
      for (const { instance } of faultPower)
        await setPower(machine, 'lxd', [{ project: 'default', instance, status: 'Running' }]);
      await Promise.all([stopLxd(machine), stopIncus(machine)]);
      await machine.stop({ keepDisk: temporary });
      kept = true;
    } finally {
      if (!kept) await machine.stop();
    }
  });
}

async function fill(machine: Machine): Promise<void> {
  const make = (path: string, body: unknown): Promise<unknown> => api(machine, 'lxd', 'POST', path, body);
  await make('/1.0/storage-pools', { name: 'plain', driver: 'dir' });
  // The smallest that mkfs.btrfs makes; on a loop device.
  await make('/1.0/storage-pools', { name: 'looped', driver: 'btrfs', config: { size: '128MiB' } });
  await make('/1.0/networks', {
    name: 'br-faults',
    config: { 'ipv4.address': '10.77.0.1/24', 'ipv4.nat': 'true', 'ipv6.address': 'none' },
  });
  await api(machine, 'lxd', 'PUT', '/1.0/profiles/default', {
    devices: {
      root: { type: 'disk', path: '/', pool: 'plain' },
      eth0: { type: 'nic', network: 'br-faults', name: 'eth0' },
    },
  });
  await make('/1.0/profiles', { name: 'extra', config: { 'user.extra': 'yes' } });
  await make('/1.0/storage-pools/plain/volumes/custom', { name: 'data' });
  const fingerprint = await uploadImage(machine, await busyboxImage(machine, 'tiny'));
  await make('/1.0/images/aliases', { name: 'tiny', target: fingerprint });
  const add = (name: string, more: Readonly<Record<string, unknown>>): Promise<unknown> =>
    make('/1.0/instances', { name, ...more, source: { type: 'image', fingerprint } });
  await add('bridged', {
    config: { 'boot.autostart': 'false', 'user.note': "it's ⟨here⟩" },
    profiles: ['default', 'extra'],
    devices: { data: { type: 'disk', pool: 'plain', source: 'data', path: '/data' } },
  });
  await add('on-btrfs', { devices: { root: { type: 'disk', path: '/', pool: 'looped' } } });
  await add('resting', { config: { 'boot.autostart': 'true' } });
  await make('/1.0/instances/resting/snapshots', { name: 'before' });
  await make('/1.0/instances/on-btrfs/snapshots', { name: 'before' });
}
