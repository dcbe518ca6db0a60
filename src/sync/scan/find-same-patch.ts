// Finds fork commits by what they change; only such of the fork are read as have the shape of an upstream one.
import { inTurn } from '../../core/in-turn.ts';
import { changesOf } from '../gate/judge-whole.ts';
import type { History } from '../git/history.ts';
import type { Change } from '../git/objects.ts';
import { isMissingObject } from '../problem.ts';
import { compileBrand } from '../rewrite/brand.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { CommitFacts } from './commit-facts.ts';
import { type PatchContext, patchKeyOf, shapeOf } from './patch-key.ts';
import { isText } from './scan-cache.ts';
import type { ScanSources } from './scan-sources.ts';

const atOnce = 64;

export function openPatches(
  { pack, objects, cache }: ScanSources,
  fork: History<CommitFacts>,
  taken: ReadonlySet<string>,
) {
  const generated = pack.merge.filter((rule) => rule.driver === 'generated').flatMap((rule) => rule.files);
  const ignored = [...generated, ...pack.skip.flatMap((rule) => rule.files ?? [])];
  const context: PatchContext = {
    objects,
    brand: compileBrand(pack),
    isIgnored: (path) => matchesAnyGlob(ignored, path),
  };
  const rememberedShapes = cache.read('shapes', isText);
  const rememberedKeys = cache.read('patches', isText);
  const shapes = new Map<string, string>();
  const keys = new Map<string, string>();
  let missing = 0;
  const changes = async (sha: string) => changesOf(objects, await objects.commit(sha));
  const remember =
    (
      known: (sha: string) => string | undefined,
      fresh: Map<string, string>,
      make: (changes: readonly Change[]) => Promise<string | undefined>,
    ) =>
    async (sha: string): Promise<string> => {
      const before = known(sha) ?? fresh.get(sha);
      if (before !== undefined) return before;
      try {
        const made = (await make(await changes(sha))) ?? '';
        fresh.set(sha, made);
        return made;
      } catch (error) {
        if (!isMissingObject(error)) throw error;
        missing += 1;
        return '';
      }
    };
  const shape = remember(rememberedShapes, shapes, async (list) => shapeOf(context, list));
  const key = remember(rememberedKeys, keys, (list) => patchKeyOf(context, list));
  const byShape = new Map<string, string[]>();
  /** Fork commits that may be what was looked at. */
  const wanted = new Set<string>();
  const used = new Set<string>();
  const free = fork.commits.filter(({ sha, parents }) => parents.length < 2 && !taken.has(sha));
  return {
    unread: () => missing,
    async indexFork(): Promise<void> {
      await inTurn(free, atOnce, ({ sha }) => shape(sha));
      for (const { sha } of free) {
        const made = await shape(sha);
        if (made === '') continue;
        const list = byShape.get(made);
        if (list === undefined) byShape.set(made, [sha]);
        else list.push(sha);
      }
    },
    /** What an upstream commit does, as far as it takes to find it in the fork. */
    async look(sha: string): Promise<void> {
      const candidates = byShape.get(await shape(sha)) ?? [];
      if (candidates.length === 0) return;
      for (const candidate of candidates) wanted.add(candidate);
      await key(sha);
    },
    lookAtFork: () => inTurn([...wanted], atOnce, key),
    async sameInFork(sha: string): Promise<string | undefined> {
      const candidates = byShape.get(await shape(sha)) ?? [];
      if (candidates.length === 0) return undefined;
      const wanted = await key(sha);
      if (wanted === '') return undefined;
      for (const candidate of candidates) {
        // One fork commit answers for one upstream commit: what is done twice has to be found twice.
        if (used.has(candidate) || (await key(candidate)) !== wanted) continue;
        used.add(candidate);
        return candidate;
      }
      return undefined;
    },
    /** The first of some commits that makes the same change. */
    async sameAmong(sha: string, candidates: readonly string[]): Promise<string | undefined> {
      const own = candidates.length === 0 ? '' : await shape(sha);
      if (own === '') return undefined;
      for (const candidate of candidates) {
        if ((await shape(candidate)) !== own) continue;
        const wanted = await key(sha);
        if (wanted !== '' && (await key(candidate)) === wanted) return candidate;
      }
      return undefined;
    },
    /** By shape, those of some commits that have one of the wanted shapes. */
    async byShape(
      candidates: readonly string[],
      wanted: ReadonlySet<string>,
    ): Promise<ReadonlyMap<string, readonly string[]>> {
      await inTurn(candidates, atOnce, shape);
      const found = new Map<string, string[]>();
      for (const sha of candidates) {
        const made = await shape(sha);
        if (made === '' || !wanted.has(made)) continue;
        const list = found.get(made);
        if (list === undefined) found.set(made, [sha]);
        else list.push(sha);
      }
      return found;
    },
    shape,
    /** Whether two commits change the same lines of the same files, folders and all. */
    async isSame(one: string, two: string): Promise<boolean> {
      const wanted = await key(one);
      if (wanted === '' || (await key(two)) !== wanted) return false;
      try {
        const [left, right] = await Promise.all([changes(one), changes(two)]);
        const places = new Set(left.map(({ path }) => path));
        return left.length === right.length && right.every(({ path }) => places.has(path));
      } catch (error) {
        if (isMissingObject(error)) return false;
        throw error;
      }
    },
    save() {
      if (shapes.size > 0) cache.add('shapes', shapes);
      if (keys.size > 0) cache.add('patches', keys);
    },
  };
}
