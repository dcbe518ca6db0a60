// The order of everything in an inventory: by code units, the same on every machine.
import type { Config } from '../model/inventory.ts';

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A sorted copy; the first key that differs decides. */
export function sortBy<T>(list: readonly T[], ...keys: readonly ((item: T) => string)[]): T[] {
  return list.toSorted((a, b) => {
    for (const key of keys) {
      const order = compareText(key(a), key(b));
      if (order !== 0) return order;
    }
    return 0;
  });
}

export function sortKeys(config: Config): Config {
  return Object.fromEntries(Object.entries(config).sort(([a], [b]) => compareText(a, b)));
}
