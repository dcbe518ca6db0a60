// What people do in Incus after a move: objects of each kind made, deleted and renamed, those in use by what runs first.
import type { Machine } from '../machine/machine.ts';
import { api } from '../server/api.ts';
import { busyboxImage } from '../server/image.ts';

export type ChangedKind = 'instance' | 'volume' | 'snapshot' | 'image' | 'network' | 'profile';
export type ChangeAction = 'made' | 'deleted' | 'renamed';

export interface IncusChange {
  readonly kind: ChangedKind;
  readonly action: ChangeAction;
  /** Of the instances that run, the one that it is about; both, where it is undefined. */
  readonly instance?: 'bridged' | 'on-btrfs';
  make(machine: Machine): Promise<void>;
  /** Facts of LXD that are not as before when it is back: the data is gone, or there is other data. */
  readonly touches: RegExp;
  /** Instances that LXD does not run afterwards, since their data is gone. */
  readonly gone: readonly string[];
  /** Whether LXD lists what it has no data of any more, to which somebody must agree. */
  readonly asks: boolean;
}

/** Matches no fact. */
const nothing = /(?!)/;

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
const incus = (machine: Machine, method: Method, path: string, body?: unknown): Promise<unknown> =>
  api(machine, 'incus', method, path, body);

interface Configured {
  readonly devices: Record<string, Record<string, string>>;
  readonly profiles?: readonly string[];
  readonly [key: string]: unknown;
}

async function edit(
  machine: Machine,
  path: string,
  change: (before: Configured) => Partial<Configured>,
): Promise<void> {
  const before = (await incus(machine, 'GET', path)) as Configured;
  await incus(machine, 'PUT', path, { ...before, ...change(before) });
}

const setState = (machine: Machine, name: string, action: 'start' | 'stop'): Promise<unknown> =>
  incus(machine, 'PUT', `/1.0/instances/${name}/state`, { action, timeout: 30, force: action === 'stop' });

function instanceChanges(name: 'bridged' | 'on-btrfs'): IncusChange[] {
  return [
    {
      kind: 'instance',
      action: 'deleted',
      instance: name,
      async make(machine) {
        await setState(machine, name, 'stop');
        await incus(machine, 'DELETE', `/1.0/instances/${name}`);
      },
      touches: new RegExp(`\\b${name}\\b|^link: veth`),
      gone: [name],
      asks: true,
    },
    {
      kind: 'instance',
      action: 'renamed',
      instance: name,
      async make(machine) {
        await setState(machine, name, 'stop');
        await incus(machine, 'POST', `/1.0/instances/${name}`, { name: 'moved' });
        await setState(machine, 'moved', 'start');
      },
      touches: new RegExp(`\\b(?:${name}|moved)\\b|^link: veth`),
      gone: [name],
      asks: true,
    },
  ];
}

const withoutData = async (machine: Machine): Promise<void> =>
  edit(machine, '/1.0/instances/bridged', ({ devices: { data: _data, ...devices } }) => ({ devices }));

const withData = async (machine: Machine, source: string): Promise<void> =>
  edit(machine, '/1.0/instances/bridged', ({ devices }) => ({
    devices: { ...devices, data: { type: 'disk', pool: 'plain', source, path: '/data' } },
  }));

const withNetwork = async (machine: Machine, network: string | undefined): Promise<void> =>
  edit(machine, '/1.0/profiles/default', ({ devices: { eth0: _eth0, ...devices } }) => ({
    devices: network === undefined ? devices : { ...devices, eth0: { type: 'nic', network, name: 'eth0' } },
  }));

const volumes = '/1.0/storage-pools/plain/volumes/custom';

export const incusChanges: readonly IncusChange[] = [
  {
    kind: 'instance',
    action: 'made',
    async make(machine) {
      await incus(machine, 'POST', '/1.0/instances', {
        name: 'made',
        source: { type: 'copy', source: 'bridged', instance_only: true },
        devices: { data: { type: 'none' } },
      });
      await setState(machine, 'made', 'start');
    },
    touches: /\bmade\b/,
    gone: [],
    asks: false,
  },
  ...instanceChanges('bridged'),
  ...instanceChanges('on-btrfs'),
  {
    kind: 'volume',
    action: 'made',
    async make(machine) {
      await incus(machine, 'POST', volumes, { name: 'made' });
      await edit(machine, '/1.0/instances/on-btrfs', ({ devices }) => ({
        devices: { ...devices, made: { type: 'disk', pool: 'plain', source: 'made', path: '/made' } },
      }));
    },
    touches: /\b(?:default_)?made\b/,
    gone: [],
    asks: false,
  },
  {
    kind: 'volume',
    action: 'deleted',
    async make(machine) {
      await withoutData(machine);
      await incus(machine, 'DELETE', `${volumes}/data`);
    },
    // LXD makes an empty one and starts what uses it.
    touches: /\b(?:default_)?data\b/,
    gone: [],
    asks: true,
  },
  {
    kind: 'volume',
    action: 'renamed',
    async make(machine) {
      await withoutData(machine);
      await incus(machine, 'POST', `${volumes}/data`, { name: 'moved', pool: 'plain' });
      await withData(machine, 'moved');
    },
    touches: /\b(?:default_)?(?:data|moved)\b/,
    gone: [],
    asks: true,
  },
  {
    kind: 'snapshot',
    action: 'made',
    async make(machine) {
      for (const name of ['bridged', 'on-btrfs', 'resting'])
        await incus(machine, 'POST', `/1.0/instances/${name}/snapshots`, { name: 'since' });
    },
    touches: /-snapshots\/bridged\b|\bsince\b/,
    gone: [],
    asks: false,
  },
  {
    kind: 'snapshot',
    action: 'deleted',
    async make(machine) {
      for (const name of ['on-btrfs', 'resting'])
        await incus(machine, 'DELETE', `/1.0/instances/${name}/snapshots/before`);
    },
    touches: /\bbefore\b|-snapshots\/(?:on-btrfs|resting)\b/,
    gone: [],
    asks: true,
  },
  {
    kind: 'snapshot',
    action: 'renamed',
    async make(machine) {
      for (const name of ['on-btrfs', 'resting'])
        await incus(machine, 'POST', `/1.0/instances/${name}/snapshots/before`, { name: 'earlier' });
    },
    touches: /\b(?:before|earlier)\b/,
    gone: [],
    asks: true,
  },
  {
    kind: 'image',
    action: 'made',
    make: async (machine) =>
      void (await api(machine, 'incus', 'POST', '/1.0/images', undefined, {
        content: await busyboxImage(machine, 'other'),
      })),
    touches: /^\/var\/lib\/lxd\/(?:storage-pools\/looped\/)?images\//,
    gone: [],
    asks: false,
  },
  {
    kind: 'image',
    action: 'deleted',
    async make(machine) {
      const { target } = (await incus(machine, 'GET', '/1.0/images/aliases/tiny')) as { target: string };
      await incus(machine, 'DELETE', `/1.0/images/${target}`);
    },
    touches: /^\/var\/lib\/lxd\/(?:storage-pools\/looped\/)?images\//,
    gone: [],
    asks: true,
  },
  {
    kind: 'image',
    action: 'renamed',
    make: async (machine) =>
      void (await incus(machine, 'POST', '/1.0/images/aliases/tiny', { name: 'small' })),
    touches: nothing,
    gone: [],
    asks: false,
  },
  {
    kind: 'network',
    action: 'made',
    async make(machine) {
      await incus(machine, 'POST', '/1.0/networks', {
        name: 'br-made',
        config: { 'ipv4.address': '10.78.0.1/24', 'ipv6.address': 'none' },
      });
      await withNetwork(machine, 'br-made');
    },
    touches: nothing,
    gone: [],
    asks: false,
  },
  {
    kind: 'network',
    action: 'deleted',
    async make(machine) {
      await withNetwork(machine, undefined);
      await incus(machine, 'DELETE', '/1.0/networks/br-faults');
    },
    touches: /\/networks\/br-faults\b/,
    gone: [],
    asks: true,
  },
  {
    kind: 'network',
    action: 'renamed',
    async make(machine) {
      await withNetwork(machine, undefined);
      await incus(machine, 'POST', '/1.0/networks/br-faults', { name: 'br-moved' });
      await withNetwork(machine, 'br-moved');
    },
    touches: /\/networks\/br-(?:faults|moved)\b/,
    gone: [],
    asks: true,
  },
  {
    kind: 'profile',
    action: 'made',
    async make(machine) {
      await incus(machine, 'POST', '/1.0/profiles', { name: 'made', config: { 'user.made': 'since' } });
      await edit(machine, '/1.0/instances/bridged', ({ profiles = [] }) => ({
        profiles: [...profiles, 'made'],
      }));
    },
    touches: nothing,
    gone: [],
    asks: false,
  },
  {
    kind: 'profile',
    action: 'deleted',
    async make(machine) {
      await edit(machine, '/1.0/instances/bridged', () => ({ profiles: ['default'] }));
      await incus(machine, 'DELETE', '/1.0/profiles/extra');
    },
    touches: nothing,
    gone: [],
    asks: true,
  },
  {
    kind: 'profile',
    action: 'renamed',
    make: async (machine) => void (await incus(machine, 'POST', '/1.0/profiles/extra', { name: 'moved' })),
    touches: nothing,
    gone: [],
    asks: true,
  },
];
