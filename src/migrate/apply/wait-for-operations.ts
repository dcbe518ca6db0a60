// Waits for what a daemon does in the background, and says what that is.
import type { Host } from '../../core/host.ts';
import { firstOf } from '../../core/text.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { operationInWords, type RunningOperation, runningOperations } from '../daemon/operations.ts';
import type { DaemonRef } from '../model/step.ts';

export interface OperationWait {
  readonly daemon: Pick<DaemonRef, 'role'>;
  readonly limitMs: number;
  /** Those that are waited for. */
  readonly which: (operation: RunningOperation) => boolean;
  /** A line for the person who waits. */
  readonly say: (text: string) => void;
  /** A line that stays. */
  readonly warn: (text: string) => void;
}

export interface OperationsAfterWait {
  readonly waited: boolean;
  /** Those that were waited for and have not ended within the limit. */
  readonly left: readonly RunningOperation[];
  /** Those that were not waited for. */
  readonly others: readonly RunningOperation[];
}

const namedInLine = 5;
/** What takes longer is said in a line that stays: nobody may be at the terminal. */
const longMs = 2_000;

/** Until none of them runs any more, or the limit is over. */
export async function waitForOperations(
  host: Host,
  client: DaemonClient,
  { daemon, limitMs, which, say, warn }: OperationWait,
): Promise<OperationsAfterWait> {
  const begun = host.clock();
  const product = productOf(daemon);
  let told = Number.NEGATIVE_INFINITY;
  let warned = false;
  for (;;) {
    const running = await runningOperations(client);
    const left = running.filter(which);
    const elapsed = host.clock() - begun;
    if (left.length === 0 || elapsed >= limitMs)
      return {
        waited: told > Number.NEGATIVE_INFINITY,
        left,
        others: running.filter((operation) => !which(operation)),
      };
    const words = firstOf([...new Set(left.map(operationInWords))], namedInLine);
    if (elapsed - told >= 1_000) {
      told = elapsed;
      say(`waiting for ${product} to finish, ${Math.round(elapsed / 1000)} of ${limitMs / 1000} s: ${words}`);
    }
    if (!warned && elapsed >= longMs) {
      warned = true;
      warn(`waiting up to ${limitMs / 1000} s for ${product} to finish: ${words}`);
    }
    await host.sleep(100);
  }
}

/** A line for each instance in which somebody works. */
export function openSessions(operations: readonly RunningOperation[]): string[] {
  const byInstance = new Map<string, string[]>();
  for (const { instances, description } of operations)
    for (const instance of instances)
      byInstance.set(instance, [...(byInstance.get(instance) ?? []), description]);
  return [...byInstance].map(([instance, descriptions]) => {
    const words = [...new Set(descriptions)].join(', ');
    return descriptions.length === 1
      ? `an open session in ${instance} (${words}) ends when the instance stops`
      : `${descriptions.length} open sessions in ${instance} (${words}) end when the instance stops`;
  });
}

export function productOf({ role }: Pick<DaemonRef, 'role'>): 'LXD' | 'Incus' {
  return role === 'source' ? 'LXD' : 'Incus';
}
