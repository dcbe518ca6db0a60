// Differences of two sequences of numbers (interned lines): Myers in linear space, with anchors for large ones.

/** a[aStart, aEnd) was replaced by b[bStart, bEnd). */
export interface Edit {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

export type Sequence = Int32Array;

export interface DiffOptions {
  /** Match elements that occur once on both sides first: truer for text that moved apart a long way. */
  readonly anchors?: boolean;
}

/** Edits in order, none touching another; equal runs are slid to the end as git does. */
export function diffSequences(a: Sequence, b: Sequence, options: DiffOptions = {}): readonly Edit[] {
  const removed = new Uint8Array(a.length + 1);
  const added = new Uint8Array(b.length + 1);
  const work: Work = { a, b, removed, added };
  if (options.anchors === true) diffByAnchors(work, 0, a.length, 0, b.length);
  else diffRange(work, 0, a.length, 0, b.length);
  slideDown(a, removed);
  slideDown(b, added);
  return collect(removed, added, a.length, b.length);
}

interface Work {
  readonly a: Sequence;
  readonly b: Sequence;
  readonly removed: Uint8Array;
  readonly added: Uint8Array;
}

function collect(removed: Uint8Array, added: Uint8Array, aLength: number, bLength: number): readonly Edit[] {
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < aLength || j < bLength) {
    if (removed[i] !== 1 && added[j] !== 1) {
      i += 1;
      j += 1;
      continue;
    }
    const aStart = i;
    const bStart = j;
    while (removed[i] === 1) i += 1;
    while (added[j] === 1) j += 1;
    edits.push({ aStart, aEnd: i, bStart, bEnd: j });
  }
  return edits;
}

/** Moves each changed run down while its first element equals the one after it (git's change compaction). */
function slideDown(sequence: Sequence, changed: Uint8Array): void {
  const length = sequence.length;
  let start = 0;
  while (start < length) {
    if (changed[start] !== 1) {
      start += 1;
      continue;
    }
    let end = start;
    while (end < length && changed[end] === 1) end += 1;
    while (end < length && sequence[start] === sequence[end]) {
      changed[start] = 0;
      changed[end] = 1;
      start += 1;
      end += 1;
      while (end < length && changed[end] === 1) end += 1;
    }
    start = end;
  }
}

function diffRange(work: Work, aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  const { a, b, removed, added } = work;
  let aFrom = aLow;
  let aTo = aHigh;
  let bFrom = bLow;
  let bTo = bHigh;
  while (aFrom < aTo && bFrom < bTo && a[aFrom] === b[bFrom]) {
    aFrom += 1;
    bFrom += 1;
  }
  while (aFrom < aTo && bFrom < bTo && a[aTo - 1] === b[bTo - 1]) {
    aTo -= 1;
    bTo -= 1;
  }
  if (aFrom === aTo || bFrom === bTo) {
    removed.fill(1, aFrom, aTo);
    added.fill(1, bFrom, bTo);
    return;
  }
  const middle = middleSnake(work, aFrom, aTo, bFrom, bTo);
  if (middle === undefined) {
    removed.fill(1, aFrom, aTo);
    added.fill(1, bFrom, bTo);
    return;
  }
  diffRange(work, aFrom, middle.x, bFrom, middle.y);
  diffRange(work, middle.x, aTo, middle.y, bTo);
}

// Beyond this many edits the two ranges have nothing to do with each other and are replaced whole.
const editLimit = 6000;

function middleSnake(
  work: Work,
  aLow: number,
  aHigh: number,
  bLow: number,
  bHigh: number,
): { readonly x: number; readonly y: number } | undefined {
  const { a, b } = work;
  const n = aHigh - aLow;
  const m = bHigh - bLow;
  const max = Math.min(Math.ceil((n + m) / 2), editLimit);
  const delta = n - m;
  const odd = (delta & 1) !== 0;
  const offset = max + 1;
  const forward = new Int32Array(2 * max + 3);
  const backward = new Int32Array(2 * max + 3);
  const inRange = (k: number): boolean => k >= -max && k <= max;
  for (let d = 0; d <= max; d += 1) {
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && at(forward, offset + k - 1) < at(forward, offset + k + 1));
      let x = down ? at(forward, offset + k + 1) : at(forward, offset + k - 1) + 1;
      let y = x - k;
      if (x > n || y > m || y < 0) {
        forward[offset + k] = x;
        continue;
      }
      while (x < n && y < m && a[aLow + x] === b[bLow + y]) {
        x += 1;
        y += 1;
      }
      forward[offset + k] = x;
      const back = delta - k;
      if (odd && inRange(back) && Math.abs(back) <= d - 1 && x + at(backward, offset + back) >= n)
        return split(aLow, bLow, x, y, n, m);
    }
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && at(backward, offset + k - 1) < at(backward, offset + k + 1));
      let x = down ? at(backward, offset + k + 1) : at(backward, offset + k - 1) + 1;
      let y = x - k;
      if (x > n || y > m || y < 0) {
        backward[offset + k] = x;
        continue;
      }
      while (x < n && y < m && a[aHigh - x - 1] === b[bHigh - y - 1]) {
        x += 1;
        y += 1;
      }
      backward[offset + k] = x;
      const ahead = delta - k;
      if (!odd && inRange(ahead) && Math.abs(ahead) <= d && x + at(forward, offset + ahead) >= n)
        return split(aLow, bLow, n - x, m - y, n, m);
    }
  }
  return undefined;
}

function at(values: Int32Array, index: number): number {
  return values[index] ?? 0;
}

/** A split at a corner would not shrink the problem; the caller then replaces the whole range. */
function split(
  aLow: number,
  bLow: number,
  x: number,
  y: number,
  n: number,
  m: number,
): { readonly x: number; readonly y: number } | undefined {
  if ((x <= 0 && y <= 0) || (x >= n && y >= m)) return undefined;
  return { x: aLow + x, y: bLow + y };
}

function diffByAnchors(work: Work, aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  const { a, b } = work;
  let aFrom = aLow;
  let bFrom = bLow;
  let aTo = aHigh;
  let bTo = bHigh;
  while (aFrom < aTo && bFrom < bTo && a[aFrom] === b[bFrom]) {
    aFrom += 1;
    bFrom += 1;
  }
  while (aFrom < aTo && bFrom < bTo && a[aTo - 1] === b[bTo - 1]) {
    aTo -= 1;
    bTo -= 1;
  }
  const anchors = aTo - aFrom > 0 && bTo - bFrom > 0 ? commonOnce(a, b, aFrom, aTo, bFrom, bTo) : [];
  if (anchors.length === 0) {
    diffRange(work, aFrom, aTo, bFrom, bTo);
    return;
  }
  for (const [x, y] of anchors) {
    diffByAnchors(work, aFrom, x, bFrom, y);
    aFrom = x + 1;
    bFrom = y + 1;
  }
  diffByAnchors(work, aFrom, aTo, bFrom, bTo);
}

/** Elements that occur exactly once on each side, thinned to the longest run that rises on both. */
function commonOnce(
  a: Sequence,
  b: Sequence,
  aFrom: number,
  aTo: number,
  bFrom: number,
  bTo: number,
): readonly (readonly [number, number])[] {
  const inA = onceIn(a, aFrom, aTo);
  const inB = onceIn(b, bFrom, bTo);
  const pairs: (readonly [number, number])[] = [];
  for (const [value, x] of inA) {
    const y = x < 0 ? undefined : inB.get(value);
    if (y !== undefined && y >= 0) pairs.push([x, y]);
  }
  return longestRising(pairs);
}

function onceIn(sequence: Sequence, from: number, to: number): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  for (let index = from; index < to; index += 1) {
    const value = sequence[index] ?? 0;
    places.set(value, places.has(value) ? -1 : index);
  }
  return places;
}

function longestRising(
  pairs: readonly (readonly [number, number])[],
): readonly (readonly [number, number])[] {
  const tails: number[] = [];
  const previous = new Int32Array(pairs.length).fill(-1);
  for (const [index, pair] of pairs.entries()) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((pairs[tails[middle] ?? 0]?.[1] ?? 0) < pair[1]) low = middle + 1;
      else high = middle;
    }
    previous[index] = low > 0 ? (tails[low - 1] ?? -1) : -1;
    tails[low] = index;
  }
  const run: (readonly [number, number])[] = [];
  for (let index = tails.at(-1) ?? -1; index >= 0; index = previous[index] ?? -1) {
    const pair = pairs[index];
    if (pair !== undefined) run.push(pair);
  }
  return run.reverse();
}
