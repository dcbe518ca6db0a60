// What each rule is worth: picks once more without it, for the pairs that it could concern.
import { changesOf } from '../gate/judge-whole.ts';
import type { Objects } from '../git/objects.ts';
import { fileMode } from '../git/tree.ts';
import type { Engine } from '../pick/open-engine.ts';
import type { PickRequest } from '../pick/open-workshop.ts';
import { pickCommit } from '../pick/pick-commit.ts';
import { type Workshop, withPack } from '../pick/pick-view.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { RulePack } from '../rules/model.ts';
import { skipsCommit } from '../rules/skips-commit.ts';
import { withoutRule } from '../rules/without-rule.ts';
import type { Pair } from './read-pairs.ts';
import { type Prepared, preparePairs, type Replayed, score } from './replay-pairs.ts';

export interface Ablation {
  readonly rule: string;
  /** Pairs that hold something that the rule is about. */
  readonly concerned: number;
  /** Changes of the figures when the rule is gone: -14 means that it makes 14 picks exact. */
  readonly exact: number;
  readonly clean: number;
  readonly conflicts: number;
  /** Pairs that come out otherwise at all. */
  readonly changed: number;
}

/** Picks the pairs that each rule could concern once more without it. */
export async function ablate(
  open: (pack: RulePack) => Promise<Engine>,
  engine: Engine,
  pairs: readonly Pair[],
  whole: readonly Replayed[],
  rules: readonly string[],
): Promise<readonly Ablation[]> {
  if (rules.length === 0) return [];
  const { pack } = engine;
  const concerned = await findConcerned(engine.objects, pack, pairs, rules);
  const byFork = new Map(whole.map((one) => [one.fork, one]));
  const prepared = await preparePairs(engine.objects, pairs);
  const requests = prepared.map(({ upstream, onto, moreFollows }) => ({ upstream, onto, moreFollows }));
  const shared = await engine.workshop(requests);
  const out: Ablation[] = [];
  for (const rule of rules) {
    const forks = new Set(concerned.get(rule)?.map((pair) => pair.fork));
    const mine = prepared.filter((pair) => forks.has(pair.fork));
    const without = withoutRule(pack, rule);
    const again = !teaches(pack, rule)
      ? await pickAgain(engine, withPack(shared, without), mine)
      : mine.length === 0
        ? []
        : await pickAnew(open, without, requests, mine);
    const difference = (holds: (one: Replayed) => boolean): number =>
      again.reduce((sum, one) => {
        const before = byFork.get(one.fork);
        return sum + Number(holds(one)) - Number(before !== undefined && holds(before));
      }, 0);
    out.push({
      rule,
      concerned: mine.length,
      exact: difference((one) => one.exact),
      clean: difference((one) => one.status === 'clean'),
      conflicts: difference((one) => one.status === 'conflict'),
      changed: again.filter((one) => {
        const before = byFork.get(one.fork);
        return one.tree !== before?.tree || one.status !== before?.status;
      }).length,
    });
  }
  return out;
}

/** Whether a rule has a say in what earlier imports teach (open-workshop.ts): then all of that is learned anew. */
function teaches(pack: RulePack, id: string): boolean {
  const names = (rule: { readonly id: string }): boolean => rule.id === id;
  return (
    pack.paths.some(names) ||
    pack.merge.some((rule) => names(rule) && rule.driver === 'generated') ||
    pack.symbols.some((rule) => names(rule) && rule.renamed !== undefined)
  );
}

async function pickAgain(
  engine: Engine,
  shop: Workshop,
  pairs: readonly Prepared[],
): Promise<readonly Replayed[]> {
  const out: Replayed[] = [];
  for (const pair of pairs) {
    const pick = await pickCommit(shop, pair);
    out.push(await score(engine, pair, pick, false));
    shop.store.trim();
    engine.writer.discard();
  }
  return out;
}

/** The same with an engine of its own; imports that any of the pairs may see are learned from, as before. */
async function pickAnew(
  open: (pack: RulePack) => Promise<Engine>,
  pack: RulePack,
  requests: readonly PickRequest[],
  pairs: readonly Prepared[],
): Promise<readonly Replayed[]> {
  const engine = await open(pack);
  try {
    return await pickAgain(engine, await engine.workshop(requests), pairs);
  } finally {
    await engine.close();
  }
}

/**
 * Pairs in whose files each rule's words occur, before or after upstream's commit. Rules for files are looked for by the
 * places that they name, in texts and paths of both sides.
 */
async function findConcerned(
  objects: Objects,
  pack: RulePack,
  pairs: readonly Pair[],
  rules: readonly string[],
): Promise<ReadonlyMap<string, readonly Pair[]>> {
  const concerned = new Map<string, Pair[]>(rules.map((rule) => [rule, []]));
  const tests = rules.map((rule) => ({ rule, test: testOf(pack, rule) }));
  for (const pair of pairs) {
    const commit = await objects.commit(pair.upstream);
    const paths: string[] = [];
    const texts: string[] = [commit.message];
    for (const change of await changesOf(objects, commit)) {
      paths.push(change.path);
      for (const entry of [change.before, change.after])
        if (entry !== undefined && entry.mode !== fileMode.submodule)
          texts.push(await objects.text(entry.sha));
    }
    for (const change of await changesOf(objects, await objects.commit(pair.fork))) paths.push(change.path);
    const seen: Seen = {
      paths,
      holds: (words) =>
        words.some(
          (word) => paths.some((path) => path.includes(word)) || texts.some((text) => text.includes(word)),
        ),
      skips: pack.skip.filter((skip) => skipsCommit(skip, commit)).map((skip) => skip.id),
    };
    for (const { rule, test } of tests) if (test(seen)) concerned.get(rule)?.push(pair);
  }
  return concerned;
}

interface Seen {
  readonly paths: readonly string[];
  readonly holds: (words: readonly string[]) => boolean;
  readonly skips: readonly string[];
}

function testOf(pack: RulePack, id: string): (seen: Seen) => boolean {
  const named = <T extends { readonly id: string }>(rules: readonly T[]): T | undefined =>
    rules.find((rule) => rule.id === id);
  const word = named(pack.words) ?? named(pack.names) ?? named(pack.imports);
  if (word !== undefined) return ({ holds }) => holds([word.from]);
  const path = named(pack.paths);
  if (path !== undefined) return ({ holds }) => holds([path.from.replace(/\/$/, '')]);
  const merge = named(pack.merge);
  if (merge !== undefined) return ({ paths }) => paths.some((one) => matchesAnyGlob(merge.files, one));
  const words = named(pack.protected) ?? named(pack.doubts);
  if (words !== undefined) return ({ holds }) => holds(words.words);
  const symbol = named(pack.symbols);
  if (symbol !== undefined) {
    const names = [...(symbol.names ?? []), ...Object.keys(symbol.renamed ?? {})].map((name) => `.${name}`);
    return ({ holds }) => holds(names);
  }
  const skip = named(pack.skip);
  if (skip !== undefined)
    return ({ paths, skips }) =>
      skips.includes(id) || paths.some((path) => matchesAnyGlob(skip.files ?? [], path));
  return () => true;
}
