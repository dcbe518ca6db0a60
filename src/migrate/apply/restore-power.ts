// Brings instances into the state in which they were recorded: exactly that set runs, whatever the daemon started by itself.
import type { Host } from '../../core/host.ts';
import type { DaemonClient } from '../daemon/client.ts';
import type { StoredPower } from '../journal/notes.ts';
import { type InstanceState, setState, startOrder, statesOfRunning } from './power.ts';

export interface PowerOutcome {
  readonly instance: string;
  readonly wanted: 'Running' | 'Frozen' | 'Stopped';
  /** The daemon's own words where the instance is not as wanted. */
  readonly error?: string;
  /** Whether the daemon does not have it any more. */
  readonly gone?: true;
}

/** Whether exactly what was recorded runs or is frozen. */
export function runsExactly(
  states: readonly InstanceState[],
  { running, frozen }: Pick<StoredPower, 'running' | 'frozen'>,
): boolean {
  const wanted = new Set([
    ...running.map((instance) => `${instance} Running`),
    ...frozen.map((instance) => `${instance} Frozen`),
  ]);
  const now = states
    .filter(({ status }) => status !== 'Stopped')
    .map(({ project, name, status }) => `${project}/${name} ${status}`);
  return now.length === wanted.size && now.every((state) => wanted.has(state));
}

/** @param client of a daemon that is ready: it has started by then what it starts by itself */
export async function restorePower(
  host: Host,
  client: DaemonClient,
  dataDirectory: string,
  power: StoredPower,
  say: (text: string) => void,
): Promise<PowerOutcome[]> {
  const wanted = new Map<string, PowerOutcome['wanted']>([
    ...power.running.map((instance) => [instance, 'Running'] as const),
    ...power.frozen.map((instance) => [instance, 'Frozen'] as const),
  ]);
  const states = await statesOfRunning(host, client, dataDirectory, [...wanted.keys()]);
  states.sort(startOrder);
  const outcomes: PowerOutcome[] = [];
  let delay = { after: '', seconds: 0 };
  for (const state of states) {
    const instance = `${state.project}/${state.name}`;
    const { status } = state;
    const goal = wanted.get(instance) ?? 'Stopped';
    if (status === goal) {
      if (goal !== 'Stopped') outcomes.push({ instance, wanted: goal });
      continue;
    }
    const starts = goal !== 'Stopped' && status !== 'Running' && status !== 'Frozen';
    if (starts && delay.seconds > 0) {
      say(`${delay.after} started; ${instance} follows in ${delay.seconds} s (boot.autostart.delay)`);
      await host.sleep(delay.seconds * 1000);
    }
    say(`${instance} is ${status}, should be ${goal}`);
    const outcome = await bring(client, instance, status, goal);
    outcomes.push({ instance, wanted: goal, ...outcome });
    if (starts && outcome.error === undefined) delay = { after: instance, seconds: startDelay(state) };
  }
  // Instances that are gone: LXD deletes an ephemeral one when it stops.
  const known = new Set(states.map(({ project, name }) => `${project}/${name}`));
  for (const [instance, goal] of wanted)
    if (!known.has(instance))
      outcomes.push({ instance, wanted: goal, error: 'it does not exist any more', gone: true });
  return outcomes;
}

/** What both daemons wait after the start of this instance, before the next one (instances.go instancesStart). */
function startDelay({ expanded }: InstanceState): number {
  return Number(expanded['boot.autostart.delay'] ?? '0') || 0;
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
