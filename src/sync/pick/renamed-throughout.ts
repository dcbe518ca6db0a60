// A call that an upstream commit replaces everywhere in a file: calls in lines that only the fork has go with it.
import { pairAlike } from '../rewrite/align.ts';
import type { Carried } from '../rewrite/carry.ts';
import { codeOnly } from '../rewrite/go/scan-go.ts';
import type { LineStore } from '../rewrite/line-store.ts';
import { isWord, tokenize } from '../rewrite/tokens.ts';

type Change = Pick<Carried, 'base' | 'theirs' | 'edits'>;

/** Replacements of one call by another that a file has less often are no renaming. */
const fewest = 3;

/**
 * The merged file with the fork's own calls of what upstream calls otherwise now, wherever it called it. `packages` are
 * the names of what the file imports: behind another name stands a method, and another type may have one of that name.
 */
export function renameThroughout(
  store: LineStore,
  change: Change,
  merged: string,
  packages: ReadonlySet<string>,
): { readonly text: string; readonly renamed: readonly string[] } {
  const renames = findRenames(store, change, packages);
  if (![...renames.keys()].some((from) => merged.includes(`${from}(`))) return { text: merged, renamed: [] };
  const renamed = new Set<string>();
  const code = codeOnly(merged).split('\n');
  const lines = merged.split('\n').map((line, index) => {
    const plain = code[index] ?? '';
    let start = 0;
    const tokens = tokenize(line);
    return tokens
      .map((token, at) => {
        const place = start;
        start += token.length;
        const to = isCall(tokens, at) && plain.startsWith(token, place) ? renames.get(token) : undefined;
        if (to === undefined) return token;
        renamed.add(`${token} -> ${to}`);
        return to;
      })
      .join('');
  });
  return { text: lines.join('\n'), renamed: [...renamed] };
}

/** Calls that upstream's lines replace by one other each, with the same arguments, and of which they have none left. */
function findRenames(
  store: LineStore,
  { base, theirs, edits }: Change,
  packages: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const counts = new Map<string, { readonly to: string; readonly times: number } | undefined>();
  for (const edit of edits) {
    const before = Array.from(base.subarray(edit.aStart, edit.aEnd));
    const after = Array.from(theirs.subarray(edit.bStart, edit.bEnd));
    // A short line is little like what it became; of two blocks of one length each line is the other's.
    const byPlace = before.map((_, index) => [index, index] as const);
    for (const [left, right] of before.length === after.length ? byPlace : pairAlike(store, before, after))
      for (const [from, to] of replacedCalls(store.line(before[left] ?? 0), store.line(after[right] ?? 0))) {
        const known = counts.get(from);
        const isOther = counts.has(from) && known?.to !== to;
        counts.set(from, isOther ? undefined : { to, times: (known?.times ?? 0) + 1 });
      }
  }
  const renames = new Map<string, string>();
  for (const [from, found] of counts)
    if (found !== undefined && found.times >= fewest && isFunction(from, packages))
      renames.set(from, found.to);
  if (renames.size === 0) return renames;
  for (const id of theirs) {
    const line = store.line(id);
    for (const from of renames.keys())
      if (line.includes(`${from}(`) && tokenize(line).includes(from)) renames.delete(from);
  }
  return renames;
}

/** What two lines call otherwise, where that is all they differ in. */
function replacedCalls(before: string, after: string): readonly (readonly [string, string])[] {
  const [one, two] = [tokenize(before), tokenize(after)];
  if (one.length !== two.length) return [];
  const found: (readonly [string, string])[] = [];
  for (const [at, from] of one.entries()) {
    const to = two[at] ?? '';
    if (from === to) continue;
    if (!isWord(to) || !isCall(one, at)) return [];
    found.push([from, to]);
  }
  return found;
}

function isFunction(name: string, packages: ReadonlySet<string>): boolean {
  const dot = name.indexOf('.');
  return dot < 0 || packages.has(name.slice(0, dot));
}

/** Whether a token is called here, by this name alone. */
function isCall(tokens: readonly string[], at: number): boolean {
  return (
    isWord(tokens[at] ?? '') &&
    tokens[at + 1] === '(' &&
    tokens[at - 1] !== '.' &&
    !(at > 0 && at <= 2 && tokens[0] === 'func')
  );
}
