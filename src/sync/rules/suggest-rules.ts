// Proposes rules from differences between what picks wrote and what people wrote, each with its evidence.

import type { Objects } from '../git/objects.ts';
import { diffSequences } from '../merge/diff-sequences.ts';
import type { Unexplained } from '../replay/measure-drift.ts';
import { pairAlike } from '../rewrite/align.ts';
import { substitutions } from '../rewrite/evidence.ts';
import { createLineStore } from '../rewrite/line-store.ts';
import { isWord, tokenize } from '../rewrite/tokens.ts';

export interface Substitution {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** What it was seen in: commits or files. */
  readonly seenIn: readonly string[];
}

export interface SubstitutionCounter {
  /** Compares two versions of a text. */
  add(ours: string, theirs: string, where: string): void;
  /** The most frequent, most places first. */
  list(): readonly Substitution[];
}

/** Counts words that stand in each other's place. */
export function createSubstitutionCounter(): SubstitutionCounter {
  const store = createLineStore((line) => line);
  const found = new Map<string, { from: string; to: string; count: number; seenIn: Set<string> }>();
  return {
    add(ours, theirs, where) {
      if (ours.includes('\0') || theirs.includes('\0')) return;
      const left = store.split(ours);
      const right = store.split(theirs);
      for (const edit of diffSequences(left, right)) {
        const before = Array.from(left.subarray(edit.aStart, edit.aEnd));
        const after = Array.from(right.subarray(edit.bStart, edit.bEnd));
        for (const [one, two] of pairAlike(store, before, after)) {
          const lines = [store.line(before[one] ?? 0), store.line(after[two] ?? 0)].map(tokenize);
          for (const [, from, to] of substitutions(lines[0] ?? [], lines[1] ?? [])) {
            if (from === to || !isWord(from) || to === '') continue;
            const key = `${from}\0${to}`;
            const known = found.get(key) ?? { from, to, count: 0, seenIn: new Set<string>() };
            known.count += 1;
            known.seenIn.add(where);
            found.set(key, known);
          }
        }
      }
    },
    list: () =>
      [...found.values()]
        .map((one) => ({ ...one, seenIn: [...one.seenIn] }))
        .toSorted((left, right) => right.seenIn.length - left.seenIn.length || right.count - left.count),
  };
}

/** Compares two trees file by file. */
export async function countTreeSubstitutions(
  objects: Objects,
  counter: SubstitutionCounter,
  ours: string,
  theirs: string,
  where: string,
): Promise<void> {
  for (const change of await objects.compare(ours, theirs)) {
    if (change.before === undefined || change.after === undefined) continue;
    const [left, right] = await Promise.all([
      objects.text(change.before.sha),
      objects.text(change.after.sha),
    ]);
    counter.add(left, right, where);
  }
}

/** A proposed word rule as YAML, with what speaks for it. */
export function formatSuggestion(found: Substitution): string {
  return [
    `  # seen ${found.count} times in ${found.seenIn.length}: ${found.seenIn.slice(0, 5).join(' ')}`,
    `  - id: ${slug(`${found.from}-${found.to}`)}`,
    `    description: ${JSON.stringify(`TODO: why ${found.from} is ${found.to} in the fork.`)}`,
    `    from: ${JSON.stringify(found.from)}`,
    `    to: ${JSON.stringify(found.to)}`,
    '    left: word',
    '    right: word',
    '    examples:',
    `      - { in: ${JSON.stringify(found.from)}, out: ${JSON.stringify(found.to)} }`,
  ].join('\n');
}

/** What the fork's own tree says against the rules, as proposed rules: seen in several files, and more often than not. */
export function suggestFromDrift(
  unexplained: readonly Unexplained[],
  names: (word: string) => boolean,
): readonly string[] {
  return unexplained
    .filter((one) => one.files.length > 1 && one.count > one.right)
    .filter((one) => one.packages !== undefined || names(one.upstream))
    .filter((one) => one.upstream !== one.fork && !/[ \t]/.test(one.fork))
    .map((one) =>
      one.packages === undefined
        ? formatSuggestion({ from: one.upstream, to: one.fork, count: one.count, seenIn: one.files })
        : formatSymbol(one, one.packages),
    );
}

function formatSymbol(
  found: Unexplained,
  packages: { readonly upstream: string; readonly fork: string },
): string {
  const [before = '', after = ''] = [found.upstream, found.fork].map((name) =>
    name.slice(name.indexOf('.') + 1),
  );
  return [
    `  # go.yaml; seen ${found.count} times in ${found.files.length}: ${found.files.slice(0, 5).join(' ')}`,
    `  - id: ${slug(`${found.upstream}-${found.fork}`)}`,
    `    description: ${JSON.stringify(`TODO: why ${found.upstream} is ${found.fork} in the fork.`)}`,
    `    package: ${packages.upstream}`,
    `    to: ${packages.fork}`,
    before === after ? `    names: [${before}]` : `    renamed: { ${before}: ${after} }`,
    '    examples:',
    `      - { in: ${found.upstream}, out: ${found.fork} }`,
  ].join('\n');
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
