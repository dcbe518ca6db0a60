// Brings instances into the state in which they were recorded: exactly that set runs, whatever the daemon started by itself.
import type { Host } from '../../core/host.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { instanceStates, setState } from './power.ts';
import type { StoredPower } from './step-handler.ts';

export interface PowerOutcome {
  readonly instance: string;
  readonly wanted: 'Running' | 'Frozen' | 'Stopped';
  /** The daemon's own words where the instance is not as wanted. */
  readonly error?: string;
}

/** How long a daemon may still be starting an instance by itself before the tool does it. */
const settleMs = 2_000;

export async function restorePower(
  host: Host,
  client: DaemonClient,
  power: StoredPower,
  say: (text: string) => void,
): Promise<PowerOutcome[]> {
  const wanted = new Map<string, PowerOutcome['wanted']>([
    ...power.running.map((instance) => [instance, 'Running'] as const),
    ...power.frozen.map((instance) => [instance, 'Frozen'] as const),
  ]);
  const end = host.clock() + settleMs;
  let states = await readStates(client);
  while (host.clock() < end && [...wanted.keys()].some((instance) => states.get(instance) === 'Stopped')) {
    await host.sleep(100);
    states = await readStates(client);
  }
  const outcomes: PowerOutcome[] = [];
  for (const [instance, status] of states) {
    const goal = wanted.get(instance) ?? 'Stopped';
    if (status === goal) {
      if (goal !== 'Stopped') outcomes.push({ instance, wanted: goal });
      continue;
    }
    say(`${instance} is ${status}, should be ${goal}`);
    outcomes.push({ instance, wanted: goal, ...(await bring(client, instance, status, goal)) });
  }
  // Instances that are gone: LXD deletes an ephemeral one when it stops.
  for (const [instance, goal] of wanted)
    if (!states.has(instance)) outcomes.push({ instance, wanted: goal, error: 'it does not exist any more' });
  return outcomes;
}

async function readStates(client: DaemonClient): Promise<Map<string, string>> {
  return new Map(
    (await instanceStates(client)).map(({ project, name, status }) => [`${project}/${name}`, status]),
  );
}

async function bring(
  client: DaemonClient,
  instance: string,
  status: string,
  goal: PowerOutcome['wanted'],
): Promise<{ error?: string }> {
  try {
    if (goal === 'Stopped') await setState(client, instance, 'stop', 60);
    else if (status === 'Frozen') await setState(client, instance, 'unfreeze', 30);
    else if (status !== 'Running') await setState(client, instance, 'start', 120);
    if (goal === 'Frozen') await setState(client, instance, 'freeze', 30);
    return {};
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
