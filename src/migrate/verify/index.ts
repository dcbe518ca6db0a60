// verify: is everything there, does it work, and does exactly what ran run again.
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';
import type { Journal } from '../apply/journal.ts';
import { instanceStates } from '../apply/power.ts';
import type { PowerOutcome } from '../apply/restore-power.ts';
import { answeringSocket } from '../apply/service-control.ts';
import { noteNames, type StoredPower, toPowerRecord } from '../apply/step-handler.ts';
import { type DaemonClient, daemonClient } from '../daemon/client.ts';
import { convertFiles, type Plan } from '../plan/index.ts';
import { daemonRef } from '../plan/make-steps.ts';
import { migrateFailure } from '../problem.ts';
import type { Check, Verification } from './verification.ts';

export type { Check, Verification } from './verification.ts';

/**
 * Checks the target against what the source's own database, kept untouched, says it must hold.
 * @param folder where the run keeps what it set aside
 */
export async function verifyRun(
  host: Host,
  journal: Journal,
  run: string,
  folder: string,
  say: (text: string) => void,
): Promise<Verification> {
  const plan = journal.plan(run) as Plan;
  if (plan.target === undefined) throw new Error('a run without a target was begun');
  const socket = await answeringSocket(host, daemonRef(plan.target));
  if (socket === undefined)
    throw migrateFailure({ code: 'daemon-silent', daemon: 'Incus', limitMs: 0, lastLines: [] });
  const client = daemonClient(host, socket);
  const power = journal.noted(run, noteNames.power) as StoredPower;
  const outcomes = (journal.noted(run, noteNames.outcomes) ?? []) as PowerOutcome[];
  const { conversion } = convertFiles(host, join(folder, 'source-database'), {
    plan,
    power: toPowerRecord(power),
    pinsFromHost: new Map(journal.noted(run, 'pins') as [string, string][]),
  });
  void conversion;
  say('pools and networks');
  const checks: Check[] = [
    ...(await poolsAndNetworks(client)),
    ...(await powerStates(client, power, outcomes)),
  ];
  return { checks, notes: [] };
}

async function poolsAndNetworks(client: DaemonClient): Promise<Check[]> {
  const pools = (await client.get('/1.0/storage-pools?recursion=1')) as { name: string; status: string }[];
  const networks = (await client
    .get('/1.0/networks?recursion=1&all-projects=true')
    .catch(() => client.get('/1.0/networks?recursion=1'))) as {
    name: string;
    managed: boolean;
    status: string;
  }[];
  return [
    ...pools.map(({ name, status }) => ({
      id: 'pool-available',
      object: `storage pool ${name}`,
      what: 'is available',
      ok: status === 'Created',
      detail: `status ${status}`,
    })),
    ...networks
      .filter(({ managed }) => managed)
      .map(({ name, status }) => ({
        id: 'network-up',
        object: `network ${name}`,
        what: 'is up',
        ok: status === 'Created',
        detail: `status ${status}`,
      })),
  ];
}

async function powerStates(
  client: DaemonClient,
  power: StoredPower,
  outcomes: readonly PowerOutcome[],
): Promise<Check[]> {
  const states = new Map(
    (await instanceStates(client)).map(({ project, name, status }) => [`${project}/${name}`, status]),
  );
  const wanted = new Map<string, string>([
    ...power.running.map((name) => [name, 'Running'] as const),
    ...power.frozen.map((name) => [name, 'Frozen'] as const),
  ]);
  return [...new Set([...states.keys(), ...wanted.keys()])].sort().flatMap((instance) => {
    const goal = wanted.get(instance) ?? 'Stopped';
    const status = states.get(instance) ?? 'gone';
    const error = outcomes.find((outcome) => outcome.instance === instance)?.error;
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
