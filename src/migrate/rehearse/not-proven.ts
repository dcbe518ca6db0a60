// The table of what a trial could not prove, from what was changed for it.
import type { Change } from '../model/change.ts';
import type { Inventory } from '../model/inventory.ts';
import type { NotProven } from '../model/rehearsal.ts';
import { migrationRules } from '../rules/migration-rules.ts';

/** Ids of verify's checks (verify/index.ts, verify/condition-checks.ts). */
const checks = {
  pool: 'pool-available',
  network: 'network-up',
  address: 'address-served',
  inventory: 'inventory-compared',
} as const;
/** The step: an incusd in which a patch failed does not start (internal/server/daemon: patchesApply). */
const startsOnly = 'start-daemon';

/**
 * @param changes what was changed in the copy for the trial alone
 * @param ranPatches names of the patches that incusd ran in the trial
 */
export function notProven(
  changes: readonly Change[],
  expected: Inventory,
  ranPatches: readonly string[],
): NotProven[] {
  const { patches_on_stand_ins: onStandIns } = migrationRules().rehearsal;
  return [
    ...group(
      expected.pools.map(({ name }) => `storage pool ${name}`),
      {
        kind: 'storage pool',
        what: 'an empty folder',
        because: 'The trial has none of the storage.',
        checkedBy: checks.pool,
      },
    ),
    ...group(
      expected.networks
        .filter(({ managed }) => managed)
        .map(({ project, name }) => `network ${project}/${name}`),
      {
        kind: 'network',
        what: 'not brought up',
        because: 'The trial has a network of its own with nothing in it.',
        checkedBy: checks.network,
      },
    ),
    ...ofChanges(changes),
    ...group(
      ranPatches.filter((name) => onStandIns.includes(name)),
      {
        kind: 'patch',
        what: 'ran on stand-ins for pools and OVN',
        because: 'The trial has none of the storage and no OVN.',
        checkedBy: startsOnly,
      },
    ),
  ];
}

/** What Incus was asked for in the trial and did not say within its limit. */
export function notAnswered(questions: readonly string[]): NotProven[] {
  return group(questions, {
    kind: 'answer',
    what: 'not given in time',
    because: 'Incus took longer over it than this server is given for an answer.',
    checkedBy: checks.inventory,
  });
}

function group(objects: readonly string[], rest: Omit<NotProven, 'objects'>): NotProven[] {
  return objects.length === 0 ? [] : [{ ...rest, objects }];
}

function ofChanges(changes: readonly Change[]): NotProven[] {
  const groups = new Map<string, { readonly first: Change; readonly objects: Set<string> }>();
  for (const change of changes) {
    const id = JSON.stringify([change.table, change.what, change.rule]);
    const known = groups.get(id);
    if (known === undefined) groups.set(id, { first: change, objects: new Set([change.object]) });
    else known.objects.add(change.object);
  }
  const { rehearsal, listens } = migrationRules();
  const { expiries, instances } = rehearsal;
  return [...groups.values()].map(({ first: { table, what, rule }, objects }) => {
    const kind =
      table === 'patches'
        ? 'patch'
        : expiries.some((expiry) => expiry.table === table && expiry.column === what)
          ? 'expiry'
          : 'key';
    return {
      kind,
      what,
      objects: [...objects],
      because: rule,
      checkedBy:
        kind === 'patch'
          ? startsOnly
          : listens.some(({ key }) => key === what)
            ? checks.address
            : (instances.find(({ key }) => key === what)?.checked_by ?? checks.inventory),
    };
  });
}
