// What each rule is worth: the replay once more without it, for the pairs that it could concern.
import type { Objects } from '../git/objects.ts';
import { fileMode } from '../git/tree.ts';
import type { Engine } from '../pick/open-engine.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { RulePack } from '../rules/model.ts';
import { skipsCommit } from '../rules/skips-commit.ts';
import { withoutRule } from '../rules/without-rule.ts';
import type { Pair } from './read-pairs.ts';
import { type Replayed, replayPairs } from './replay-pairs.ts';

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

/** Replays without each of the rules, the pairs one after another. */
export async function ablate(
  open: (pack: RulePack) => Promise<Engine>,
  engine: Engine,
  pairs: readonly Pair[],
  whole: readonly Replayed[],
  rules: readonly string[],
): Promise<readonly Ablation[]> {
  const { pack } = engine;
  const concerned = await findConcerned(engine.objects, pack, pairs, rules);
  const byFork = new Map(whole.map((one) => [one.fork, one]));
  const out: Ablation[] = [];
  for (const rule of rules) {
    const mine = concerned.get(rule) ?? [];
    const again = mine.length === 0 ? [] : await replayWithout(open, pack, rule, mine);
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

async function replayWithout(
  open: (pack: RulePack) => Promise<Engine>,
  pack: RulePack,
  rule: string,
  pairs: readonly Pair[],
): Promise<readonly Replayed[]> {
  const engine = await open(withoutRule(pack, rule));
  try {
    return await replayPairs(engine, pairs);
  } finally {
    await engine.close();
  }
}

/**
 * Pairs of which each rule's words occur in the files that upstream's commit changed. A rule for whole files decides
 * what earlier imports teach as well, so it concerns all pairs.
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
    const parent = commit.parents[0] === undefined ? undefined : await objects.commit(commit.parents[0]);
    const paths: string[] = [];
    const texts: string[] = [commit.message];
    for (const change of await objects.compare(parent?.tree, commit.tree)) {
      paths.push(change.path);
      for (const entry of [change.before, change.after])
        if (entry !== undefined && entry.mode !== fileMode.submodule)
          texts.push(await objects.text(entry.sha));
    }
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
  const word = named(pack.words) ?? named(pack.imports);
  if (word !== undefined) return ({ holds }) => holds([word.from]);
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
