// Which instances of the populated server run; neither daemon's own autostart gives this set.
import type { Machine } from '../machine/machine.ts';
import { waitFor } from '../wait-for.ts';
import { api, type Product } from './api.ts';

export type Status = 'Running' | 'Stopped' | 'Frozen';

export interface PowerState {
  readonly project: string;
  readonly instance: string;
  readonly status: Status;
}

/** As the populated server is when a test gets it. */
export const populatedPower: readonly PowerState[] = [
  { project: 'default', instance: 'c1', status: 'Running' },
  { project: 'default', instance: 'c2', status: 'Stopped' },
  { project: 'default', instance: 'b1', status: 'Running' },
  { project: 'default', instance: 'odd', status: 'Stopped' },
  // Stopped although it starts with the server, and the other way round.
  { project: 'default', instance: 'autostart-stopped', status: 'Stopped' },
  { project: 'default', instance: 'manual-running', status: 'Running' },
  { project: 'default', instance: 'frozen', status: 'Frozen' },
  { project: 'default', instance: 'privileged', status: 'Running' },
  { project: 'default', instance: 'isolated', status: 'Running' },
  { project: 'default', instance: 'rawmap', status: 'Running' },
  { project: 'default', instance: 'n2', status: 'Running' },
  { project: 'dev', instance: 'c3', status: 'Stopped' },
  { project: 'dev', instance: 'd1', status: 'Running' },
  { project: 'own', instance: 'o1', status: 'Running' },
  { project: 'own', instance: 'o2', status: 'Stopped' },
];

/** What the server says about all its instances, by project and name. */
export async function powerOf(machine: Machine, product: Product): Promise<PowerState[]> {
  const instances = (await api(
    machine,
    product,
    'GET',
    '/1.0/instances?recursion=1&all-projects=true',
  )) as readonly { name: string; project: string; status: string }[];
  return instances
    .map(({ name, project, status }) => ({ project, instance: name, status: status as Status }))
    .sort((a, b) => compare(a.project, b.project) || compare(a.instance, b.instance));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Brings every instance named into its state and waits until the server says so. */
export async function setPower(
  machine: Machine,
  product: Product,
  wanted: readonly PowerState[],
): Promise<void> {
  const now = new Map(
    (await powerOf(machine, product)).map(({ project, instance, status }) => [
      `${project}/${instance}`,
      status,
    ]),
  );
  for (const { project, instance, status } of wanted) {
    const before = now.get(`${project}/${instance}`);
    if (before === status) continue;
    const change = (action: string): Promise<unknown> =>
      api(
        machine,
        product,
        'PUT',
        `/1.0/instances/${encodeURIComponent(instance)}/state`,
        { action, timeout: 30, force: action === 'stop' },
        { project },
      );
    if (status === 'Stopped') await change('stop');
    else if (before === 'Frozen') await change('unfreeze');
    else if (before !== 'Running') await change('start');
    if (status === 'Frozen') await change('freeze');
  }
  let last = '';
  await waitFor(
    'the instances to be as they should',
    30_000,
    async () => {
      const states = new Set((await powerOf(machine, product)).map((state) => JSON.stringify(state)));
      const missing = wanted.filter((state) => !states.has(JSON.stringify(state)));
      last = missing.map(({ instance, status }) => `${instance} is not ${status}`).join(', ');
      return missing.length === 0 ? true : undefined;
    },
    () => last,
  );
}
