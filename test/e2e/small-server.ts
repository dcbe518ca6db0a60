// A small LXD with a few containers whose inits do what a test needs, and an empty Incus beside it.
import { writeFileSync } from 'node:fs';
import { type Machine, startMachine } from './machine/machine.ts';
import type { RootTreeName } from './machine/root-tree.ts';
import { api } from './server/api.ts';
import { busyboxImage } from './server/image.ts';
import { startIncus, startLxd } from './server/populated-machine.ts';
import { uploadImage } from './server/upload-image.ts';
import { waitFor } from './wait-for.ts';

/** What the init of a container does when it is asked to stop (SIGPWR). */
export const inits = {
  /** Ends at once: the image's own. */
  calm: undefined,
  /** Takes three seconds over it. */
  slow: "#!/bin/sh\ntrap 'sleep 3; exit 0' PWR\nwhile :; do sleep 0.2; done\n",
  /** Does not. */
  stubborn: "#!/bin/sh\ntrap '' PWR\nwhile :; do sleep 0.2; done\n",
} as const;

export interface SmallContainer {
  readonly name: string;
  readonly init?: keyof typeof inits;
  readonly config?: Readonly<Record<string, string>>;
  readonly ephemeral?: boolean;
}

export interface SmallOptions {
  readonly containers: readonly SmallContainer[];
  readonly name?: string;
  readonly tree?: RootTreeName;
}

/** All containers run when it returns. */
export async function startSmallMachine({ containers, name, tree }: SmallOptions): Promise<Machine> {
  const machine = await startMachine({
    tree: tree ?? 'bookworm',
    ...(name === undefined ? {} : { name }),
  });
  try {
    await Promise.all([startLxd(machine).then(() => fill(machine, containers)), startIncus(machine)]);
    return machine;
  } catch (error) {
    await machine.stop();
    throw error;
  }
}

async function fill(machine: Machine, containers: readonly SmallContainer[]): Promise<void> {
  const make = (path: string, body: unknown): Promise<unknown> => api(machine, 'lxd', 'POST', path, body);
  await make('/1.0/storage-pools', { name: 'default', driver: 'dir' });
  await api(machine, 'lxd', 'PUT', '/1.0/profiles/default', {
    devices: { root: { type: 'disk', path: '/', pool: 'default' } },
  });
  const fingerprint = await uploadImage(machine, await busyboxImage(machine, 'tiny'));
  await make('/1.0/images/aliases', { name: 'tiny', target: fingerprint });
  for (const container of containers) await addContainer(machine, container);
}

/** Makes a container and starts it; returns when its init is at work. */
export async function addContainer(
  machine: Machine,
  { name, init, config = {}, ephemeral = false }: SmallContainer,
): Promise<void> {
  await api(machine, 'lxd', 'POST', '/1.0/instances', {
    name,
    config,
    ephemeral,
    source: { type: 'image', alias: 'tiny' },
  });
  const rootfs = `/var/lib/lxd/storage-pools/default/containers/${name}/rootfs`;
  const script = inits[init ?? 'calm'];
  if (script !== undefined) writeFileSync(machine.rootPath(`${rootfs}/sbin/init`), script, { mode: 0o755 });
  await api(machine, 'lxd', 'PUT', `/1.0/instances/${name}/state`, { action: 'start', timeout: 30 });
  // A signal that comes before the trap is set would end it, or be lost.
  await waitFor(`the init of ${name}`, 20_000, async () =>
    (await hasTrap(machine, name)) ? true : undefined,
  );
}

/** Whether the container's init catches or ignores SIGPWR by now. */
async function hasTrap(machine: Machine, name: string): Promise<boolean> {
  const { status } = await machine.exec(
    [
      'sh',
      '-c',
      `pid=$(lxc info "$1" | sed -n 's/^PID: //p'); [ "$pid" -gt 0 ] && for set in SigIgn SigCgt; do
         mask=$(sed -n "s/^$set:[[:space:]]*//p" "/proc/$pid/status"); [ $((0x$mask >> 29 & 1)) = 1 ] && exit 0; done; exit 1`,
      'sh',
      name,
    ],
    { accept: 'any' },
  );
  return status === 0;
}
