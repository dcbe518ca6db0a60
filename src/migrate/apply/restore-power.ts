// Brings instances into the state in which they were recorded: exactly that set runs, whatever the daemon started by itself.
import type { DaemonClient } from '../daemon/client.ts';
import { type InstanceState, instanceStates, setState } from './power.ts';
import type { StoredPower } from './step-handler.ts';

export interface PowerOutcome {
  readonly instance: string;
  readonly wanted: 'Running' | 'Frozen' | 'Stopped';
  /** The daemon's own words where the instance is not as wanted. */
  readonly error?: string;
  /** It was ephemeral, and LXD deleted it when it stopped. */
  readonly lost?: true;
}

/** @param client of a daemon that is ready: it has started by then what it starts by itself */
export async function restorePower(
  client: DaemonClient,
  power: StoredPower,
  say: (text: string) => void,
): Promise<PowerOutcome[]> {
  const wanted = new Map<string, PowerOutcome['wanted']>([
    ...power.running.map((instance) => [instance, 'Running'] as const),
    ...power.frozen.map((instance) => [instance, 'Frozen'] as const),
  ]);
  const states = await instanceStates(client);
  // As both daemons order a start: the highest boot.autostart.priority first, then by name.
  states.sort((a, b) => startPriority(b) - startPriority(a) || (a.name < b.name ? -1 : 1));
  const outcomes: PowerOutcome[] = [];
  for (const state of states) {
    const instance = `${state.project}/${state.name}`;
    const { status } = state;
    const goal = wanted.get(instance) ?? 'Stopped';
    if (status === goal) {
      if (goal !== 'Stopped') outcomes.push({ instance, wanted: goal });
      continue;
    }
    say(`${instance} is ${status}, should be ${goal}`);
    outcomes.push({ instance, wanted: goal, ...(await bring(client, instance, status, goal)) });
  }
  const known = new Set(states.map(({ project, name }) => `${project}/${name}`));
  for (const [instance, goal] of wanted) {
    if (known.has(instance)) continue;
    if (power.ephemeral?.includes(instance) === true) outcomes.push({ instance, wanted: goal, lost: true });
    else outcomes.push({ instance, wanted: goal, error: 'it does not exist any more' });
  }
  return outcomes;
}

function startPriority({ expanded }: InstanceState): number {
  return Number(expanded['boot.autostart.priority'] ?? '0') || 0;
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
