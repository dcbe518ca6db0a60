// Picks one commit after another, each onto the pick before it; later picks see earlier ones as they see old imports.
import { appendCommit } from '../git/history.ts';
import { type DetailedPick, pickCommit } from './pick-commit.ts';
import type { Workshop } from './pick-view.ts';

export interface PickChain {
  /** The fork commit that the next pick goes onto. */
  tip(): string;
  /** `moreFollows`: further commits of its pull request are tried after it. */
  pick(upstream: string, moreFollows?: boolean): Promise<DetailedPick>;
  /** Goes on from a pick that has a commit. */
  accept(made: DetailedPick): Promise<void>;
}

/** Starts at a fork commit that the workshop knows. */
export function startChain(workshop: Workshop, onto: string): PickChain {
  let shop = workshop;
  let tip = onto;
  return {
    tip: () => tip,
    pick: (upstream, moreFollows = false) => pickCommit(shop, { upstream, onto: tip, moreFollows }),
    async accept({ result, outcomes }) {
      if (result.commit === undefined) return;
      const [theirs, before, made] = await Promise.all([
        shop.objects.commit(result.upstream),
        shop.objects.commit(result.onto),
        shop.objects.commit(result.commit),
      ]);
      const fork = appendCommit(shop.fork, made);
      const place = fork.commits.length - 1;
      const changes = await shop.objects.compare(before.tree, made.tree);
      const gone = changes.filter((change) => change.after === undefined);
      shop.forkMoves.append(
        place,
        gone.map(({ path }) => ({ from: path, to: movedTo(path, outcomes) })),
        changes.map(({ path, before: one, after: two }) => ({ path, before: one?.sha, after: two?.sha })),
      );
      shop = { ...shop, fork };
      tip = made.sha;
      const lesson = await shop.learnFrom(theirs, made);
      const upstream = shop.upstream.indexOf.get(theirs.sha);
      if (lesson !== undefined && upstream !== undefined)
        shop.memory.append({ pair: { fork: place, upstream, rivals: [] }, lesson });
    },
  };
}

/** Where a pick put a file that it moved. */
function movedTo(path: string, outcomes: DetailedPick['outcomes']): string | undefined {
  const moved = outcomes.find((outcome) => outcome.path === path && outcome.how === 'moved');
  return outcomes.find((outcome) => outcome.from === moved?.from && outcome.path !== path)?.path;
}
