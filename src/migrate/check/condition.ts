// Findings about what does not work in LXD already: pools, networks, instances, addresses.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Host } from '../../core/host.ts';
import type { Unasked } from '../condition/look-at-server.ts';
import { usersOfNetwork, usersOfPool } from '../condition/used-by.ts';
import { isMissing } from '../machine/is-missing.ts';
import type { Condition } from '../model/condition.ts';
import type { Finding } from '../model/finding.ts';
import type { Installation } from '../model/installation.ts';
import type { Inventory, Pool } from '../model/inventory.ts';
import { migrationRules } from '../rules/migration-rules.ts';
import { checkUnasked } from './unasked.ts';

export interface Around {
  readonly host: Host;
  readonly source: Pick<Installation, 'dataDirectory'>;
  /** Instances that run or are frozen, as `project/name`. */
  readonly running: readonly string[];
  /** Why LXD did not say how it is, without confidential values. */
  readonly unasked?: Unasked | undefined;
  /** Configuration that its database holds as NULL. */
  readonly nullValues?: readonly string[];
}

export function checkCondition(around: Around, condition: Condition, inventory: Inventory): Finding[] {
  return [
    ...pools(around, condition, inventory),
    ...networks(condition, inventory),
    ...instances(condition),
    ...addresses(condition),
    ...(condition.asked
      ? []
      : checkUnasked(around.unasked ?? { why: 'not-listening' }, inventory, around.nullValues ?? [])),
  ];
}

const acceptable = ['accept'] as const;

function pools(around: Around, condition: Condition, inventory: Inventory): Finding[] {
  const running = new Set(around.running.map((name) => `instance ${name}`));
  const mounted = new Set(around.host.mounts().map(({ path }) => path));
  return inventory.pools.flatMap((pool): Finding[] => {
    const status = condition.pools.find(({ name }) => name === pool.name)?.status ?? null;
    const gone = missingSource(around, pool);
    if (gone === undefined && (status === 'Created' || status === null)) return [];
    const users = usersOfPool(inventory, pool.name);
    const why = [
      ...(status === null || status === 'Created' ? [] : [status]),
      ...(gone === undefined ? [] : [`${gone} does not exist`]),
    ];
    const object = named(`storage pool ${pool.name} (${pool.driver}): ${why.join(', ')}`, users);
    // What is mounted, or runs, lives on without the name by which it was found, until it stops.
    const isUsed =
      status === 'Created' ||
      (status === null && mounted.has(join(around.source.dataDirectory, 'storage-pools', pool.name)));
    return [isUsed || users.some((user) => running.has(user)) ? notMountable(object) : unavailable(object)];
  });
}

function unavailable(object: string): Finding {
  return {
    id: 'pool-unavailable',
    severity: 'loss',
    objects: [object],
    what: 'These pools are not available in LXD. Incus will not have them either, and what is on them cannot be started or looked at.',
    action:
      'Bring the storage back and restart LXD, then plan again. With --accept they are moved as they are; Incus tries them again every minute.',
    answers: acceptable,
  };
}

function notMountable(object: string): Finding {
  return {
    id: 'pool-not-mountable',
    severity: 'blocker',
    objects: [object],
    what: 'Something uses these pools now, and where they come from is gone. Once it has stopped, neither LXD nor Incus can mount them again.',
    action:
      'Put the folder, file or disk back in its place, or stop the instances that run on them, then plan again.',
  };
}

/** Where a pool comes from, if that is a path of this machine and nothing is there. */
function missingSource({ host }: Around, { driver, config }: Pool): string | undefined {
  const source = config['source'] ?? '';
  if (driver !== 'dir' && driver !== 'btrfs') return undefined;
  // LXD finds a btrfs by the UUID that it had when the pool was made.
  const path = source.startsWith('/')
    ? source
    : driver === 'btrfs' && /^[0-9a-f-]{36}$/i.test(source)
      ? `/dev/disk/by-uuid/${source}`
      : undefined;
  return path === undefined || !isMissing(host.path(path)) ? undefined : path;
}

function networks(condition: Condition, inventory: Inventory): Finding[] {
  return condition.networks.flatMap(({ project, name, status }): Finding[] => {
    if (status === null || status === 'Created') return [];
    return [
      {
        id: 'network-down',
        severity: 'loss',
        objects: [
          named(`network ${project}/${name}: ${status}`, usersOfNetwork(inventory, { project, name })),
        ],
        what: 'These networks are not up in LXD. Incus will most likely not bring them up either, and instances that need them do not start.',
        action:
          'Mend them in LXD (its log says why), then plan again. With --accept they are moved as they are.',
        answers: acceptable,
      },
    ];
  });
}

function instances(condition: Condition): Finding[] {
  if (condition.instances.length === 0) return [];
  return [
    {
      id: 'instance-in-error',
      severity: 'loss',
      objects: condition.instances.map(
        ({ project, name, status }) => `instance ${project}/${name}: ${status}`,
      ),
      what: 'LXD cannot say whether these instances run. They are not started in Incus, and whether they could be is not checked.',
      action: 'Mend them in LXD, or stop them, then plan again. With --accept they are moved as they are.',
      answers: acceptable,
    },
  ];
}

function addresses(condition: Condition): Finding[] {
  const { listens } = migrationRules();
  return condition.addresses.flatMap(({ key, value, holder, who }): Finding[] => {
    if (holder === 'daemon' || (holder === 'nobody' && !condition.asked)) return [];
    const objects = [
      `${key} ${value}: ${holder === 'other' ? `held by ${who}` : 'LXD does not listen there'}`,
    ];
    return listens.find((rule) => rule.key === key)?.fatal === true
      ? [
          {
            id: `address-not-free:${key}`,
            severity: 'blocker',
            objects,
            what: 'LXD does not serve this address. Incus ends at its start where it cannot listen there.',
            action: 'End what holds it, or change or unset the key in LXD, then plan again.',
          },
        ]
      : [
          {
            id: `address-not-served:${key}`,
            severity: 'loss',
            objects,
            what: 'LXD does not serve this address, and Incus would not either.',
            action: 'End what holds it, or change or unset the key in LXD. With --accept it stays as it is.',
            answers: acceptable,
          },
        ];
  });
}

function named(object: string, users: readonly string[]): string {
  const shown = users.slice(0, 20).join(', ');
  const more = users.length > 20 ? `, and ${users.length - 20} more` : '';
  return users.length === 0 ? object : `${object}; used by ${shown}${more}`;
}

/**
 * An incusd that finds such a pool unavailable does not start: where one of its patches would work on every pool
 * (storage/pool_load.go, Patch), and where a volume of the server itself lies on it (daemon_storage.go).
 * @param local as it was converted: it says which patches count as done
 */
export function poolsNeeded(
  condition: Condition | undefined,
  inventory: Inventory,
  local: Buffer | undefined,
): Finding[] {
  const away = (condition?.pools ?? []).filter(({ status }) => status !== null && status !== 'Created');
  if (away.length === 0) return [];
  const volumes = ['storage.images_volume', 'storage.backups_volume'].flatMap((key) => {
    const value = inventory.server.config[key] ?? '';
    return away.some(({ name }) => value.startsWith(`${name}/`)) ? [`${key} ${value}`] : [];
  });
  const patches = local === undefined ? [] : patchesLeft(local);
  const objects = [
    ...volumes,
    ...patches.map((name) => `patch ${name}: ${away.map((pool) => `storage pool ${pool.name}`).join(', ')}`),
  ];
  if (objects.length === 0) return [];
  return [
    {
      id: 'pool-needed',
      severity: 'blocker',
      objects,
      what: 'Incus does not start without these pools: a volume of the server itself lies on them, or a patch of Incus must work on every pool.',
      action: 'Bring the storage back and restart LXD, then plan again.',
    },
  ];
}

function patchesLeft(local: Buffer): string[] {
  const db = new Database(local);
  try {
    const done = new Set(db.prepare('SELECT name FROM patches').pluck().all());
    return migrationRules().patches_on_every_pool.filter((name) => !done.has(name));
  } finally {
    db.close();
  }
}
