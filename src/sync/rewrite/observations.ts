// What was seen under each key, newest first: a hash table in typed arrays, since there are hundreds of thousands.
export interface Observations {
  add(key: number, value: number, order: number): void;
  /** The newest observation under a key, or -1; the next older one by `older`. */
  newest(key: number): number;
  older(at: number): number;
  value(at: number): number;
  order(at: number): number;
}

const firstSlots = 64;

/** Keys are whole numbers below 2^53 that are hashes already. */
export function createObservations(): Observations {
  let keys = new Float64Array(firstSlots);
  // One more than the place of the newest observation; 0 marks an empty slot.
  let heads = new Int32Array(firstSlots);
  let used = 0;
  // Value, order and one more than the place of the next older observation, side by side.
  let seen = new Int32Array(3 * firstSlots);
  let count = 0;

  const slotOf = (key: number): number => {
    const mask = keys.length - 1;
    let slot = (key | 0) & mask;
    while (heads[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  };
  const grow = (): void => {
    const [before, beforeHeads] = [keys, heads];
    keys = new Float64Array(before.length * 2);
    heads = new Int32Array(before.length * 2);
    for (const [index, head] of beforeHeads.entries()) {
      if (head === 0) continue;
      const slot = slotOf(before[index] ?? 0);
      keys[slot] = before[index] ?? 0;
      heads[slot] = head;
    }
  };
  return {
    add(key, value, order) {
      if (used * 3 > keys.length * 2) grow();
      if (3 * count + 3 > seen.length) {
        const larger = new Int32Array(seen.length * 2);
        larger.set(seen);
        seen = larger;
      }
      const slot = slotOf(key);
      const head = heads[slot] ?? 0;
      if (head === 0) used += 1;
      keys[slot] = key;
      seen[3 * count] = value;
      seen[3 * count + 1] = order;
      seen[3 * count + 2] = head;
      count += 1;
      heads[slot] = count;
    },
    newest: (key) => (heads[slotOf(key)] ?? 0) - 1,
    older: (at) => (seen[3 * at + 2] ?? 0) - 1,
    value: (at) => seen[3 * at] ?? 0,
    order: (at) => seen[3 * at + 1] ?? 0,
  };
}
