// Which rule of the pack skips a commit, from the cache where it has it.
import type { History } from '../git/history.ts';
import { activeRules, hasLimitedRules } from '../rules/active-rules.ts';
import type { LeaveOutRule, RulePack } from '../rules/model.ts';
import type { CommitFacts } from './commit-facts.ts';
import type { MergeGroup } from './group-by-merge.ts';
import { isText } from './scan-cache.ts';
import type { ScanSources } from './scan-sources.ts';
import { matchesOne, skipRuleByWords, skipRuleOf } from './skip-rule-of.ts';

export function openSkips(
  { pack, objects, cache }: ScanSources,
  upstream: History<CommitFacts>,
  groups: readonly MergeGroup[],
) {
  const limited = hasLimitedRules(pack);
  const later = new Map<string, Uint8Array>();
  const packFor = (sha: string): RulePack => {
    if (!limited) return pack;
    const place = upstream.indexOf.get(sha) ?? -1;
    return activeRules(pack, (limit) => {
      const found = later.get(limit) ?? descendantsOf(upstream, limit);
      later.set(limit, found);
      return found[place] === 1;
    });
  };
  const remembered = cache.read('skips', isText);
  const fresh = new Map<string, string>();
  const rememberedWords = cache.read('skips-by-words', isText);
  const freshWords = new Map<string, string>();
  const rules = new Map([...pack.skip, ...pack.leaveOut].map((rule) => [rule.id, rule]));
  // Which merge brought a commit in hangs on the tips: that is not for the cache.
  const mergeOf = new Map<string, string>();
  if (pack.leaveOut.some((rule) => rule.merges !== undefined))
    for (const { merge, title, commits } of groups)
      if (merge !== undefined)
        for (const place of commits) mergeOf.set(upstream.commits[place]?.sha ?? '', title);
  const byMerge = (sha: string): LeaveOutRule | undefined => {
    const title = mergeOf.get(sha);
    if (title === undefined) return undefined;
    return packFor(sha).leaveOut.find((rule) => matchesOne(rule.merges, title));
  };
  const idOf = async (sha: string): Promise<string> => {
    const known = remembered(sha) ?? fresh.get(sha);
    if (known !== undefined) return known;
    const id = (await skipRuleOf(packFor(sha), objects, await objects.commit(sha)))?.id ?? '';
    fresh.set(sha, id);
    return id;
  };
  const idByWords = async (sha: string): Promise<string> => {
    const known = rememberedWords(sha) ?? freshWords.get(sha);
    if (known !== undefined) return known;
    const id = skipRuleByWords(packFor(sha), await objects.commit(sha))?.id ?? '';
    freshWords.set(sha, id);
    return id;
  };
  return {
    ruleOf: async (sha: string) => byMerge(sha) ?? rules.get(await idOf(sha)),
    /** The same for a commit whose files may not be looked at. */
    ruleByWords: async (sha: string) => byMerge(sha) ?? rules.get(await idByWords(sha)),
    /** Whether a rule says of the commit itself, not of its files, that it never comes over. */
    async isNever(sha: string): Promise<boolean> {
      const id = await idByWords(sha);
      return id !== '' && pack.skip.some((rule) => rule.id === id);
    },
    save(): void {
      if (fresh.size > 0) cache.add('skips', fresh);
      if (freshWords.size > 0) cache.add('skips-by-words', freshWords);
    },
  };
}

/** The commit and everything that is built on it. */
function descendantsOf({ commits, indexOf }: History<CommitFacts>, sha: string): Uint8Array {
  const found = new Uint8Array(commits.length);
  for (const [index, commit] of commits.entries())
    if (commit.sha === sha || commit.parents.some((parent) => found[indexOf.get(parent) ?? -1] === 1))
      found[index] = 1;
  return found;
}
