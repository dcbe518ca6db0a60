// A second thread that helps with picks: opens the same workshop, takes every block that is free, sends picks home.
import { parentPort, workerData } from 'node:worker_threads';
import { Failure } from '../../core/failure.ts';
import type { InstalledGo } from '../build/find-go.ts';
import { openObjectReader } from '../git/object-reader.ts';
import { createObjectWriter } from '../git/object-writer.ts';
import { openObjects } from '../git/objects.ts';
import type { RulePack } from '../rules/model.ts';
import { openWorkshop, type PickRequest } from './open-workshop.ts';
import { openMailbox } from './partner.ts';
import { claimBlocks, type PlacedPick, pickBatches } from './pick-batches.ts';
import { openCacheFor } from './pick-cache.ts';

/** What the thread is started with. */
export interface HelperTask {
  readonly gitDir: string;
  readonly pack: RulePack;
  readonly engine: string | undefined;
  readonly installedGo: InstalledGo | undefined;
  readonly requests: readonly PickRequest[];
  /** Places of the requests that are to be picked. */
  readonly places: readonly number[];
  readonly keep: boolean;
  /** How many blocks were taken, and whether to stop; shared with whoever began. */
  readonly counter: Int32Array;
}

export type HelperMessage =
  | { readonly kind: 'share'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'picks'; readonly picks: readonly PlacedPick[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly known: KnownFailure | undefined; readonly stack: string };

/** A failure as data: an error loses its class on the way to another thread. */
export type KnownFailure = Pick<Failure, 'problem' | 'explanation' | 'exitCode'>;

export interface HelperOrder {
  readonly name: string;
  readonly value: unknown;
}

const port = parentPort;
if (port !== null) {
  const post = (message: HelperMessage): void => port.postMessage(message);
  const mailbox = openMailbox(1, (name, value) => post({ kind: 'share', name, value }));
  port.on('message', (order: HelperOrder) => mailbox.deliver(order.name, order.value));
  try {
    // Whoever starts this thread gives it nothing else.
    await help(workerData as HelperTask);
    post({ kind: 'done' });
  } catch (error) {
    const known = error instanceof Failure ? knownFailure(error) : undefined;
    post({ kind: 'failed', known, stack: error instanceof Error ? String(error.stack) : String(error) });
  } finally {
    port.close();
  }

  function knownFailure({ problem, explanation, exitCode }: Failure): KnownFailure {
    return { problem, explanation, exitCode };
  }

  async function help(task: HelperTask): Promise<void> {
    const { gitDir, pack, requests, places, keep, counter, installedGo } = task;
    const reader = openObjectReader(gitDir);
    const cache = openCacheFor(gitDir, { engine: task.engine, pack, installedGo }, () => {});
    try {
      const objects = openObjects(reader);
      const writer = createObjectWriter(objects);
      const shared = { partner: mailbox.partner, first: requests[places[0] ?? 0] };
      const sources = { pack, gitDir, objects, writer, cache, installedGo, ...shared };
      const shop = await openWorkshop(sources, requests);
      const claim = claimBlocks(counter, places);
      const stopped = (): boolean => Atomics.load(counter, 1) !== 0;
      for await (const picks of pickBatches({ shop, writer, gitDir, requests, claim, keep, stopped }))
        post({ kind: 'picks', picks });
    } finally {
      cache.close();
      await reader.close();
    }
  }
}
