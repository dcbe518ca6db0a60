// Opens everything that picking needs from the two repositories' paths, and picks requests in one thread or two.
import { availableParallelism } from 'node:os';
import { findGo } from '../build/find-go.ts';
import { type GitMemory, openObjectReader } from '../git/object-reader.ts';
import { createObjectWriter, type ObjectWriter } from '../git/object-writer.ts';
import { type Objects, openObjects } from '../git/objects.ts';
import { openScratch } from '../git/scratch.ts';
import { createGoIndexer } from '../rewrite/go/go-index.ts';
import type { RulePack } from '../rules/model.ts';
import { isPick } from './cached-values.ts';
import { checkRange } from './check-range.ts';
import { goFilesIn, openWorkshop, type PickRequest } from './open-workshop.ts';
import { claimBlocks, nameCommits, type PlacedPick, pickBatches } from './pick-batches.ts';
import { engineHash, openCacheFor } from './pick-cache.ts';
import type { PickChain } from './pick-chain.ts';
import type { DetailedPick } from './pick-commit.ts';
import type { Doubt } from './pick-result.ts';
import type { Workshop } from './pick-view.ts';
import { type ChainStart, openRememberedChain } from './remembered-chain.ts';
import { type Helper, startHelper } from './start-helper.ts';

export interface EngineOptions {
  readonly upstream: string;
  readonly fork: string;
  readonly cache: string;
  readonly pack: RulePack;
  /** The running program's own file, whose hash keys the cache. */
  readonly program: string;
  /** Threads that pick; two where there are two processors and enough to do, unless told. */
  readonly threads?: 1 | 2;
  /** What git may take to read objects: `little` unless told. */
  readonly gitMemory?: GitMemory;
  /** Gets what people should know about the cache. */
  readonly note?: (text: string) => void;
}

export interface Engine {
  readonly pack: RulePack;
  readonly gitDir: string;
  readonly objects: Objects;
  readonly writer: ObjectWriter;
  /** Picks one after another, each onto the pick before it; opens what they share only when one is not in the cache. */
  chain(start: ChainStart): PickChain;
  /** Opens what requests share; asked for only when one of them is not in the cache. */
  workshop(requests: readonly PickRequest[]): Promise<Workshop>;
  /**
   * Picks, and gives the picks in the order of the requests. `keep` writes the objects into the scratch repository and
   * names each commit by a ref, both before the pick is given.
   */
  pick(requests: readonly PickRequest[], options: PickOptions): AsyncGenerator<DetailedPick>;
  /** What does not compile on one fork commit and did on another, by the sources. */
  checkRange(from: string, to: string): Promise<readonly Doubt[]>;
  close(): Promise<void>;
}

export interface PickOptions {
  readonly keep: boolean;
  /** Ends after the pick that is under way; picks that were made are still given. */
  readonly signal?: AbortSignal;
}

/** Below this a second thread takes longer to open than it saves. */
const worthHelp = 40;

export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { pack } = options;
  const note = options.note ?? (() => {});
  const [{ gitDir }, installedGo] = await Promise.all([
    openScratch(options.cache, options.upstream, options.fork),
    findGo(),
  ]);
  const hash = engineHash(options.program);
  const cache = openCacheFor(gitDir, { engine: hash, pack, installedGo }, note);
  const reader = openObjectReader(gitDir, options.gitMemory);
  const objects = openObjects(reader, options.gitMemory);
  const writer = createObjectWriter(objects);
  const workshop = (requests: readonly PickRequest[]): Promise<Workshop> =>
    openWorkshop({ pack, gitDir, objects, writer, cache, installedGo }, requests);

  /** A pick that the cache holds, if its commit is here still. */
  const remembered = async (request: PickRequest, keep: boolean): Promise<DetailedPick | undefined> => {
    const found = cache.get('pick', pickKey(request), isPick);
    const commit = found?.result.commit;
    if (!keep || commit === undefined) return found;
    return (await objects.commitIfHere(commit)) === undefined ? undefined : found;
  };

  async function* pick(requests: readonly PickRequest[], how: PickOptions): AsyncGenerator<DetailedPick> {
    const { keep, signal } = how;
    const places: number[] = [];
    const known: DetailedPick[] = [];
    for (const [index, request] of requests.entries()) {
      const found = await remembered(request, keep);
      if (found === undefined) places.push(index);
      else known.push(found);
    }
    if (keep) await nameCommits(gitDir, known);
    const unknown = new Set(places);
    const arrived = new Map<number, DetailedPick>();
    let next = 0;
    async function* inOrder(): AsyncGenerator<DetailedPick> {
      for (; next < requests.length; next += 1) {
        const request = requests[next];
        const found =
          unknown.has(next) || request === undefined ? arrived.get(next) : await remembered(request, false);
        if (found === undefined) return;
        arrived.delete(next);
        yield found;
      }
    }
    yield* inOrder();
    for await (const batch of pickUnknown(requests, places, keep, signal)) {
      for (const { index, pick: made } of batch) arrived.set(index, made);
      yield* inOrder();
    }
  }

  async function* pickUnknown(
    requests: readonly PickRequest[],
    places: readonly number[],
    keep: boolean,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly PlacedPick[]> {
    if (places.length === 0) return;
    const counter = new Int32Array(new SharedArrayBuffer(8));
    const stopped = (): boolean => signal?.aborted === true;
    const stop = (): void => void Atomics.store(counter, 1, 1);
    signal?.addEventListener('abort', stop);
    const helper = isWorthHelp(options.threads, places.length)
      ? startHelper({ gitDir, pack, engine: hash, installedGo, requests, places, keep, counter })
      : undefined;
    try {
      const shop = await openWorkshop(
        {
          pack,
          gitDir,
          objects,
          writer,
          cache,
          installedGo,
          ...(helper === undefined ? {} : { partner: helper.partner, first: requests[places[0] ?? 0] }),
        },
        requests,
      );
      const whole = isWhole(shop);
      const claim = claimBlocks(counter, places);
      const own = pickBatches({ shop, writer, gitDir, requests, claim, keep, stopped });
      for await (const batch of bothBatches(own, helper)) {
        for (const { index, pick: made } of batch) {
          const request = requests[index];
          // What blocks may be an object that somebody fetches: that is looked at anew.
          const lasting = whole && made.result.status !== 'blocked';
          if (lasting && request !== undefined) cache.set('pick', pickKey(request), made);
        }
        yield batch;
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      await helper?.end();
    }
  }

  return {
    pack,
    gitDir,
    objects,
    writer,
    chain: (start) =>
      openRememberedChain(
        {
          cache,
          objects,
          workshop: (upstream) => workshop(upstream.map((sha) => ({ upstream: sha, onto: start.onto }))),
          isWhole,
        },
        start,
      ),
    workshop,
    pick,
    checkRange: (from, to) =>
      checkRange({ objects, indexer: createGoIndexer(objects, goFilesIn(cache)), installedGo }, from, to),
    async close() {
      cache.close();
      await reader.close();
    },
  };
}

function isWorthHelp(threads: 1 | 2 | undefined, picks: number): boolean {
  if (threads !== undefined) return threads === 2;
  return availableParallelism() > 1 && picks >= worthHelp;
}

/** The batches made here and by the helper, as they are finished. */
async function* bothBatches(
  own: AsyncGenerator<readonly PlacedPick[]>,
  helper: Helper | undefined,
): AsyncGenerator<readonly PlacedPick[]> {
  for await (const batch of own) {
    yield batch;
    yield* helper?.arrived() ?? [];
  }
  if (helper === undefined) return;
  for (let batch = await helper.next(); batch !== undefined; batch = await helper.next()) yield batch;
}

/** Results from a clone that lacks history are not remembered: more may be known the next time. */
function isWhole(shop: Workshop): boolean {
  return (
    shop.forkMoves.unread === 0 &&
    shop.upstreamMoves.unread === 0 &&
    shop.fork.cutOff.length === 0 &&
    shop.upstream.cutOff.length === 0
  );
}

function pickKey(request: PickRequest): string {
  return `${request.upstream} ${request.onto}${request.moreFollows === true ? ' +' : ''}`;
}
