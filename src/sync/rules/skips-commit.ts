// Whether a skip rule names a whole commit: by its sha, or by how its subject begins.
import type { Commit } from '../git/commit.ts';
import type { SkipRule } from './model.ts';

export function skipsCommit(rule: SkipRule, commit: Commit): boolean {
  return (
    rule.commits?.includes(commit.sha) === true ||
    rule.subjects?.some((subject) => commit.message.startsWith(subject)) === true
  );
}
