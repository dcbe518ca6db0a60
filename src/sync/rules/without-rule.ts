// A pack with one rule taken out, to see what the rule is worth.
import { createHash } from 'node:crypto';
import { suggest } from '../../core/suggest.ts';
import { syncFailure } from '../problem.ts';
import type { RulePack } from './model.ts';

/** Ids of all rules of a pack. */
export function ruleIds(pack: RulePack): readonly string[] {
  return [
    ...pack.paths,
    ...pack.names,
    ...pack.protected,
    ...pack.words,
    ...pack.commands,
    ...pack.symbols,
    ...pack.imports,
    ...pack.merge,
    ...pack.skip,
    ...pack.leaveOut,
    ...pack.standAlone,
    ...pack.doubts,
    ...pack.messages,
  ].map((rule) => rule.id);
}

/** The pack without a rule, under a hash of its own. */
export function withoutRule(pack: RulePack, id: string): RulePack {
  const ids = ruleIds(pack);
  if (!ids.includes(id))
    throw syncFailure({
      code: 'usage',
      why: `No rule is called ${id}${suggest(id, ids)}`,
      next: 'Name a rule by its id.',
    });
  const others = <T extends { readonly id: string }>(rules: readonly T[]): readonly T[] =>
    rules.filter((rule) => rule.id !== id);
  return {
    ...pack,
    hash: createHash('sha256').update(`${pack.hash} without ${id}`).digest('hex'),
    paths: others(pack.paths),
    names: others(pack.names),
    protected: others(pack.protected),
    words: others(pack.words),
    commands: others(pack.commands),
    symbols: others(pack.symbols),
    imports: others(pack.imports),
    merge: others(pack.merge),
    skip: others(pack.skip),
    leaveOut: others(pack.leaveOut),
    standAlone: others(pack.standAlone),
    doubts: others(pack.doubts),
    messages: others(pack.messages),
  };
}
