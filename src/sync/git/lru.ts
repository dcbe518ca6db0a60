// A map that forgets what was used longest ago once its weight passes a limit.
export interface Lru<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V, weight?: number): void;
}

/** Makes a cache; `limit` is a number of entries unless weights are given. */
export function createLru<K, V>(limit: number): Lru<K, V> {
  const entries = new Map<K, { readonly value: V; readonly weight: number }>();
  let total = 0;
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, weight = 1) {
      const before = entries.get(key);
      if (before !== undefined) {
        total -= before.weight;
        entries.delete(key);
      }
      entries.set(key, { value, weight });
      total += weight;
      for (const [oldest, entry] of entries) {
        if (total <= limit || oldest === key) break;
        entries.delete(oldest);
        total -= entry.weight;
      }
    },
  };
}
