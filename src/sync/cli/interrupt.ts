// Ctrl-C and SIGTERM as a signal that a command looks at: what was made is given first.
import { isMainThread, parentPort } from 'node:worker_threads';

const signals = ['SIGINT', 'SIGTERM'];

/** Aborted at the first interruption; a second one ends the process as ever. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  if (isMainThread) {
    for (const signal of signals) process.once(signal, stop);
  } else {
    // Only the first thread gets signals: bin/fork-sync.js passes on those that it is told of.
    parentPort?.once('message', stop);
    parentPort?.unref();
    parentPort?.postMessage(signals);
  }
  return controller.signal;
}
