// Lets requests that were just made reach the other side, before work that keeps this process busy.
import { setImmediate } from 'node:timers/promises';

/** One turn of the event loop to connect, one to write. */
export async function onTheirWay(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
