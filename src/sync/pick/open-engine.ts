// Opens everything that picking needs from the two repositories' paths, and picks requests one after another.
import { run } from '../../core/run.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import { openObjectReader } from '../git/object-reader.ts';
import { createObjectWriter, type ObjectWriter } from '../git/object-writer.ts';
import { type Objects, openObjects } from '../git/objects.ts';
import { openScratch } from '../git/scratch.ts';
import type { RulePack } from '../rules/model.ts';
import { openWorkshop, type PickRequest } from './open-workshop.ts';
import { engineHash, noCache, openPickCache, type PickCache } from './pick-cache.ts';
import { type DetailedPick, pickCommit } from './pick-commit.ts';
import type { Workshop } from './pick-view.ts';

export interface EngineOptions {
  readonly upstream: string;
  readonly fork: string;
  readonly cache: string;
  readonly pack: RulePack;
  /** The running program's own file, whose hash keys the cache. */
  readonly program: string;
}

export interface Engine {
  readonly pack: RulePack;
  readonly gitDir: string;
  readonly objects: Objects;
  readonly writer: ObjectWriter;
  /** Opens what requests share; asked for only when one of them is not in the cache. */
  workshop(requests: readonly PickRequest[]): Promise<Workshop>;
  /** Picks in order; `keep` writes the objects into the scratch repository and names each commit by a ref. */
  pick(requests: readonly PickRequest[], options: PickOptions): AsyncGenerator<DetailedPick>;
  close(): Promise<void>;
}

export interface PickOptions {
  readonly keep: boolean;
}

const timeoutMs = 120_000;
const flushEvery = 100;

export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { gitDir } = await openScratch(options.cache, options.upstream, options.fork);
  const reader = openObjectReader(gitDir);
  const objects = openObjects(reader);
  const writer = createObjectWriter(objects);
  const engine = engineHash(options.program);
  const cache = engine === undefined ? noCache : openPickCache(gitDir, engine, options.pack.hash);
  const workshop = (requests: readonly PickRequest[]): Promise<Workshop> =>
    openWorkshop({ pack: options.pack, gitDir, objects, writer, cache }, requests);

  async function* pick(requests: readonly PickRequest[], how: PickOptions): AsyncGenerator<DetailedPick> {
    let shop: Workshop | undefined;
    let refs: string[] = [];
    for (const [index, request] of requests.entries()) {
      let made = await remembered(cache, objects, request, how);
      if (made === undefined) {
        shop ??= await workshop(requests);
        made = await pickCommit(shop, request);
        // What blocks may be an object that somebody fetches: that is looked at anew.
        if (isWhole(shop) && made.result.status !== 'blocked') cache.set('pick', pickKey(request), made);
      }
      const { commit } = made.result;
      if (how.keep && commit !== undefined) refs.push(`update ${pickRef(request)} ${commit}\n`);
      if (!how.keep) writer.discard();
      if (how.keep && (refs.length >= flushEvery || index === requests.length - 1)) {
        await keepPicks(gitDir, writer, refs);
        refs = [];
      }
      yield made;
    }
  }

  return {
    pack: options.pack,
    gitDir,
    objects,
    writer,
    workshop,
    pick,
    async close() {
      cache.close();
      await reader.close();
    },
  };
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
  return `${request.upstream} ${request.onto}`;
}

async function remembered(
  cache: PickCache,
  objects: Objects,
  request: PickRequest,
  how: PickOptions,
): Promise<DetailedPick | undefined> {
  // The cache is a file of ours that only this engine with these rules writes: its entries have this shape.
  const found = cache.get('pick', pickKey(request)) as DetailedPick | undefined;
  if (found === undefined || !how.keep || found.result.commit === undefined) return found;
  return (await objects.commitIfHere(found.result.commit)) === undefined ? undefined : found;
}

async function keepPicks(gitDir: string, writer: ObjectWriter, refs: readonly string[]): Promise<void> {
  await writer.flush(gitDir);
  if (refs.length === 0) return;
  await run(['git', `--git-dir=${gitDir}`, 'update-ref', '--stdin'], {
    timeoutMs,
    env: gitEnvironment,
    input: Buffer.from(refs.join('')),
  });
}

/** Where the scratch repository keeps a pick, for `git fetch`. */
export function pickRef(request: PickRequest): string {
  return `refs/picks/${request.upstream}/${request.onto}`;
}
