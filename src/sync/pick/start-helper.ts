// Starts the second thread and passes messages between it and the one that picks here.
import { Worker } from 'node:worker_threads';
import { Failure } from '../../core/failure.ts';
import { openMailbox, type Partner } from './partner.ts';
import type { PlacedPick } from './pick-batches.ts';
import type { HelperMessage, HelperTask } from './pick-thread.ts';

export interface Helper {
  readonly partner: Partner;
  /** The picks that have come in by now. */
  arrived(): readonly (readonly PlacedPick[])[];
  /** The next picks that came in; undefined once the helper is done. */
  next(): Promise<readonly PlacedPick[] | undefined>;
  end(): Promise<void>;
}

/** As small a young generation as bin/fork-sync.js gives the first thread. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 4096 };

export function startHelper(task: HelperTask): Helper {
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js';
  const thread = new Worker(new URL(`./pick-thread.${extension}`, import.meta.url), {
    workerData: task,
    resourceLimits,
    execArgv: [],
  });
  const mailbox = openMailbox(0, (name, value) => thread.postMessage({ name, value }));
  let inbox: (readonly PlacedPick[])[] = [];
  let over: { readonly error: unknown } | 'done' | undefined;
  let wake = (): void => {};
  const end = (how: { readonly error: unknown } | 'done'): void => {
    over ??= how;
    if (over !== 'done') mailbox.fail(over.error);
    wake();
  };
  thread.on('message', (message: HelperMessage) => {
    if (message.kind === 'share') mailbox.deliver(message.name, message.value);
    else if (message.kind === 'picks') inbox.push(message.picks);
    else if (message.kind === 'done') end('done');
    else end({ error: failureOf(message) });
    wake();
  });
  thread.on('error', (error) => end({ error }));
  thread.on('exit', (code) => end({ error: new Error(`the second thread ended with ${code}`) }));
  return {
    partner: mailbox.partner,
    arrived() {
      const all = inbox;
      inbox = [];
      return all;
    },
    async next() {
      for (;;) {
        const first = inbox[0];
        if (first !== undefined) {
          inbox = inbox.slice(1);
          return first;
        }
        if (over === 'done') return undefined;
        if (over !== undefined) throw over.error;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async end() {
      await thread.terminate();
    },
  };
}

function failureOf(message: Extract<HelperMessage, { kind: 'failed' }>): Error {
  if (message.known === undefined) return new Error(message.stack);
  const { problem, explanation, exitCode } = message.known;
  return new Failure(problem, explanation, { exitCode });
}
