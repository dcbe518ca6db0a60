// Answers that are found once; one that hangs on a file that is not read yet is found again after the next reading.

/** How far the reading of files has come. */
export interface Progress {
  /** Goes up whenever an answer hangs on a file that is not read yet. */
  misses: number;
  /** Goes up whenever files are read. */
  round: number;
}

export interface Answers<K, V> {
  has(key: K): boolean;
  find(key: K, make: () => V): V;
}

interface Answer<V> {
  readonly value: V;
  /** The last round in which it holds. */
  readonly until: number;
}

export function createAnswers<K, V>(progress: Progress): Answers<K, V> {
  const known = new Map<K, Answer<V>>();
  const get = (key: K): Answer<V> | undefined => {
    const answer = known.get(key);
    return answer !== undefined && answer.until >= progress.round ? answer : undefined;
  };
  return {
    has: (key) => get(key) !== undefined,
    find(key, make) {
      const before = get(key);
      if (before !== undefined) {
        // Whatever is made of it hangs on the same file.
        if (before.until !== Number.POSITIVE_INFINITY) progress.misses += 1;
        return before.value;
      }
      const { misses } = progress;
      const value = make();
      const until = progress.misses === misses ? Number.POSITIVE_INFINITY : progress.round;
      known.set(key, { value, until });
      return value;
    },
  };
}
