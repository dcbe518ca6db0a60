// Turns a pack around: what the fork made goes to upstream. What cannot be undone is declared, not guessed.
import { createHash } from 'node:crypto';
import type { RulePack, SymbolRule, WordRule } from './model.ts';

export interface ReversedPack {
  readonly pack: RulePack;
  /** Rules that have no way back, and what comes out instead. */
  readonly losses: readonly string[];
}

/** Reverses a pack. Rules that lose something are left out where another rule already gives a way back. */
export function reversePack(pack: RulePack): ReversedPack {
  const losses: string[] = [];
  const lose = (rule: { readonly id: string; readonly lossy?: string }): void => {
    losses.push(`${rule.id}: ${rule.lossy ?? 'has no way back'}`);
  };
  const taken = new Set<string>();
  const words: WordRule[] = [];
  for (const rule of pack.words) {
    if (rule.lossy !== undefined || rule.to === '' || taken.has(rule.to)) {
      lose(rule);
      continue;
    }
    taken.add(rule.to);
    words.push({ ...rule, from: rule.to, to: rule.from, examples: [] });
  }
  const symbols: SymbolRule[] = pack.symbols
    .filter((rule) => rule.foreign !== true)
    .map((rule) => {
      const { alias: _alias, lossy: _lossy, ...rest } = rule;
      if (rule.lossy !== undefined) lose(rule);
      const back = Object.entries(rule.renamed ?? {}).map(([before, after]) => [after, before] as const);
      // Of several names that became one, none is the right way back.
      const renamed = Object.fromEntries(
        back.filter(([after]) => back.filter(([other]) => other === after).length === 1),
      );
      return { ...rest, package: rule.to, to: rule.package, renamed, examples: [] };
    });
  for (const rule of pack.symbols) if (rule.foreign === true) lose(rule);
  for (const rule of [...pack.paths, ...pack.names]) if (rule.lossy !== undefined) lose(rule);
  const { upstream, fork } = pack.info;
  return {
    losses,
    pack: {
      ...pack,
      hash: createHash('sha256').update(`${pack.hash} reversed`).digest('hex'),
      info: {
        ...pack.info,
        name: `${pack.info.name}-reversed`,
        subjectPrefix: '',
        upstream: {
          name: fork.name,
          repository: fork.repository,
          modules: fork.modules,
          brands: fork.brands,
        },
        fork: { ...upstream, shortForms: [], standIns: [], compounds: [], vowelWords: [] },
      },
      // The longest first: what was one folder became several, and the way back starts from the narrowest.
      paths: pack.paths
        .map((rule) => ({ ...rule, from: rule.to, to: rule.from, examples: [] }))
        .toSorted((left, right) => right.from.length - left.from.length),
      names: pack.names
        .filter((rule, index) => pack.names.findIndex((other) => other.to === rule.to) === index)
        .map((rule) => ({ ...rule, from: rule.to, to: rule.from, examples: [] })),
      words: words.toSorted((left, right) => right.from.length - left.from.length),
      // A shorter command says less than a longer one: there is no way back.
      commands: [],
      symbols,
      imports: pack.imports.map((rule) => ({ ...rule, from: rule.to, to: rule.from, examples: [] })),
      // What the fork removed upstream still has: those doubts say nothing on the way back.
      doubts: [],
      skip: pack.skip,
      leaveOut: [],
      standAlone: [],
    },
  };
}
