// Which rules of a pack hold for an upstream commit: `since` and `until` name commits of upstream's history.
import type { RuleBase, RulePack } from './model.ts';

/** Whether any rule is limited to a part of upstream's history; most packs have none. */
export function hasLimitedRules(pack: RulePack): boolean {
  return allRules(pack).some((rule) => rule.since !== undefined || rule.until !== undefined);
}

/** The pack as it holds where `isAncestor` says which commits are the upstream commit or come before it. */
export function activeRules(pack: RulePack, isAncestor: (sha: string) => boolean): RulePack {
  const holds = (rule: RuleBase): boolean =>
    (rule.since === undefined || isAncestor(rule.since)) &&
    (rule.until === undefined || !isAncestor(rule.until));
  return {
    ...pack,
    paths: pack.paths.filter(holds),
    names: pack.names.filter(holds),
    words: pack.words.filter(holds),
    commands: pack.commands.filter(holds),
    protected: pack.protected.filter(holds),
    symbols: pack.symbols.filter(holds),
    imports: pack.imports.filter(holds),
    merge: pack.merge.filter(holds),
    skip: pack.skip.filter(holds),
    leaveOut: pack.leaveOut.filter(holds),
    standAlone: pack.standAlone.filter(holds),
    messages: pack.messages.filter(holds),
    doubts: pack.doubts.filter(holds),
  };
}

function allRules(pack: RulePack): readonly RuleBase[] {
  return [
    ...pack.paths,
    ...pack.names,
    ...pack.words,
    ...pack.commands,
    ...pack.protected,
    ...pack.symbols,
    ...pack.imports,
    ...pack.merge,
    ...pack.skip,
    ...pack.leaveOut,
    ...pack.standAlone,
    ...pack.messages,
    ...pack.doubts,
  ];
}
