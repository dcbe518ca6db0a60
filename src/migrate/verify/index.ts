// verify: is everything there, does it work, and does exactly what ran run again.
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';
import { once } from '../../core/once.ts';
import type { PowerOutcome } from '../apply/restore-power.ts';
import { statesIn } from '../condition/look-at-server.ts';
import { lookOnceServed } from '../condition/look-once-served.ts';
import type { Conversion } from '../convert/index.ts';
import { answeringSocket } from '../daemon/answering-socket.ts';
import { daemonClient, type InstanceName } from '../daemon/client.ts';
import { type Fields, textOf } from '../daemon/fields.ts';
import { plainStatus } from '../daemon/instance-status.ts';
import {
  instancesAnew,
  nothingRemembered,
  type Remembered,
  rememberingClient,
} from '../daemon/remembering-client.ts';
import { type ServerSize, sizeOf } from '../daemon/server-size.ts';
import { writeAsRoot } from '../daemon/write-as-root.ts';
import { inventoryFromApi } from '../inventory/api/from-api.ts';
import { compareInventories } from '../inventory/compare.ts';
import { readDatabaseFiles } from '../inventory/database/database-files.ts';
import { readInventory } from '../inventory/database/read-inventory.ts';
import { releaseHeld } from '../inventory/release-held.ts';
import type { Journal } from '../journal/journal.ts';
import { givenAnswers, noteNames, requiredNote, toPowerRecord } from '../journal/noted.ts';
import type { StoredPower } from '../journal/notes.ts';
import { instanceOfStorageName, runningInstances } from '../machine/running.ts';
import type { Condition } from '../model/condition.ts';
import type { Difference } from '../model/difference.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Check, Verification } from '../model/verification.ts';
import { convertContent } from '../plan/index.ts';
import { daemonRef } from '../plan/make-steps.ts';
import { migrateFailure } from '../problem.ts';
import { migrationRules } from '../rules/migration-rules.ts';
import { bridgeChecks } from './bridge-checks.ts';
import { conditionChecks } from './condition-checks.ts';
import { daemonVolumeChecks } from './daemon-volume-checks.ts';
import { notLookedAt } from './not-looked-at.ts';
import { proxyChecks } from './proxy-checks.ts';
import { sourceChecks } from './source-checks.ts';
import { unitChecks } from './unit-checks.ts';

export interface KnownOfTarget {
  readonly size: ServerSize;
  /** What it has said since it is ready, which is not asked again. */
  readonly said: Remembered;
  /** As expectedOf gives it. */
  readonly expected: () => Inventory;
}

/**
 * Checks the target against what the source's own database, kept untouched, says it must hold.
 * @param folder where the run keeps what it set aside
 * @param known by the process that has just moved it
 */
export async function verifyRun(
  host: Host,
  journal: Journal,
  run: string,
  folder: string,
  say: (text: string) => void,
  known?: KnownOfTarget,
): Promise<Verification> {
  const plan = journal.plan(run);
  if (plan.target === undefined) throw new Error('a run without a target was begun');
  const socket = await answeringSocket(host, daemonRef(plan.target));
  if (socket === undefined)
    throw migrateFailure({ code: 'daemon-silent', daemon: 'Incus', limitMs: 0, lastLines: [] });
  const power = requiredNote(journal, run, noteNames.power);
  const outcomes = journal.noted(run, noteNames.outcomes) ?? [];
  const size = known?.size ?? sizeOf(readDatabaseFiles(keptDatabase(host, folder)).image.bytes);
  const client = daemonClient(host, socket, size);
  const said = known?.said ?? nothingRemembered();
  const remembering = rememberingClient(client, said);
  const expect = known?.expected ?? once(() => expectedOf(host, journal, run, folder));
  say('inventory, units, and a write as root in every container that runs');
  const { differences: accepted } = givenAnswers(journal, run);
  const late: string[] = [];
  const { dataDirectory } = plan.target;
  const listed = instancesAnew(client, said, (list) => mayRun(host, dataDirectory, list));
  const [actual, written, units] = await Promise.all([
    inventoryFromApi(remembering, { expected: expect, listed, notInTime: (what) => late.push(what) }),
    writeAsRoot(client, listed),
    unitChecks(host, journal, run),
  ]);
  const expected = expect();
  const inventory = compareWithSource(withStatesOf(expected, actual), actual, accepted);
  say('pools, networks, addresses, images and power');
  const before = journal.noted(run, noteNames.condition);
  const now = await lookOnceServed(host, client, plan.target, actual, before, statesIn(actual));
  const bridges = await bridgeChecks(
    host,
    dataDirectory,
    actual.networks.filter(
      ({ type, name, project }) =>
        type === 'bridge' &&
        now.networks.some((one) => one.project === project && one.name === name && one.status === 'Created'),
    ),
  );
  const proxies = proxyChecks(host, dataDirectory, actual);
  const alive = [
    ...conditionChecks(before, now, new Set(actual.images.map(({ fingerprint }) => fingerprint)).size),
    ...daemonVolumeChecks(host, dataDirectory, actual.server.config),
    ...bridges.checks,
    ...powerStates(actual, expected, power, outcomes, before),
    ...proxies.checks,
  ];
  const writes = written.map(({ project, name, error }) => ({
    id: 'root-can-write',
    object: `instance ${project}/${name}`,
    what: 'its root can write and read in its root file system',
    ok: error === undefined,
    ...(error === undefined ? {} : { detail: error }),
  }));
  const stale = journal.noted(run, noteNames.notRefreshed) ?? [];
  return {
    checks: [...inventory, ...alive, ...writes, ...sourceChecks(host, journal, run), ...units],
    notes: [
      ...late.map((what) => `not compared, since Incus did not say it in time: ${what}`),
      ...goneOf(expected, power.ephemeral ?? []).map(
        (instance) =>
          `instance ${instance}: it was ephemeral, and LXD deleted it when it stopped, as you accepted.`,
      ),
      ...stale.map(
        ({ project, name, error }) =>
          `instance ${project}/${name}: its backup.yaml is still the one that LXD wrote (${error}); it is only needed to recover the instance without the database.`,
      ),
    ],
    notLookedAt: [...notLookedAt(actual), ...bridges.notLookedAt, ...proxies.notLookedAt],
  };
}

/** Those that the daemon called running, and those whose processes are there. */
function mayRun(host: Host, dataDirectory: string, list: readonly Fields[]): InstanceName[] {
  const called = list
    .filter((from) => plainStatus(textOf(from, 'status')) !== 'Stopped')
    .map((from) => ({ project: textOf(from, 'project') || 'default', name: textOf(from, 'name') }));
  const found = runningInstances(host, dataDirectory).map(({ storageName }) => {
    const [project = '', name = ''] = instanceOfStorageName(storageName).split('/');
    return { project, name };
  });
  return [...called, ...found];
}

/** One check for each difference, and one that says how much was compared. */
export function compareWithSource(
  expected: Inventory,
  actual: Inventory,
  accepted: readonly Difference[],
): Check[] {
  const known = new Set(accepted.map(identify));
  const differences = compareInventories(expected, actual, migrationRules().accepted_differences);
  const checks = differences.map((difference): Check => {
    const { change, object, field, expected: before, actual: after } = difference;
    const subject = field === undefined ? '' : `${field} `;
    const detail =
      change === 'different'
        ? `expected ${JSON.stringify(before)}, found ${JSON.stringify(after)}`
        : change === 'extra'
          ? 'LXD does not have it'
          : 'it is missing';
    const check = { id: 'inventory-equal', object, detail };
    return known.has(identify(difference))
      ? { ...check, what: `${subject}is not as it was in LXD, which you accepted`, ok: true, accepted: true }
      : { ...check, what: `${subject}is in Incus as it was in LXD`, ok: false };
  });
  const failed = checks.filter(({ ok }) => !ok).length;
  const allowed = checks.length - failed;
  return [
    ...checks,
    {
      id: 'inventory-compared',
      object: 'inventory',
      what: `${actual.instances.length} instances, ${actual.volumes.length} volumes, ${actual.networks.length} networks, ${actual.pools.length} pools, ${actual.images.length} images, ${actual.profiles.length} profiles and ${actual.projects.length} projects are as they were in LXD${allowed === 0 ? '' : `, apart from ${allowed} difference(s) that you accepted`}`,
      ok: failed === 0,
      ...(failed === 0 ? {} : { detail: `${failed} difference(s)` }),
    },
  ];
}

/** Exactly the same difference: the same object, field and values. */
function identify({ change, object, field, expected, actual }: Difference): string {
  return JSON.stringify([change, object, field ?? null, expected ?? null, actual ?? null]);
}

/** What the source's own database says that the target must hold. @param folder where the run keeps it */
export function expectedOf(host: Host, journal: Journal, run: string, folder: string): Inventory {
  const settings = {
    plan: journal.plan(run),
    power: toPowerRecord(requiredNote(journal, run, noteNames.power)),
    pinsFromHost: new Map(requiredNote(journal, run, noteNames.pins)),
  };
  return asGivenBack(convertContent(host, readDatabaseFiles(keptDatabase(host, folder)), settings));
}

function keptDatabase(host: Host, folder: string): string {
  return host.path(join(folder, 'source-database'));
}

/** What the converted database says, with what was held during the switch given back. */
function asGivenBack({ image, local, held }: Conversion): Inventory {
  const database = readInventory(image, local === undefined ? {} : { localDatabase: local });
  return { ...database, instances: database.instances.map((instance) => releaseHeld(instance, held)) };
}

/** States are a check of their own: what was away in LXD may be away in Incus. */
function withStatesOf(expected: Inventory, actual: Inventory): Inventory {
  const pools = new Map(actual.pools.map(({ name, state }) => [name, state]));
  const networks = new Map(actual.networks.map(({ project, name, state }) => [`${project}/${name}`, state]));
  return {
    ...expected,
    pools: expected.pools.map((pool) => ({ ...pool, state: pools.get(pool.name) ?? pool.state })),
    networks: expected.networks.map((network) => ({
      ...network,
      state: networks.get(`${network.project}/${network.name}`) ?? network.state,
    })),
  };
}

function goneOf(expected: Inventory, names: readonly string[]): string[] {
  const known = new Set(expected.instances.map(({ project, name }) => `${project}/${name}`));
  return names.filter((name) => !known.has(name));
}

function powerStates(
  actual: Inventory,
  expected: Inventory,
  power: StoredPower,
  outcomes: readonly PowerOutcome[],
  before: Condition | undefined,
): Check[] {
  const states = new Map(
    actual.instances.map(({ project, name, status = '' }) => [`${project}/${name}`, plainStatus(status)]),
  );
  const errors = new Map(outcomes.map(({ instance, error }) => [instance, error]));
  const odd = new Map<string, string>(
    before?.instances.map(({ project, name, status }) => [`${project}/${name}`, status]),
  );
  const wanted = new Map<string, string>([
    ...power.running.map((name) => [name, 'Running'] as const),
    ...power.frozen.map((name) => [name, 'Frozen'] as const),
  ]);
  // An ephemeral instance is gone from LXD's own database once it has stopped: that is not for Incus to have.
  const gone = new Set(goneOf(expected, [...wanted.keys()]));
  const names = [...wanted.keys()].filter((name) => !gone.has(name));
  return [...new Set([...states.keys(), ...names])].sort().flatMap((instance) => {
    const goal = wanted.get(instance) ?? 'Stopped';
    const status = states.get(instance) ?? 'gone';
    const error = errors.get(instance);
    const was = odd.get(instance);
    if (was !== undefined && status !== 'gone')
      return [
        {
          id: 'power-as-before',
          object: `instance ${instance}`,
          what: `is ${status.toLowerCase()}`,
          ok: true,
          asBefore: true,
          detail: `LXD said ${was}, by which nobody knows whether it ran`,
        },
      ];
    return [
      {
        id: 'power-as-before',
        object: `instance ${instance}`,
        what: `is ${goal.toLowerCase()} as before`,
        ok: status === goal,
        ...(status === goal
          ? {}
          : { detail: error === undefined ? `it is ${status}` : `it is ${status}: ${error}` }),
      },
    ];
  });
}
