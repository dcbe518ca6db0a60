// Ends what a daemon does before it is told to stop: it would wait for that first, and stop no instance until then.
import { Failure } from '../../core/failure.ts';
import { inTurn } from '../../core/in-turn.ts';
import { firstOf } from '../../core/text.ts';
import type { DaemonClient } from '../daemon/client.ts';
import {
  isSession,
  isStopOrder,
  operationInWords,
  type RunningOperation,
  runningOperations,
} from '../daemon/operations.ts';
import { instanceOfStorageName, runningInstances } from '../machine/running.ts';
import type { DaemonRef } from '../model/step.ts';
import { migrateFailure } from '../problem.ts';
import { type InstanceState, instanceState, type StopOrders, stopThroughDaemon } from './power.ts';
import type { ApplyContext } from './step-handler.ts';
import { openSessions, productOf, waitForOperations } from './wait-for-operations.ts';

export function ordersOf({ stopLimitMs, forceStop, say, warn }: ApplyContext): StopOrders {
  return { limitMs: stopLimitMs, force: forceStop, say, warn };
}

/**
 * Waits until nothing is in the making: no backup, copy or download. Sessions are not waited for.
 * @throws {Failure<MigrateProblem>} operations-running
 */
export async function workDone(
  context: ApplyContext,
  daemon: DaemonRef,
  client: DaemonClient,
): Promise<{ readonly waited: boolean; readonly sessions: readonly RunningOperation[] }> {
  const { waited, left, others } = await waitForOperations(context.host, client, {
    ...orders(context, daemon),
    which: (operation) => !isSession(operation),
  });
  const inTheWay = left.filter((operation) => !isStopOrder(operation));
  if (inTheWay.length > 0)
    throw migrateFailure({
      code: 'operations-running',
      daemon: productOf(daemon),
      operations: inTheWay.map((operation) => `${operationInWords(operation)}, operation ${operation.id}`),
      limitMs: context.stopLimitMs,
    });
  return { waited, sessions: others };
}

/**
 * Nothing is left for which the daemon would wait by itself (core.shutdown_timeout, five minutes): an instance that
 * still runs and has an open session is stopped, since it would not stop before that time is over.
 * @returns whether that took a while: what runs may be another then
 * @throws {Failure<MigrateProblem>} operations-running, instance-will-not-stop
 */
export async function readyToStop(
  context: ApplyContext,
  daemon: DaemonRef,
  client: DaemonClient,
): Promise<boolean> {
  const { waited, sessions } = await workDone(context, daemon, client);
  if (sessions.length === 0) return waited;
  const used = new Set(sessions.flatMap(({ instances }) => instances));
  const stopping = runningInstances(context.host, daemon.dataDirectory)
    .map(({ storageName }) => instanceOfStorageName(storageName))
    .filter((instance) => used.has(instance));
  const states = await inTurn(stopping, 4, (instance) => instanceState(client, instance));
  sayOpenSessions(context, sessions, states);
  await stopThroughDaemon(client, states, ordersOf(context));
  await saidWhenNotDone(context, daemon, client);
  return true;
}

/** Its own wait would be silent. What is not done in time, or what it does not tell, is left to it. */
export async function saidWhenNotDone(
  context: ApplyContext,
  daemon: DaemonRef,
  client: DaemonClient,
): Promise<void> {
  try {
    const { left } = await waitForOperations(context.host, client, {
      ...orders(context, daemon),
      which: () => true,
    });
    if (left.length === 0) return;
    const words = firstOf([...new Set(left.map(operationInWords))]);
    context.warn(`${productOf(daemon)} is told to stop, and itself waits for the end of: ${words}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

/** @param states of those that are about to be stopped */
export function sayOpenSessions(
  { warn }: Pick<ApplyContext, 'warn'>,
  sessions: readonly RunningOperation[],
  states: readonly InstanceState[],
): void {
  const stopping = new Set(
    states.filter(({ status }) => status !== 'Stopped').map(({ project, name }) => `${project}/${name}`),
  );
  const ending = sessions.map((session) => ({
    ...session,
    instances: session.instances.filter((instance) => stopping.has(instance)),
  }));
  for (const line of openSessions(ending)) warn(line);
}

/** What a daemon does now; a daemon that does not say it stands in nobody's way. */
export async function operationsIfSaid(client: DaemonClient): Promise<readonly RunningOperation[]> {
  try {
    return await runningOperations(client);
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

function orders({ stopLimitMs, say, warn }: ApplyContext, daemon: DaemonRef) {
  return { daemon, limitMs: stopLimitMs, say, warn } as const;
}
