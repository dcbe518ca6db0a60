// The project's name inside a sentence: a sentence that came over once comes over the same way everywhere.

const wordPattern = /[A-Za-z0-9_]+/g;
const reach = 3;

export interface Phrase {
  /** Where the name begins in the line. */
  readonly start: number;
  /** The words around it, folded to small letters. */
  readonly key: string;
}

/** Places of the name that have enough words around them to tell a sentence. */
export function findPhrases(line: string, name: string): readonly Phrase[] {
  if (!line.includes(name)) return [];
  const words = Array.from(line.matchAll(wordPattern), (match) => ({ text: match[0], start: match.index }));
  return words.flatMap((word, index): readonly Phrase[] => {
    if (word.text !== name) return [];
    const left = words.slice(Math.max(0, index - reach), index).map((other) => other.text.toLowerCase());
    const right = words.slice(index + 1, index + 1 + reach).map((other) => other.text.toLowerCase());
    if (left.length + right.length < reach) return [];
    return [{ start: word.start, key: `${left.join(' ')}|${right.join(' ')}` }];
  });
}

/** What stands for the name in the fork's version of a line, where the two have the same number of words. */
export function learnPhrases(
  upstream: string,
  fork: string,
  name: string,
): readonly { readonly key: string; readonly value: string }[] {
  const phrases = findPhrases(upstream, name);
  if (phrases.length === 0) return [];
  const before = Array.from(upstream.matchAll(wordPattern));
  const after = Array.from(fork.matchAll(wordPattern));
  if (before.length !== after.length) return [];
  return phrases.flatMap(({ key, start }) => {
    const value = after[before.findIndex((match) => match.index === start)]?.[0];
    return value === undefined ? [] : [{ key, value }];
  });
}
