// What the fork has done with a word so far: observed substitutions, looked up from the narrowest context outwards.
import { replacements } from './similarity.ts';
import { isWord, tokenize } from './tokens.ts';

/** Contexts from the narrowest (two tokens either side) to none at all. */
const levels = 7;
export const widestLevel = levels - 1;

interface Observation {
  readonly value: string;
  readonly order: number;
}

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
}

/** Observations kept in each context: the last few decide, since a fork's spelling changes over time. */
const narrowDepth = 4;
const wideDepth = 8;

export function createEvidence(vocabulary: Vocabulary): Evidence {
  const observations = new Map<string, Observation[]>();
  const unchanged = new Set<string>();
  const add = (tokens: readonly string[], index: number, value: string, order: number): void => {
    const keys = contexts(tokens, index);
    // A word that became several words (`lxd` → `incus admin`) did so because of its neighbours.
    const depth = value.includes(' ') ? 2 : keys.length;
    for (const key of keys.slice(0, depth)) {
      const list = observations.get(key);
      if (list === undefined) observations.set(key, [{ value, order }]);
      else list.push({ value, order });
    }
  };
  return {
    learn(upstream, fork, order = 0) {
      const tokens = tokenize(upstream);
      for (const [index, before, after] of substitutions(tokens, tokenize(fork))) {
        if (!isWord(before)) continue;
        if (before === after) unchanged.add(before);
        if (vocabulary.mayRename(before) && vocabulary.plausible(before, after))
          add(tokens, index, after, order);
      }
    },
    find(tokens, index, lookup) {
      const keys = contexts(tokens, index);
      if (!observations.has(keys[widestLevel] ?? '')) return undefined;
      for (let level = lookup.from; level <= lookup.to; level += 1) {
        const list = observations.get(keys[level] ?? '');
        if (list === undefined) continue;
        const recent = latest(list, level <= 2 ? narrowDepth : wideDepth, lookup.visible);
        if (recent.length === 0 || recent.length < (lookup.need ?? 1)) continue;
        const [value, count] = mostCommon(recent);
        if (count / recent.length >= (level < 4 ? 0.6 : 0.75)) return { value, level, seen: recent.length };
      }
      return undefined;
    },
    stays: (word) => unchanged.has(word),
  };
}

function contexts(tokens: readonly string[], index: number): readonly string[] {
  const word = tokens[index] ?? '';
  const left = tokens[index - 1] ?? '^';
  const left2 = tokens[index - 2] ?? '^';
  const right = tokens[index + 1] ?? '$';
  const right2 = tokens[index + 2] ?? '$';
  return [
    `0\0${word}\0${left2}\0${left}\0${right}\0${right2}`,
    `1\0${word}\0${left}\0${right}\0${right2}`,
    `2\0${word}\0${left2}\0${left}\0${right}`,
    `3\0${word}\0${left}\0${right}`,
    `4\0${word}\0${left}`,
    `5\0${word}\0${right}`,
    `6\0${word}`,
  ];
}

function latest(
  list: readonly Observation[],
  depth: number,
  visible: ((order: number) => boolean) | undefined,
): readonly string[] {
  const out: string[] = [];
  for (let index = list.length - 1; index >= 0 && out.length < depth; index -= 1) {
    const observation = list[index];
    if (observation !== undefined && (visible === undefined || visible(observation.order)))
      out.push(observation.value);
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
  if (upstream.length > 300 || fork.length > 300) return [];
  const out: [number, string, string][] = [];
  for (const part of replacements(upstream, fork)) {
    const sameLength = part.aEnd - part.aStart === part.bEnd - part.bStart;
    if (part.kind === 'equal' || sameLength) {
      for (let step = 0; step < part.aEnd - part.aStart; step += 1)
        out.push([part.aStart + step, upstream[part.aStart + step] ?? '', fork[part.bStart + step] ?? '']);
    } else if (part.aEnd - part.aStart === 1) {
      out.push([part.aStart, upstream[part.aStart] ?? '', fork.slice(part.bStart, part.bEnd).join('')]);
    }
  }
  return out;
}
