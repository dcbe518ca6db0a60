// Waits for a state, never for a number of seconds; the limit is named when it is reached.
import { setTimeout as delay } from 'node:timers/promises';
import { coreFailure } from '../../src/core/core-problem.ts';

const pollMs = 25;

/**
 * Asks `probe` until it answers something other than undefined, and returns that.
 * @throws {Failure<CoreProblem>} wait-limit, with what `last` says about the last answer
 */
export async function waitFor<T>(
  what: string,
  limitMs: number,
  probe: () => Promise<T | undefined> | T | undefined,
  last: () => string = () => 'not yet',
): Promise<T> {
  const limit = performance.now() + limitMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > limit) throw coreFailure({ code: 'wait-limit', what, limitMs, last: last() });
    await delay(pollMs);
  }
}
