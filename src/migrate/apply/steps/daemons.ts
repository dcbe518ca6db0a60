// Steps that stop and start daemons and instances.
import { Failure, systemErrorCode } from '../../../core/failure.ts';
import type { Host } from '../../../core/host.ts';
import { onTheirWay } from '../../../core/on-their-way.ts';
import { firstOf } from '../../../core/text.ts';
import { answered, askStates, lookAtServer } from '../../condition/look-at-server.ts';
import { worseThan } from '../../condition/worse.ts';
import { answeringSocket } from '../../daemon/answering-socket.ts';
import { allInstances, type DaemonClient, daemonClient } from '../../daemon/client.ts';
import { isSession, type RunningOperation, runningOperations } from '../../daemon/operations.ts';
import { limitFor, startLimitFor } from '../../daemon/server-size.ts';
import { isUp, unitActivity } from '../../detect/systemctl.ts';
import { isMaskedByFile } from '../../detect/systemd.ts';
import { poolsNow } from '../../inventory/database/pools-now.ts';
import { noteNames } from '../../journal/noted.ts';
import type { StoredPower } from '../../journal/notes.ts';
import { looseVeths } from '../../machine/host-stands.ts';
import { powerFromProcesses } from '../../machine/power-from-processes.ts';
import { instanceOfStorageName, runningInstances } from '../../machine/running.ts';
import { usedByOthers } from '../../machine/used-by-others.ts';
import type { Condition } from '../../model/condition.ts';
import type { DaemonRef, Step } from '../../model/step.ts';
import { migrateFailure } from '../../problem.ts';
import { watchDaemonLog } from '../daemon-log.ts';
import {
  operationsIfSaid,
  ordersOf,
  readyToStop,
  saidWhenNotDone,
  sayOpenSessions,
  workDone,
} from '../end-work.ts';
import { heldUpBy } from '../held-up-by.ts';
import {
  type InstanceState,
  instanceStates,
  type LastInstance,
  lastToStop,
  recordPower,
  statesOfRunning,
  stopThroughDaemon,
  stopWithoutDaemon,
  toStates,
} from '../power.ts';
import { restorePower, runsExactly } from '../restore-power.ts';
import { startDaemon, stopDaemon, type WhileStopping } from '../service-control.ts';
import { type ApplyContext, isBegun, memoOf, type StepHandler, storedPower } from '../step-handler.ts';
import { activeBefore, mustBeUp, startUnits, unitsDown } from '../units-as-before.ts';
import { waitForOperations } from '../wait-for-operations.ts';
import { clearLeftovers, clearLooseVeths, type Leftovers, provedQuiet } from './leftovers.ts';
import { type DaemonMemo, daemonMemo } from './units-memo.ts';

type Of<K extends Step['kind']> = StepHandler<Extract<Step, { kind: K }>>;

const daemonLimitMs = 600_000;
const apiLimitMs = 120_000;

/**
 * LXD writes that its last instance stopped after the monitor is gone (LXD 5.0.2, 2,001 instances: within 16 ms), and
 * then its database does not change until it ends, about 0.5 s later. On a machine that has much to do it may be later: then
 * it is converted again, while LXD is still ending.
 */
const recordsStopWithinMs = 60;

export const recordPowerStep: Of<'record-power'> = {
  async apply({ step, context }) {
    // A second attempt would find the instances that the first one stopped.
    if (context.journal.noted(context.run, noteNames.power) !== undefined) return;
    // An instance that appears later is not in the record, and is looked for when they stop.
    const { power, condition, refusal } = await askBefore(context, step.daemon);
    const others = usedByOthers(
      context.host,
      { dataDirectory: step.daemon.dataDirectory, pools: step.pools ?? [] },
      await context.host.loops(),
    );
    const planned = context.journal.plan(context.run).condition;
    const differences = [
      ...context.differences(),
      ...(planned === undefined || condition === undefined ? [] : worseThan(planned, condition)),
      ...[...others.mounts, ...others.files].map((what) => `${what} is new`),
      ...(refusal === undefined ? [] : [withoutSecrets(context, refusal)]),
    ];
    if (differences.length > 0) throw migrateFailure({ code: 'plan-stale', differences });
    const known = condition ?? planned;
    if (known !== undefined) context.journal.note(context.run, noteNames.condition, known);
    context.journal.note(context.run, noteNames.power, power);
    context.say(`${power.running.length} running, ${power.frozen.length} frozen`);
  },
  undo() {},
};

/** So long ago, the pools and networks of a server with thousands of instances are not asked for again: that takes it a second. */
const justNowMs = 10_000;

interface Before {
  readonly power: StoredPower;
  readonly condition: Condition | undefined;
  /** Why a daemon that is there does not say how the rest is, in its words where it has any. */
  readonly refusal?: string | undefined;
}

/** What runs, and how the rest is; that is undefined where it does not answer, or not in time. */
async function askBefore(context: ApplyContext, daemon: DaemonRef): Promise<Before> {
  const { host, size, sourceInventory, wouldStart } = context;
  const socket = await answeringSocket(host, daemon);
  if (socket === undefined)
    return {
      power: recordPower(host, daemon, undefined, wouldStart),
      condition: undefined,
      // It would neither say what runs nor stop it.
      refusal: listens(context, daemon) ? 'LXD listens, and does not answer' : undefined,
    };
  const client = daemonClient(host, socket, size);
  const planned = context.askedByPlan();
  const listed = planned === undefined ? client.get(allInstances) : Promise.resolve(planned.list);
  const justNow =
    planned !== undefined && host.clock() - planned.at <= justNowMs ? planned.states : undefined;
  const [list, { said: states, unasked }] = await Promise.all([
    listed,
    answered(justNow === undefined ? askStates(client, listed) : Promise.resolve(justNow)),
  ]);
  const all = toStates(list);
  // A list that is some seconds old tells who may run; whether they do is asked now, as for those whose processes are there.
  const ran = all
    .filter(({ status }) => status !== 'Stopped')
    .map(({ project, name }) => `${project}/${name}`);
  const now = planned === undefined ? all : await statesOfRunning(host, client, daemon.dataDirectory, ran);
  return {
    power: recordPower(host, daemon, now, wouldStart),
    condition: states === undefined ? undefined : lookAtServer(host, daemon, sourceInventory(), states),
    refusal: unasked?.why === 'refused' ? unasked.words : undefined,
  };
}

export const stopDaemonStep: Of<'stop-daemon'> = {
  memo: daemonMemo,
  async apply({ step, memo, remember, context }) {
    if (memo === null) remember(await asItRuns(context, step.daemon));
    const socket = await answeringSocket(context.host, step.daemon);
    const last = socket === undefined ? undefined : await lastOnceReady(context, step.daemon, socket);
    await stopDaemon(
      context.host,
      step.daemon,
      limitFor(daemonLimitMs, context.size),
      besideStopping(step.daemon, context, socket, last),
    );
  },
  async undo(call) {
    const { step, context } = call;
    const before = memoOf(daemonMemo, call);
    if (before === null) return;
    const active = before.active ?? [];
    // Where the daemon was idle, its socket listened for it: that must listen again, and the daemon must not run.
    if (!before.ran) return startUnits(context, mustBeUp(active));
    if ((await answeringSocket(context.host, step.daemon)) !== undefined) return startUnits(context, active);
    await clearLooseVeths(context.host, bridgesOf(context, step.daemon), context.say);
    try {
      await startUntilReady(context, step.daemon, daemonLimitMs);
      await startUnits(context, active);
    } catch (error) {
      // An Incus that does not come up may be why somebody goes back: LXD runs again by now, and that is what counts.
      if (step.daemon.role === 'source' || !(error instanceof Failure)) throw error;
      context.warn(`Incus, which ran before, was not started again: ${error.message}`);
    }
  },
  undoIsIndependent: true,
  holds: ({ step: { daemon }, context }) => isBegun(context, 'start-daemon') || !listens(context, daemon),
  /** A restart of the machine while a rollback is under way starts nothing that is disabled or masked still. */
  holdsUndone: async (call) =>
    memoOf(daemonMemo, call)?.ran !== true ||
    (await answeringSocket(call.context.host, call.step.daemon)) !== undefined,
};

async function asItRuns({ host, warn }: ApplyContext, daemon: DaemonRef): Promise<DaemonMemo> {
  const ran = (await answeringSocket(host, daemon)) !== undefined;
  const units = daemon.service.kind === 'systemd' ? daemon.service.units : [];
  const active = (await unitActivity(host, units)).filter(isUp).map(({ unit }) => unit);
  const masked = active.filter((unit) => isMaskedByFile(host, unit));
  if (masked.length > 0)
    warn(`${masked.join(', ')}: active, and masked by somebody; once stopped, nothing can start it again`);
  return { ran, active: active.filter((unit) => !masked.includes(unit)) };
}

/** Those of its networks, as the plan has them. */
function bridgesOf({ journal, run }: ApplyContext, { dataDirectory }: DaemonRef): string[] {
  return journal
    .steps(run)
    .flatMap(({ step }) =>
      step.kind === 'clear-leftovers' && step.dataDirectory === dataDirectory ? step.bridges : [],
    );
}

function listens({ host }: ApplyContext, { sockets }: DaemonRef): boolean {
  return sockets.some((socket) => host.listener(socket) !== undefined);
}

/** Returns the socket. @throws {Failure<MigrateProblem>} daemon-did-not-start, with the last lines of its own log */
export async function startUntilReady(
  context: ApplyContext,
  daemon: DaemonRef,
  limitMs: number,
  answered: () => void = () => {},
): Promise<string> {
  const log = watchDaemonLog(context.host, daemon);
  try {
    const socket = await startDaemon(context.host, daemon, limitMs);
    answered();
    await daemonClient(context.host, socket, context.size).waitUntilReady(readyLimitMs(context));
    return socket;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw migrateFailure(
      {
        code: 'daemon-did-not-start',
        daemon: daemon.role === 'source' ? 'LXD' : 'Incus',
        why: [error.explanation.what, error.explanation.where]
          .filter((part) => part !== undefined)
          .join('\n'),
        lastLines: context.tellingLines(await log()),
      },
      error,
    );
  }
}

/** A daemon is ready when it has started every instance that it starts by itself. */
function readyLimitMs({ journal, run, size }: ApplyContext): number {
  const running = journal.noted(run, noteNames.power)?.running.length ?? 0;
  return startLimitFor(daemonLimitMs, size, running);
}

/** With the source stops its last instance; once that is gone, there is time to convert the database. */
function besideStopping(
  daemon: DaemonRef,
  context: ApplyContext,
  socket: string | undefined,
  last: LastInstance | undefined,
): WhileStopping | undefined {
  if (daemon.role === 'target') return undefined;
  const instance = last?.instance ?? '';
  const limitMs = Math.min(
    context.stopLimitMs,
    last === undefined ? Number.POSITIVE_INFINITY : last.forcedAfterMs - 3_000,
  );
  const work = heldUpBy(async () =>
    socket === undefined ? [] : runningOperations(daemonClient(context.host, socket, context.size)),
  );
  const convertAhead = (): void => {
    try {
      context.prepareConversion();
    } catch (error) {
      // It is ending, and its files may change under the reader; they are converted when it has.
      if (!(error instanceof Failure) && systemErrorCode(error) === undefined) throw error;
    }
  };
  return {
    instance,
    instancesGoneWithinMs: limitMs,
    waiting: (elapsedMs) => {
      work.throwBug();
      const operations = work.words();
      const whom = operations.length === 0 ? instance : `LXD to finish: ${firstOf(operations)}`;
      context.say(`waiting for ${whom}, ${Math.round(elapsedMs / 1000)} of ${limitMs / 1000} s`);
      // Something may have begun since it was asked before. The instance is watched meanwhile.
      work.ask();
    },
    heldUpBy: () => {
      work.throwBug();
      return work.words();
    },
    instancesGone: async () => {
      work.throwBug();
      context.journal.note(context.run, noteNames.instancesGoneAt, context.host.now().toISOString());
      await context.host.sleep(recordsStopWithinMs);
      convertAhead();
    },
    stillStopping: convertAhead,
  };
}

/** Makes sure that the daemon would wait for nothing else. @returns the source's last instance, where one still runs */
async function lastOnceReady(
  context: ApplyContext,
  daemon: DaemonRef,
  socket: string,
): Promise<LastInstance | undefined> {
  const client = daemonClient(context.host, socket, context.size);
  const ask = async (): Promise<LastInstance | undefined> =>
    daemon.role === 'source' ? lastOf(context, daemon, client) : undefined;
  const asked = ask();
  // Where the other fails, nobody waits for it; and nothing may go on behind a step that has failed.
  asked.catch(() => {});
  const tookLong = await readyToStop(context, daemon, client);
  return tookLong ? ask() : asked;
}

/** By its monitor: what still runs is one instance at most, and asking for all of them is part of the downtime of it. */
async function lastOf(
  { host }: ApplyContext,
  { dataDirectory }: DaemonRef,
  client: DaemonClient,
): Promise<LastInstance | undefined> {
  const [only, ...others] = runningInstances(host, dataDirectory);
  if (only === undefined) return undefined;
  return lastToStop(
    others.length === 0
      ? await statesOfRunning(host, client, dataDirectory, [instanceOfStorageName(only.storageName)])
      : await instanceStates(client),
  );
}

/** As long as answeringSocket waits for a first answer (daemon/client.ts). */
const answerLimitMs = 10_000;

export const stopInstancesStep: Of<'stop-instances'> = {
  async apply({ step, context }) {
    const { host } = context;
    const socket = await answeringSocket(host, step.daemon);
    if (socket !== undefined) {
      const client = daemonClient(host, socket, context.size);
      const { states, sessions } = await statesAtRest(context, client, step.daemon);
      // A user's own stop command may do anything: nothing runs any more when it is called.
      // Where force is allowed each gets its whole limit first, which is longer than what LXD gives the last one.
      const together = step.daemon.service.kind !== 'commands' && !context.forceStop;
      const last = together ? lastOutsideSessions(states, sessions) : undefined;
      refuseUnknownEphemeral(states, storedPower(context));
      sayOpenSessions(context, sessions, states);
      const stopping = stopThroughDaemon(client, states, ordersOf(context), last?.instance);
      stopping.catch(() => {});
      // They take their time, and this process has none once the last of them is gone.
      await onTheirWay();
      context.prepareComparison();
      await stopping;
      if (last !== undefined) context.say(`${last.instance} stops together with LXD`);
    } else if (listens(context, step.daemon))
      // It hangs, and would find its instances stopped behind its back.
      throw migrateFailure({ code: 'daemon-silent', daemon: 'LXD', limitMs: answerLimitMs, lastLines: [] });
    else await stopWithoutDaemon(host, step.daemon.dataDirectory, ordersOf(context));
  },
  /** Undone after the daemon has been started again, so that a wait finds what it started by itself. */
  async undo({ step, context }) {
    const power = storedPower(context);
    if (power.wouldStart === true || power.running.length + power.frozen.length === 0) return;
    const socket = await answeringSocket(context.host, step.daemon);
    // It did not come up a moment ago: its own undo says why, and is tried again.
    if (socket === undefined && shouldRun(context, step.daemon))
      throw migrateFailure({ code: 'daemon-silent', daemon: 'LXD', limitMs: 0, lastLines: [] });
    await restoreExactly(context, step.daemon, socket ?? (await startForItsInstances(context, step.daemon)));
  },
  undoIsIndependent: true,
  /** A restart of the machine while a rollback is under way starts what LXD starts by itself. */
  async holdsUndone({ step, context }) {
    const { host, journal, run } = context;
    // Recorded is what ran; the restart may come before the first instance was stopped as well.
    const power = journal.noted(run, noteNames.power);
    if (power === undefined || power.wouldStart === true) return true;
    const socket = await answeringSocket(host, step.daemon);
    if (socket === undefined) return true;
    const states = await instanceStates(daemonClient(host, socket, context.size));
    return runsExactly(states, withoutGone(context, power));
  },
  holds: ({ step: { daemon }, context }) =>
    isBegun(context, 'start-daemon') ||
    (!listens(context, daemon) && runningInstances(context.host, daemon.dataDirectory).length === 0),
};

/**
 * Of those that run, once nothing is in the making: what an interrupted run asked of the daemon goes on without it, and what the
 * daemon would wait for at its end is waited for while everything still runs.
 */
async function statesAtRest(
  context: ApplyContext,
  client: DaemonClient,
  daemon: DaemonRef,
): Promise<{ readonly states: InstanceState[]; readonly sessions: readonly RunningOperation[] }> {
  const { host, journal, run } = context;
  const power = journal.noted(run, noteNames.power);
  const names = [...(power?.running ?? []), ...(power?.frozen ?? [])];
  const ask = (): Promise<InstanceState[]> => statesOfRunning(host, client, daemon.dataDirectory, names);
  const [{ waited, sessions }, states] = await Promise.all([workDone(context, daemon, client), ask()]);
  return { states: waited ? await ask() : states, sessions };
}

/** With an open session in it, LXD would wait for the end of that before it stops the instance. */
function lastOutsideSessions(
  states: readonly InstanceState[],
  sessions: readonly RunningOperation[],
): LastInstance | undefined {
  const last = lastToStop(states);
  return sessions.some(({ instances }) => last !== undefined && instances.includes(last.instance))
    ? undefined
    : last;
}

/** Whether a step has stopped it while it ran, and is not undone. */
function shouldRun({ journal, run }: ApplyContext, { role }: DaemonRef): boolean {
  return journal
    .steps(run)
    .some(
      ({ step, state, memo }) =>
        step.kind === 'stop-daemon' &&
        step.daemon.role === role &&
        (state === 'begun' || state === 'done') &&
        daemonMemo.safeParse(memo).data?.ran === true,
    );
}

/** LXD was dead while its instances lived: they were stopped without it, and only it can start them again. */
async function startForItsInstances(context: ApplyContext, daemon: DaemonRef): Promise<string> {
  if (daemon.service.kind === 'none') throw migrateFailure({ code: 'source-not-startable' });
  context.warn('LXD did not run, and is started all the same: nothing else can start its instances again');
  return startUntilReady(context, daemon, daemonLimitMs);
}

/** LXD would delete it, and nobody was asked. */
function refuseUnknownEphemeral(states: readonly InstanceState[], power: StoredPower): void {
  const asked = new Set(power.ephemeral);
  const unknown = states.filter(
    ({ project, name, status, ephemeral }) =>
      ephemeral && status !== 'Stopped' && !asked.has(`${project}/${name}`),
  );
  if (unknown.length === 0) return;
  throw migrateFailure({
    code: 'plan-stale',
    differences: unknown.map(({ project, name }) => `instance ${project}/${name} is new, and ephemeral`),
  });
}

/**
 * Exactly what ran runs, apart from what a user accepted as gone. An instance that does not come to be as it was is left
 * open: the others, and everything else of a rollback, do not hang on it.
 */
export async function restoreExactly(
  context: ApplyContext,
  daemon: DaemonRef,
  socket: string,
  power: StoredPower = storedPower(context),
): Promise<void> {
  const client = daemonClient(context.host, socket, context.size);
  // States are about to change until these end; after the limit LXD's own refusal says more.
  await waitForOperations(context.host, client, {
    daemon,
    limitMs: context.stopLimitMs,
    which: (operation) => operation.instances.length > 0 && !isSession(operation),
    say: context.say,
    warn: context.warn,
  });
  for (const name of context.journal.noted(context.run, noteNames.acceptedAsGone) ?? [])
    if (name.startsWith('instance '))
      context.warn(`${name} is gone since the cutover, and is not started in LXD`);
  const outcomes = await restorePower(
    context.host,
    client,
    daemon.dataDirectory,
    withoutGone(context, power),
    context.say,
  );
  for (const { instance, wanted, error, gone } of outcomes) {
    // LXD deletes an ephemeral one when it stops; that was accepted, and nothing brings it back.
    if (gone === true) context.warn(`${instance} does not exist any more, so it cannot be started again`);
    else if (error !== undefined)
      context.leaveOpen(
        `instance ${instance} should be ${wanted.toLowerCase()} in LXD: ${withoutSecrets(context, error)}`,
      );
  }
}

function withoutGone({ journal, run }: ApplyContext, power: StoredPower): StoredPower {
  const accepted = new Set(journal.noted(run, noteNames.acceptedAsGone));
  const still = (names: readonly string[]): string[] =>
    names.filter((name) => !accepted.has(`instance ${name}`));
  return { ...power, running: still(power.running), frozen: still(power.frozen) };
}

function leftoversOf(
  host: Host,
  { daemon, bridges, pools = [] }: Extract<Step, { kind: 'start-daemon' }>,
): Leftovers {
  return {
    ...daemon,
    bridges,
    // Incus may have got pools since.
    pools: [...pools, ...poolsNow(host, daemon.dataDirectory)],
    interfaces: looseVeths(host, bridges),
    firewallTable: 'incus',
  };
}

export const startDaemonStep: Of<'start-daemon'> = {
  async apply({ step, memo, remember, context }) {
    const { host, say } = context;
    const { daemon } = step;
    // An Incus that died while it started leaves a dnsmasq that nobody knows: its network would stay down for ever.
    const diedBefore =
      memo !== null && !listens(context, daemon) && runningInstances(host, daemon.dataDirectory).length === 0;
    if (diedBefore) await clearLeftovers(host, leftoversOf(host, step), say, context.warn);
    remember({ tried: true });
    await startUntilReady(context, step.daemon, limitFor(apiLimitMs, context.size), () => {
      context.say('its API answers');
      context.journal.note(context.run, noteNames.apiAnsweredAt, context.host.now().toISOString());
    });
    await startUnits(context, othersThan(step.daemon, activeBefore(context.journal, context.run, 'target')));
  },
  async undo({ step, context }) {
    const { host, say } = context;
    const { daemon } = step;
    const socket = await answeringSocket(host, daemon);
    // One by one first: at its own shutdown a daemon waits 30 s for a frozen instance, and then forces it.
    if (socket !== undefined) {
      const client = daemonClient(host, socket, context.size);
      const states = await instanceStates(client);
      sayOpenSessions(context, (await operationsIfSaid(client)).filter(isSession), states);
      await stopThroughDaemon(client, states, ordersOf(context));
      await saidWhenNotDone(context, daemon, client);
    }
    await stopDaemon(host, daemon, limitFor(daemonLimitMs, context.size));
    const left = powerFromProcesses(host, daemon.dataDirectory);
    // Of a daemon that was killed the instances live on.
    if (left.running.length + left.frozen.length > 0)
      await stopWithoutDaemon(host, daemon.dataDirectory, ordersOf(context));
    await clearLeftovers(host, leftoversOf(host, step), say, context.warn);
    await provedQuiet(host, [daemon]);
  },
  holds: async ({ step: { daemon }, context: { host, journal, run } }) =>
    (await answeringSocket(host, daemon)) !== undefined &&
    (await unitsDown(host, othersThan(daemon, mustBeUp(activeBefore(journal, run, 'target'))))).length === 0,
  // Once the directory is back, what listens there is the Incus that was there before.
  holdsUndone: ({ step: { daemon }, context }) =>
    !isBegun(context, 'move-directory', 'move-mount', 'copy-directory') || !listens(context, daemon),
};

/** Units beside those by which the daemon itself is started, which are on their way up. */
function othersThan({ service }: DaemonRef, units: readonly string[]): string[] {
  const started = service.kind === 'systemd' ? service.start : [];
  return units.filter((unit) => !started.includes(unit));
}

/** A daemon's refusal may hold the value that it refuses. */
export function withoutSecrets({ tellingLines }: ApplyContext, words: string): string {
  return tellingLines(words).join('\n');
}

export const restorePowerStep: Of<'restore-power'> = {
  async apply({ step, context }) {
    const socket = await answeringSocket(context.host, step.daemon);
    if (socket === undefined)
      throw migrateFailure({ code: 'daemon-silent', daemon: 'Incus', limitMs: 0, lastLines: [] });
    const outcomes = await restorePower(
      context.host,
      daemonClient(context.host, socket, context.size),
      step.daemon.dataDirectory,
      storedPower(context),
      context.say,
    );
    // What would not start is verify's to report, with the daemon's own words; the others must still come up.
    context.journal.note(
      context.run,
      noteNames.outcomes,
      outcomes.map(({ error, ...outcome }) =>
        error === undefined ? outcome : { ...outcome, error: withoutSecrets(context, error) },
      ),
    );
  },
  undo() {},
  async holds({ step, context }) {
    const socket = await answeringSocket(context.host, step.daemon);
    if (socket === undefined) return false;
    const states = await instanceStates(daemonClient(context.host, socket, context.size));
    return runsExactly(states, storedPower(context));
  },
};
