// A machine with the populated LXD running and an empty Incus beside it; populated once and then copied.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, cacheKey, madeOnce } from '../machine/cache.ts';
import { type Machine, startMachine } from '../machine/machine.ts';
import { type RootTree, type RootTreeName, rootTree } from '../machine/root-tree.ts';
import { populate } from './populate.ts';
import { populatedPower, setPower } from './power.ts';

const daemonLimitMs = 120_000;

export interface PopulatedOptions {
  readonly tree?: RootTreeName;
  readonly name?: string;
}

/** The populated server of populate.ts, its instances as in `populatedPower`, and an empty Incus. */
export async function startPopulatedMachine(options: PopulatedOptions = {}): Promise<Machine> {
  const tree = await rootTree(options.tree ?? 'bookworm');
  const machine = await startMachine({
    tree: tree.name,
    disk: await populatedDisk(tree),
    ...(options.name === undefined ? {} : { name: options.name }),
  });
  try {
    await Promise.all([
      startLxd(machine).then(() => setPower(machine, 'lxd', populatedPower)),
      startIncus(machine),
    ]);
    return machine;
  } catch (error) {
    await machine.stop();
    throw error;
  }
}

export async function startLxd(machine: Machine): Promise<void> {
  await machine.exec(['systemctl', 'start', 'lxd.service'], { timeoutMs: daemonLimitMs });
}

/** Stops LXD with its instances, as at a shutdown of the host. */
export async function stopLxd(machine: Machine): Promise<void> {
  await machine.exec(['systemctl', 'stop', 'lxd-containers.service', 'lxd.socket', 'lxd.service'], {
    timeoutMs: daemonLimitMs,
  });
}

export async function startIncus(machine: Machine): Promise<void> {
  await machine.exec(['systemctl', 'start', 'incus.service'], { timeoutMs: daemonLimitMs });
}

export async function stopIncus(machine: Machine): Promise<void> {
  await machine.exec(['systemctl', 'stop', 'incus-startup.service', 'incus.socket', 'incus.service'], {
    timeoutMs: daemonLimitMs,
  });
}

async function populatedDisk(tree: RootTree): Promise<string> {
  const sources = readdirSync(import.meta.dirname)
    .sort()
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
  const path = join(cacheFolder(), 'disks', `populated-${tree.name}-${cacheKey(tree.key, ...sources)}.img`);
  return madeOnce(path, async (temporary) => {
    const machine = await startMachine({ tree: tree.name, name: 'populate' });
    let kept = false;
    try {
      // Lets a container map one id of the host (raw.idmap) on top of the range that the packages entered.
      await machine.exec([
        'sh',
        '-c',
        'for file in /etc/subuid /etc/subgid; do echo root:1000:1 >> "$file"; done',
      ]);
      await startLxd(machine);
      await populate(machine);
      await stopLxd(machine);
      await machine.stop({ keepDisk: temporary });
      kept = true;
    } finally {
      if (!kept) await machine.stop();
    }
  });
}
