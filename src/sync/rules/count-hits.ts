// Counts where the rules of a pack apply in what upstream's commits changed.

import type { Objects } from '../git/objects.ts';
import { diffSequences } from '../merge/diff-sequences.ts';
import { fileKind } from '../rewrite/file-kind.ts';
import { createLineStore } from '../rewrite/line-store.ts';
import { matchesAnyGlob } from './glob.ts';
import type { RulePack, Scope } from './model.ts';
import { skipsCommit } from './skips-commit.ts';
import { compileWords } from './words.ts';

export interface RuleHits {
  readonly hits: number;
  /** Upstream commits in which the rule applies. */
  readonly commits: number;
}

/** Hits of every rule over commits; a rule that could apply counts, whether or not the fork's own text overrules it. */
export async function countHits(
  pack: RulePack,
  objects: Objects,
  commits: readonly string[],
): Promise<ReadonlyMap<string, RuleHits>> {
  const hits = new Map<string, { hits: number; commits: number; last: string }>();
  const hit = (rule: string, commit: string): void => {
    const known = hits.get(rule) ?? { hits: 0, commits: 0, last: '' };
    known.hits += 1;
    if (known.last !== commit) known.commits += 1;
    known.last = commit;
    hits.set(rule, known);
  };
  const words = compileWords(pack.words, pack.protected);
  const store = createLineStore((line) => line);
  for (const sha of commits) {
    const commit = await objects.commit(sha);
    const parent = commit.parents[0] === undefined ? undefined : await objects.commit(commit.parents[0]);
    for (const rule of pack.skip) if (skipsCommit(rule, commit)) hit(rule.id, sha);
    for (const change of await objects.compare(parent?.tree, commit.tree)) {
      countPath(pack, change.path, (rule) => hit(rule, sha));
      if (change.after === undefined || change.after.mode === '160000') continue;
      const [before, after] = await Promise.all([
        change.before === undefined ? '' : objects.text(change.before.sha),
        objects.text(change.after.sha),
      ]);
      if (after.includes('\0')) continue;
      const lines = store.split(after);
      for (const edit of diffSequences(store.split(before), lines))
        for (const id of lines.subarray(edit.bStart, edit.bEnd))
          countLine(pack, words, change.path, store.line(id), (rule) => hit(rule, sha));
    }
  }
  return hits;
}

function countPath(pack: RulePack, path: string, hit: (rule: string) => void): void {
  const name = path.slice(path.lastIndexOf('/') + 1);
  for (const rule of pack.paths)
    if (rule.from === path || (rule.from.endsWith('/') && path.startsWith(rule.from))) hit(rule.id);
  for (const rule of pack.names) if (name.includes(rule.from)) hit(rule.id);
  for (const rule of [...pack.merge, ...pack.skip]) if (matchesAnyGlob(rule.files ?? [], path)) hit(rule.id);
}

function countLine(
  pack: RulePack,
  words: ReturnType<typeof compileWords>,
  path: string,
  line: string,
  hit: (rule: string) => void,
): void {
  const kind = fileKind(path);
  const scope: Scope = kind === 'go' ? 'code' : kind === 'shell' ? 'cli' : kind === 'doc' ? 'prose' : 'code';
  if (words.mayMatch(line)) for (const span of words.match(line, path, () => scope)) hit(span.rule);
  for (const rule of pack.doubts) if (rule.words.some((word) => line.includes(word))) hit(rule.id);
  if (kind !== 'go') return;
  for (const rule of pack.imports) if (line.includes(`"${rule.from}`)) hit(rule.id);
  for (const match of line.matchAll(/\b[a-zA-Z]\w*\.([A-Z]\w*)/g)) {
    const name = match[1] ?? '';
    const qualifier = match[0].slice(0, match[0].indexOf('.'));
    for (const rule of pack.symbols)
      if (rule.package.endsWith(qualifier) || rule.package === 'client')
        if (rule.names?.includes(name) === true || Object.hasOwn(rule.renamed ?? {}, name)) hit(rule.id);
  }
}
