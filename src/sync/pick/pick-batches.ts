// Picks block after block until none is left, and hands picks on in batches that are written out before.
import { run } from '../../core/run.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import type { ObjectWriter } from '../git/object-writer.ts';
import { timeLimit } from '../git/time-limit.ts';
import type { PickRequest } from './open-workshop.ts';
import { type DetailedPick, pickCommit } from './pick-commit.ts';
import type { Workshop } from './pick-view.ts';

/** A pick with its place among the requests. */
export interface PlacedPick {
  readonly index: number;
  readonly pick: DetailedPick;
}

export interface BatchSources {
  readonly shop: Workshop;
  readonly writer: ObjectWriter;
  readonly gitDir: string;
  readonly requests: readonly PickRequest[];
  /** Places of the requests in the next block; undefined when there is none. */
  readonly claim: () => readonly number[] | undefined;
  /** Objects are written into the scratch repository and each commit is named by a ref. */
  readonly keep: boolean;
  readonly stopped: () => boolean;
}

const largestBatch = 64;
/** Nobody waits longer than this for a pick that is made. */
const batchMs = 1000;

export async function* pickBatches(sources: BatchSources): AsyncGenerator<readonly PlacedPick[]> {
  let batch: PlacedPick[] = [];
  let begun = performance.now();
  const finish = async (): Promise<readonly PlacedPick[]> => {
    const done = batch;
    if (sources.keep) await keepPicks(sources.gitDir, sources.writer, done);
    batch = [];
    begun = performance.now();
    return done;
  };
  for (let block = sources.claim(); block !== undefined; block = sources.claim())
    for (const index of block) {
      if (sources.stopped()) break;
      const request = sources.requests[index];
      if (request === undefined) continue;
      batch.push({ index, pick: await pickCommit(sources.shop, request) });
      sources.shop.store.trim();
      if (!sources.keep) sources.writer.discard();
      if (batch.length >= largestBatch || performance.now() - begun > batchMs) yield await finish();
    }
  if (batch.length > 0) yield await finish();
}

async function keepPicks(gitDir: string, writer: ObjectWriter, picks: readonly PlacedPick[]): Promise<void> {
  await writer.flush(gitDir);
  await nameCommits(
    gitDir,
    picks.map(({ pick }) => pick),
  );
}

/** Names the commits of picks by refs; another process may be naming the same ones. */
export async function nameCommits(gitDir: string, picks: readonly DetailedPick[]): Promise<void> {
  // What was asked for twice is named once: git refuses two updates of a ref, and both are the same.
  const lines = new Set(
    picks.flatMap(({ result }) =>
      result.commit === undefined ? [] : [`update ${pickRef(result)} ${result.commit}\n`],
    ),
  );
  if (lines.size === 0) return;
  await run(['git', `--git-dir=${gitDir}`, '-c', 'core.filesRefLockTimeout=20000', 'update-ref', '--stdin'], {
    timeoutMs: timeLimit(120_000, lines.size, 50),
    env: gitEnvironment,
    input: Buffer.from([...lines].join('')),
  });
}

/** Where the scratch repository keeps a pick, for `git fetch`. */
export function pickRef(request: PickRequest): string {
  return `refs/picks/${request.upstream}/${request.onto}`;
}

const blockSize = 8;

/** Whoever is free takes the next block, so that picks are finished in about the order in which they were asked for. */
export function claimBlocks(
  counter: Int32Array,
  places: readonly number[],
): () => readonly number[] | undefined {
  const blocks = Math.ceil(places.length / blockSize);
  return () => {
    const block = Atomics.add(counter, 0, 1);
    return block >= blocks ? undefined : places.slice(block * blockSize, (block + 1) * blockSize);
  };
}
