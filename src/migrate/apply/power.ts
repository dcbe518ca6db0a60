// Which instances run, are frozen or are stopped, and how they are stopped and started.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { inTurn } from '../../core/in-turn.ts';
import { firstOf } from '../../core/text.ts';
import { allInstances, type DaemonClient } from '../daemon/client.ts';
import { plainStatus } from '../daemon/instance-status.ts';
import { compareText } from '../inventory/order.ts';
import type { StoredPower } from '../journal/notes.ts';
import { nothingRuns, powerFromProcesses, powerWithoutDaemon } from '../machine/power-from-processes.ts';
import { instanceOfStorageName, type RunningInstance, runningInstances } from '../machine/running.ts';
import type { DaemonRef } from '../model/step.ts';
import { migrateFailure } from '../problem.ts';

export interface InstanceState {
  readonly project: string;
  readonly name: string;
  readonly status: string;
  readonly ephemeral: boolean;
  readonly expanded: Readonly<Record<string, string>>;
}

/**
 * What the daemon says; where it does not answer, the processes tell. Where neither runs, what counts as running is what the
 * daemon would start.
 * @param states of all instances, as the daemon says them now; undefined: it does not answer
 */
export function recordPower(
  host: Host,
  daemon: DaemonRef,
  states: readonly InstanceState[] | undefined,
  wouldStart: () => readonly string[],
): StoredPower {
  if (states === undefined) {
    const nothing = nothingRuns(host, daemon, powerFromProcesses(host, daemon.dataDirectory));
    return {
      ...powerWithoutDaemon(host, daemon, wouldStart),
      ...(nothing ? { wouldStart: true } : {}),
      daemonRan: false,
    };
  }
  const named = (status: string): string[] =>
    states.filter((instance) => instance.status === status).map(nameOf);
  const ephemeral = runningOf(states)
    .filter((state) => state.ephemeral)
    .map(nameOf);
  return { running: named('Running'), frozen: named('Frozen'), ephemeral, daemonRan: true };
}

export async function instanceStates(client: DaemonClient): Promise<InstanceState[]> {
  return toStates(await client.get(allInstances));
}

/** @param answer to `allInstances` */
export function toStates(answer: unknown): InstanceState[] {
  if (!Array.isArray(answer)) return [];
  return (answer as Record<string, unknown>[]).map(toState);
}

/** More are asked for in one list. */
const askedOneByOne = 20;

/**
 * The states of those that may be in any but stopped: those named, and those whose processes are there. Among very many
 * instances a few of them are soon asked for one by one.
 * @param names `project/name`
 */
export async function statesOfRunning(
  host: Host,
  client: DaemonClient,
  dataDirectory: string,
  names: readonly string[],
): Promise<InstanceState[]> {
  const found = runningInstances(host, dataDirectory).map(({ storageName }) =>
    instanceOfStorageName(storageName),
  );
  const asked = [...new Set([...names, ...found])];
  if (asked.length > askedOneByOne) return instanceStates(client);
  try {
    return await inTurn(asked, 4, (instance) => instanceState(client, instance));
  } catch (error) {
    // One is gone meanwhile, or what runs there is not the daemon's: its list tells.
    if (!(error instanceof Failure) || error.problem.code !== 'daemon-error') throw error;
    return instanceStates(client);
  }
}

/** Of one; a list of all takes a daemon a second and more where there are very many. */
export async function instanceState(client: DaemonClient, instance: string): Promise<InstanceState> {
  return toState((await client.get(instancePath(instance))) as Record<string, unknown>);
}

function toState(instance: Record<string, unknown>): InstanceState {
  return {
    project: String(instance['project'] ?? 'default'),
    name: String(instance['name']),
    status: plainStatus(String(instance['status'])),
    ephemeral: instance['ephemeral'] === true,
    expanded: (instance['expanded_config'] ?? {}) as Record<string, string>,
  };
}

export function instancePath(instance: string, rest = ''): string {
  const [project = 'default', name = ''] = instance.split('/');
  return `/1.0/instances/${encodeURIComponent(name)}${rest}?project=${encodeURIComponent(project)}`;
}

export async function setState(
  client: DaemonClient,
  instance: string,
  action: 'start' | 'stop' | 'freeze' | 'unfreeze',
  timeoutSeconds: number,
  force = false,
): Promise<void> {
  await client.change(instancePath(instance, '/state'), 'PUT', { action, timeout: timeoutSeconds, force });
}

/** How instances are stopped. */
export interface StopOrders {
  /** For an instance that says nothing itself. */
  readonly limitMs: number;
  /** Whether one that does not stop in time is stopped by force; else it ends the whole thing. */
  readonly force: boolean;
  /** A line for the person who waits. */
  readonly say: (text: string) => void;
  /** A line that stays. */
  readonly warn: (text: string) => void;
}

/**
 * Instances of equal boot.stop.priority are stopped together, the highest first; both daemons do the same at a shutdown.
 * Ephemeral ones stop after all others: the daemon deletes them then, and another that does not stop ends the migration.
 * @param states of all instances, as the daemon has just said them
 * @param keep `project/name` of one that is left running
 */
export async function stopThroughDaemon(
  client: DaemonClient,
  states: readonly InstanceState[],
  orders: StopOrders,
  keep?: string,
): Promise<void> {
  const running = runningOf(states).filter((instance) => nameOf(instance) !== keep);
  const left = new Set(running.map(nameOf));
  for (const group of inStopOrder(running)) {
    const outcomes = await Promise.allSettled(
      group.map(async (state) => {
        await stopOne(client, state, orders);
        left.delete(nameOf(state));
        orders.say(
          `${nameOf(state)} stopped, ${left.size} left${left.size === 0 ? '' : `: ${firstOf([...left], namedInLine)}`}`,
        );
      }),
    );
    // Only now: one that was still stopping would be found running, and left alone, when they are started again.
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** Groups, each of which stops as a whole before the next one. */
function inStopOrder(running: readonly InstanceState[]): InstanceState[][] {
  return [false, true].flatMap((isEphemeral) => {
    const group = running.filter(({ ephemeral }) => ephemeral === isEphemeral);
    const priorities = [...new Set(group.map(stopPriority))].sort((a, b) => b - a);
    return priorities.map((wanted) => group.filter((instance) => stopPriority(instance) === wanted));
  });
}

/** Of very many, a line names some. */
const namedInLine = 10;

async function stopOne(
  client: DaemonClient,
  state: InstanceState,
  { limitMs, force, warn }: StopOrders,
): Promise<void> {
  const instance = nameOf(state);
  const seconds = shutdownSeconds(state) ?? limitMs / 1000;
  if (state.status === 'Frozen') await setState(client, instance, 'unfreeze', 30);
  try {
    await setState(client, instance, 'stop', seconds);
  } catch (error) {
    if (!force)
      throw migrateFailure({ code: 'instance-will-not-stop', instance, limitMs: seconds * 1000 }, error);
    warn(`${instance} did not stop within ${seconds} s: stopped by force (--force-stop)`);
    await setState(client, instance, 'stop', 30, true);
  }
}

/** What a daemon waits for an instance at its own shutdown before it stops it by force (instances.go instancesShutdown). */
const daemonForcesAfterSeconds = 30;

export interface LastInstance {
  readonly instance: string;
  /** Milliseconds after which the daemon, shutting down, would stop it by force. */
  readonly forcedAfterMs: number;
}

/**
 * The instance that may stop together with its daemon, which then does its own long work (it loads every instance)
 * beside it and not after it. Of those that stop last, ephemeral ones above all, it is the one that the target starts first: others wait for that
 * one, and it is down for the shortest time. One that the daemon would force early, or that is frozen, is not one.
 */
export function lastToStop(states: readonly InstanceState[]): LastInstance | undefined {
  const [last] = runningOf(states).toSorted(
    (a, b) =>
      Number(b.ephemeral) - Number(a.ephemeral) || stopPriority(a) - stopPriority(b) || startOrder(a, b),
  );
  if (last === undefined || last.status === 'Frozen') return undefined;
  const seconds = shutdownSeconds(last) ?? daemonForcesAfterSeconds;
  return seconds < 10 ? undefined : { instance: nameOf(last), forcedAfterMs: seconds * 1000 };
}

/** As both daemons order a start: the highest boot.autostart.priority first, then by name (instances.go). */
export function startOrder(a: InstanceState, b: InstanceState): number {
  return (
    startPriority(b) - startPriority(a) || compareText(a.name, b.name) || compareText(a.project, b.project)
  );
}

function startPriority({ expanded }: InstanceState): number {
  return Number(expanded['boot.autostart.priority'] ?? '0') || 0;
}

function runningOf(states: readonly InstanceState[]): InstanceState[] {
  return states.filter(({ status }) => status === 'Running' || status === 'Frozen');
}

function nameOf({ project, name }: InstanceState): string {
  return `${project}/${name}`;
}

function shutdownSeconds({ expanded }: InstanceState): number | undefined {
  const seconds = Number(expanded['boot.host_shutdown_timeout'] ?? '');
  return seconds > 0 ? seconds : undefined;
}

function stopPriority({ expanded }: InstanceState): number {
  return Number(expanded['boot.stop.priority'] ?? '0') || 0;
}

/**
 * Stops containers whose daemon is dead: the halt signal that liblxc would send to their init, and a wait until the
 * monitor is gone. A virtual machine without its daemon can only be stopped by force.
 */
export async function stopWithoutDaemon(
  host: Host,
  dataDirectory: string,
  { limitMs, force, say, warn }: StopOrders,
): Promise<void> {
  const running = runningInstances(host, dataDirectory);
  for (const { storageName, process, frozen, isMachine } of running) {
    if (isMachine) continue;
    if (frozen) thaw(host, storageName);
    const init = host.processes().find(({ parent }) => parent === process.pid);
    if (init === undefined) continue;
    host.signal(init.pid, haltSignal(host, init.pid));
  }
  let end = host.clock() + limitMs;
  let forced = !force;
  for (;;) {
    const left = runningInstances(host, dataDirectory);
    if (left.length === 0) return;
    const [first] = left;
    if (host.clock() > end && !forced) {
      for (const one of left) {
        const instance = instanceOfStorageName(one.storageName);
        warn(`${instance} did not stop within ${limitMs / 1000} s: stopped by force (--force-stop)`);
        endByForce(host, one);
      }
      forced = true;
      end = host.clock() + 30_000;
    } else if (host.clock() > end && first !== undefined) {
      throw migrateFailure({
        code: 'instance-will-not-stop',
        instance: instanceOfStorageName(first.storageName),
        limitMs,
      });
    }
    say(`${left.length} instance(s) left`);
    await host.sleep(100);
  }
}

/** Ends a container by its init; qemu is asked to, and then writes out its disks. */
function endByForce(host: Host, { process, isMachine }: RunningInstance): void {
  const inits = host.processes().filter(({ parent }) => parent === process.pid);
  if (isMachine) host.signal(process.pid, 'SIGTERM');
  else for (const { pid } of inits) host.signal(pid, 'SIGKILL');
}

/** systemd blocks SIGRTMIN+3 and takes it as "halt"; every other init gets SIGPWR (liblxc, src/lxc/lxccontainer.c). */
function haltSignal(host: Host, pid: number): number {
  const rtmin3 = 37;
  const sigpwr = 30;
  const blocked = /^SigBlk:\s*([0-9a-f]+)$/m.exec(readStatus(host, pid))?.[1] ?? '0';
  return ((BigInt(`0x${blocked}`) >> BigInt(rtmin3 - 1)) & 1n) === 1n ? rtmin3 : sigpwr;
}

function readStatus(host: Host, pid: number): string {
  try {
    return readFileSync(host.path(`/proc/${pid}/status`), 'utf8');
  } catch {
    // It ended meanwhile; the signal will find nobody.
    return '';
  }
}

function thaw(host: Host, storageName: string): void {
  for (const [path, value] of [
    [`/sys/fs/cgroup/lxc.payload.${storageName}/cgroup.freeze`, '0'],
    [`/sys/fs/cgroup/unified/lxc.payload.${storageName}/cgroup.freeze`, '0'],
    [`/sys/fs/cgroup/freezer/lxc.payload.${storageName}/freezer.state`, 'THAWED'],
  ] as const) {
    if (existsSync(host.path(path))) writeFileSync(host.path(path), value);
  }
}
