// What the fork has done with a word so far: observed substitutions, looked up from the narrowest context outwards.
import { intern } from '../git/intern.ts';
import { argumentOrder, callArguments, isInOrder } from './go/call-arguments.ts';
import { createObservations, type Observations } from './observations.ts';
import { replacements } from './similarity.ts';
import { isWord, tokenize } from './tokens.ts';

/** Contexts from the narrowest (two tokens either side) to none at all. */
const levels = 7;
export const widestLevel = levels - 1;

export interface Lookup {
  readonly from: number;
  readonly to: number;
  /** Observations that a context must have before it counts. */
  readonly need?: number;
  /** Which observations exist for the asker; all, unless told. */
  readonly visible?: (order: number) => boolean;
}

export interface Found {
  readonly value: string;
  readonly level: number;
  readonly seen: number;
  /** For a call with its arguments in another order: for each of them its place upstream. */
  readonly order?: readonly number[];
}

export interface Evidence {
  /** Learns from two spellings of one line. */
  learn(upstream: string, fork: string, order?: number): void;
  find(tokens: readonly string[], index: number, lookup: Lookup): Found | undefined;
  /** Whether this word was seen to stay as it is. */
  stays(word: string): boolean;
}

export interface Vocabulary {
  /** Whether a token may have been renamed at all (a brand word, or a qualified name). */
  readonly mayRename: (token: string) => boolean;
  /** Whether a substitution is one that a rename makes, and not an edit that happens to stand in its place. */
  readonly plausible: (upstream: string, fork: string) => boolean;
  /** Code without what a rename changes; as it is, unless told. */
  readonly foldCode?: (code: string) => string;
}

/** Observations kept in each context: the last few decide, since a fork's spelling changes over time. */
const narrowDepth = 4;
const wideDepth = 8;

export function createEvidence(vocabulary: Vocabulary): Evidence {
  const observations = createObservations();
  const values: string[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (value: string): number => {
    const known = numbers.get(value);
    if (known !== undefined) return known;
    values.push(intern(value));
    numbers.set(value, values.length - 1);
    return values.length - 1;
  };
  const unchanged = new Set<string>();
  const add = (tokens: readonly string[], index: number, value: string, order: number): void => {
    const keys = contexts(tokens, index);
    // A word that became several words (`lxd` → `incus admin`) did so because of its neighbours.
    const depth = value.includes(' ') ? 2 : keys.length;
    for (const key of keys.slice(0, depth)) observations.add(key, numberOf(value), order);
  };
  return {
    learn(upstream, fork, order = 0) {
      const tokens = tokenize(upstream);
      visitSubstitutions(tokens, upstream === fork ? tokens : tokenize(fork), (index, before, after) => {
        if (!isWord(before)) return;
        if (before === after) unchanged.add(before);
        if (!vocabulary.mayRename(before) || !vocabulary.plausible(before, after)) return;
        const isCall = before !== after && before.includes('.') && tokens[index + 1] === '(';
        const value = isCall ? learnCall(vocabulary, tokens, index, { upstream, fork, after }) : after;
        if (value !== undefined) add(tokens, index, value, order);
      });
    },
    find(tokens, index, lookup) {
      const keys = contexts(tokens, index);
      if (observations.newest(keys[widestLevel] ?? 0) < 0) return undefined;
      for (let level = lookup.from; level <= lookup.to; level += 1) {
        const depth = level <= 2 ? narrowDepth : wideDepth;
        const recent = latest(observations, keys[level] ?? 0, values, depth, lookup.visible);
        if (recent.length === 0 || recent.length < (lookup.need ?? 1)) continue;
        const [value, count] = mostCommon(recent);
        if (count / recent.length < (level < 4 ? 0.6 : 0.75)) continue;
        const [name = '', places] = value.split('\0');
        const found = { value: name, level, seen: recent.length };
        return places === undefined ? found : { ...found, order: places.split(',').map(Number) };
      }
      return undefined;
    },
    stays: (word) => unchanged.has(word),
  };
}

/**
 * What a call became, with the places of its arguments where they changed: a name alone would put the values of a new
 * call in the wrong order. Undefined where the two calls do not take the same values.
 */
function learnCall(
  { foldCode = (code) => code }: Vocabulary,
  tokens: readonly string[],
  index: number,
  lines: { readonly upstream: string; readonly fork: string; readonly after: string },
): string | undefined {
  const open = tokens.slice(0, index + 1).join('').length;
  const before = callArguments(lines.upstream, open);
  if (before === undefined) return lines.after;
  const values = (line: string, pieces: typeof before.pieces): readonly string[] =>
    pieces.map(({ start, end }) => foldCode(line.slice(start, end)));
  const called = values(lines.upstream, before.pieces);
  for (
    let at = lines.fork.indexOf(`${lines.after}(`);
    at >= 0;
    at = lines.fork.indexOf(`${lines.after}(`, at + 1)
  ) {
    const here = callArguments(lines.fork, at + lines.after.length);
    if (here === undefined || here.closed !== before.closed) continue;
    const order = argumentOrder(called, values(lines.fork, here.pieces));
    if (order !== undefined) return isInOrder(order) ? lines.after : `${lines.after}\0${order.join(',')}`;
  }
  return undefined;
}

const atStart = tokenHash('^');
const atEnd = tokenHash('$');

/** One number for each context, narrowest first; 52 bits of hash make two contexts with one number unlikely. */
function contexts(tokens: readonly string[], index: number): readonly number[] {
  const hash = (at: number, none: number): number => {
    const token = tokens[at];
    return token === undefined ? none : tokenHash(token);
  };
  const word = hash(index, 0);
  const left = hash(index - 1, atStart);
  const left2 = hash(index - 2, atStart);
  const right = hash(index + 1, atEnd);
  const right2 = hash(index + 2, atEnd);
  return [
    combine(0, word, left2, left, right, right2),
    combine(1, word, left, right, right2, 0),
    combine(2, word, left2, left, right, 0),
    combine(3, word, left, right, 0, 0),
    combine(4, word, left, 0, 0, 0),
    combine(5, word, right, 0, 0, 0),
    combine(6, word, 0, 0, 0, 0),
  ];
}

function tokenHash(token: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < token.length; at += 1) hash = Math.imul(hash ^ token.charCodeAt(at), 0x01000193);
  return hash;
}

function combine(level: number, a: number, b: number, c: number, d: number, e: number): number {
  let low = 0x9e3779b9 ^ level;
  let high = 0x85ebca6b + level;
  for (const part of [a, b, c, d, e]) {
    low = Math.imul(low ^ part, 0x01000193) ^ (low >>> 15);
    high = Math.imul(high ^ part, 0xc2b2ae35) ^ (high >>> 13);
  }
  return (high >>> 6) * 0x4000000 + (low >>> 6);
}

function latest(
  observations: Observations,
  key: number,
  values: readonly string[],
  depth: number,
  visible: ((order: number) => boolean) | undefined,
): readonly string[] {
  const out: string[] = [];
  for (let at = observations.newest(key); at >= 0 && out.length < depth; at = observations.older(at)) {
    const value = values[observations.value(at)];
    if (value !== undefined && (visible === undefined || visible(observations.order(at)))) out.push(value);
  }
  return out;
}

/** The most frequent value; of equals the one seen first in the list, which is the latest. */
function mostCommon(values: readonly string[]): readonly [string, number] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: readonly [string, number] = ['', 0];
  for (const entry of counts) if (entry[1] > best[1]) best = entry;
  return best;
}

/** Aligned tokens of two lines: position, upstream token, what stands in its place. */
export function substitutions(
  upstream: readonly string[],
  fork: readonly string[],
): readonly (readonly [number, string, string])[] {
  const out: (readonly [number, string, string])[] = [];
  visitSubstitutions(upstream, fork, (index, from, to) => out.push([index, from, to]));
  return out;
}

/** The same without a list, for whoever looks at each of them once. */
export function visitSubstitutions(
  upstream: readonly string[],
  fork: readonly string[],
  visit: (index: number, from: string, to: string) => void,
): void {
  if (upstream.length > 300 || fork.length > 300) return;
  // Most lines differ in one place: what is the same before and behind it needs no search.
  const shorter = Math.min(upstream.length, fork.length);
  let start = 0;
  while (start < shorter && upstream[start] === fork[start]) start += 1;
  let end = 0;
  while (end < shorter - start && upstream[upstream.length - 1 - end] === fork[fork.length - 1 - end])
    end += 1;
  const visitSame = (from: number, to: number): void => {
    for (let index = from; index < to; index += 1) visit(index, upstream[index] ?? '', upstream[index] ?? '');
  };
  visitSame(0, start);
  const [before, after] = [
    upstream.slice(start, upstream.length - end),
    fork.slice(start, fork.length - end),
  ];
  for (const part of before.length === 0 ? [] : replacements(before, after)) {
    const sameLength = part.aEnd - part.aStart === part.bEnd - part.bStart;
    if (part.kind === 'equal' || sameLength) {
      for (let step = 0; step < part.aEnd - part.aStart; step += 1)
        visit(start + part.aStart + step, before[part.aStart + step] ?? '', after[part.bStart + step] ?? '');
    } else if (part.aEnd - part.aStart === 1)
      visit(start + part.aStart, before[part.aStart] ?? '', after.slice(part.bStart, part.bEnd).join(''));
  }
  visitSame(upstream.length - end, upstream.length);
}
