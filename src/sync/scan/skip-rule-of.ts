// Which rule of the pack says that a commit never comes over.
import { changesOf } from '../gate/judge-whole.ts';
import type { Commit } from '../git/commit.ts';
import type { Objects } from '../git/objects.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { RulePack } from '../rules/model.ts';
import { skipsCommit } from '../rules/skips-commit.ts';
import { subjectOf } from './commit-facts.ts';

interface Named {
  readonly id: string;
  readonly description: string;
}

/** The first rule that names the commit as a whole, or covers every file that it changes. */
export async function skipRuleOf(
  pack: RulePack,
  objects: Objects,
  commit: Commit,
): Promise<Named | undefined> {
  const byWords = skipRuleByWords(pack, commit);
  if (byWords !== undefined) return byWords;
  const paths = (await changesOf(objects, commit)).map((change) => change.path);
  if (paths.length === 0) return undefined;
  const byFiles = pack.leaveOut.find(
    (rule) =>
      rule.onlyFiles !== undefined && paths.every((path) => matchesAnyGlob(rule.onlyFiles ?? [], path)),
  );
  if (byFiles !== undefined) return byFiles;
  const rules = paths.map((path) => pack.skip.find((rule) => matchesAnyGlob(rule.files ?? [], path)));
  return rules.every((rule) => rule !== undefined) ? rules[0] : undefined;
}

/** The first rule that names the commit by its sha, its subject or its author: nothing but its own header is looked at. */
export function skipRuleByWords(pack: RulePack, commit: Commit): Named | undefined {
  const never = pack.skip.find((rule) => skipsCommit(rule, commit));
  if (never !== undefined) return never;
  const subject = subjectOf(commit.message);
  return pack.leaveOut.find(
    (rule) => matchesOne(rule.subjects, subject) || matchesOne(rule.authors, commit.author.email),
  );
}

/** Whether a text is what one of some patterns says. */
export function matchesOne(patterns: readonly string[] | undefined, text: string): boolean {
  return patterns?.some((pattern) => matchesText(pattern, text)) === true;
}

/** `*` stands for any text; matched piece by piece, so that no pattern can take long. */
export function matchesText(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  const last = rest.pop() ?? '';
  let position = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, position);
    if (found < 0) return false;
    position = found + piece.length;
  }
  return text.length - last.length >= position && text.endsWith(last);
}
