// A chain of picks that remembers: what all picks share is opened only for a pick that is not known.
import { createHash } from 'node:crypto';
import type { Objects } from '../git/objects.ts';
import { isRemembered } from './cached-values.ts';
import type { PickCache } from './pick-cache.ts';
import { type PickChain, startChain } from './pick-chain.ts';
import type { DetailedPick } from './pick-commit.ts';
import type { Workshop } from './pick-view.ts';

export interface ChainSources {
  readonly cache: PickCache;
  readonly objects: Objects;
  /** What picks of some upstream commits share. */
  readonly workshop: (upstream: readonly string[]) => Promise<Workshop>;
  /** Whether results of a workshop may be kept: a clone that lacks history may know more the next time. */
  readonly isWhole: (shop: Workshop) => boolean;
}

export interface ChainStart {
  /** What may be picked, in this order. */
  readonly wanted: readonly string[];
  /** How many of them are likely to be tried after one another: what is opened for more is opened in vain. */
  readonly ahead: number;
  /** The fork commit. */
  readonly onto: string;
  /** Upstream commits that the fork has imported: what earlier imports taught hangs on them. */
  readonly imported: readonly string[];
}

interface Opened {
  readonly chain: PickChain;
  /** Upstream commits whose past is known to it. */
  readonly covers: ReadonlySet<string>;
  readonly lasting: boolean;
}

/** One entry for each upstream commit: the last time that it was tried. */
export interface Remembered {
  readonly start: string;
  readonly tip: string;
  /** Whether further commits of its pull request were tried after it. */
  readonly moreFollows: boolean;
  readonly made: DetailedPick;
  /** What decided it, where no commit came of it. */
  readonly decidedBy: string | undefined;
}

/**
 * A pick is known where it was tried in a chain from the same fork commit onto the same commit. What came to nothing (empty,
 * skipped, a conflict) is known on a later fork commit too, while nothing changed that decided it.
 */
export function openRememberedChain(sources: ChainSources, start: ChainStart): PickChain {
  const { onto, imported, wanted } = start;
  const { cache, objects } = sources;
  const accepted: DetailedPick[] = [];
  let tip = onto;
  let opened: Opened | undefined;
  /** The chain that can pick a commit; each pick sees only its own part, whatever else is open. */
  const openFor = async (upstream: string): Promise<Opened> => {
    if (opened?.covers.has(upstream) === true) return opened;
    const first = Math.max(0, wanted.indexOf(upstream));
    const covers = new Set([upstream, ...wanted.slice(first, first + start.ahead)]);
    opened = undefined;
    const shop = await sources.workshop([...covers]);
    const chain = startChain(shop, onto);
    for (const made of accepted) await chain.accept(made);
    opened = { chain, covers, lasting: sources.isWhole(shop) };
    return opened;
  };
  const surroundings = openSurroundings(objects, [...imported].toSorted(), () =>
    accepted.map(({ result }) => result.upstream),
  );

  const recall = async (upstream: string, moreFollows: boolean): Promise<DetailedPick | undefined> => {
    const found = cache.get('chain', upstream, isRemembered);
    if (found === undefined || found.moreFollows !== moreFollows) return undefined;
    const { made } = found;
    if (found.start === onto && found.tip === tip) {
      const { commit } = made.result;
      return commit === undefined || (await objects.commitIfHere(commit)) !== undefined ? made : undefined;
    }
    if (found.decidedBy === undefined) return undefined;
    if ((await surroundings.of(made, tip)) !== found.decidedBy) return undefined;
    return movedTo(made, found.tip, { sha: tip, tree: (await objects.commit(tip)).tree });
  };

  return {
    tip: () => tip,
    async pick(upstream, moreFollows = false) {
      const known = await recall(upstream, moreFollows);
      if (known !== undefined) return known;
      const { chain, lasting } = await openFor(upstream);
      const made = await chain.pick(upstream, moreFollows);
      // What blocks may be an object that somebody fetches: that is looked at anew.
      if (lasting && made.result.status !== 'blocked') {
        const decidedBy = cameToNothing(made) ? await surroundings.of(made, tip) : undefined;
        const entry: Remembered = { start: onto, tip, moreFollows, made, decidedBy };
        cache.set('chain', upstream, entry);
      }
      return made;
    },
    async accept(made) {
      if (made.result.commit === undefined) return;
      accepted.push(made);
      tip = made.result.commit;
      await opened?.chain.accept(made);
    },
  };
}

function cameToNothing({ result: { status } }: DetailedPick): boolean {
  return status === 'empty' || status === 'skipped' || status === 'conflict';
}

/** The same result on another fork commit: commands name the one that they go onto. */
function movedTo(
  made: DetailedPick,
  from: string,
  to: { readonly sha: string; readonly tree: string },
): DetailedPick {
  const { result } = made;
  const conflicts = result.conflicts.map((conflict) => ({
    ...conflict,
    next: conflict.next.replaceAll(from, to.sha),
  }));
  // What changes nothing has the tree that it went onto.
  const tree = result.tree === undefined ? undefined : to.tree;
  return { ...made, result: { ...result, onto: to.sha, tree, conflicts } };
}

/**
 * What decided a pick that came to nothing: the fork's files that it touches, the Go packages that they are in, which
 * files the fork has at all, and which imports it has learned from. (The rules are in the key of the cache.)
 */
function openSurroundings(
  objects: Objects,
  imported: readonly string[],
  accepted: () => readonly string[],
): { of(made: DetailedPick, tip: string): Promise<string> } {
  const names = new Map<string, Promise<string>>();
  const namesOf = async (tree: string): Promise<string> =>
    digest((await objects.compare(undefined, tree)).map(({ path }) => path));
  const learned = digest(imported);
  return {
    async of({ outcomes }, tip) {
      const { tree } = await objects.commit(tip);
      const all = names.get(tree) ?? namesOf(tree);
      names.set(tree, all);
      const paths = new Set(outcomes.flatMap(({ path, from }) => [path, from]));
      const folders = new Set(
        [...paths].filter((path) => path.endsWith('.go')).map((path) => path.slice(0, path.lastIndexOf('/'))),
      );
      const parts = [learned, digest(accepted()), await all];
      for (const path of [...paths, ...folders].toSorted())
        parts.push(`${path} ${(await objects.entry(tree, path))?.sha ?? 'none'}`);
      return digest(parts);
    },
  };
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0'), 'latin1').digest('base64url');
}
