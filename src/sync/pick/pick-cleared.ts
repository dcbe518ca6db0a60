// Picks as asked for, but for commits that their licence bars and that upstream has on another branch: there from.
import type { ScanTip } from '../scan/scan-result.ts';
import { findClearedTwins } from './find-cleared-twins.ts';
import type { Engine, PickOptions } from './open-engine.ts';
import type { PickRequest } from './open-workshop.ts';
import type { DetailedPick } from './pick-commit.ts';

export interface ClearedPick {
  /** Its `upstream` is the commit that was asked for. */
  readonly pick: DetailedPick;
  /** What was picked: the same, unless a reason says otherwise. */
  readonly request: PickRequest;
}

/** In the order of the requests, as `Engine.pick` gives them. */
export async function* pickCleared(
  engine: Engine,
  branchTips: () => Promise<readonly ScanTip[]>,
  requests: readonly PickRequest[],
  options: PickOptions,
): AsyncGenerator<ClearedPick> {
  const twins = await findClearedTwins(
    engine.objects,
    engine.pack,
    branchTips,
    requests.map(({ upstream }) => upstream),
  );
  const real = requests.map(({ upstream, onto }) => ({
    upstream: twins.get(upstream)?.sha ?? upstream,
    onto,
  }));
  let index = 0;
  for await (const pick of engine.pick(real, options)) {
    const [asked, request] = [requests[index], real[index]];
    index += 1;
    if (asked === undefined || request === undefined) return;
    const twin = twins.get(asked.upstream);
    const { result } = pick;
    const told =
      twin === undefined
        ? pick
        : {
            ...pick,
            result: { ...result, upstream: asked.upstream, reasons: [twin.reason, ...result.reasons] },
          };
    yield { pick: told, request };
  }
}
