// Longest-block matching of token lists (Ratcliff and Obershelp) and the similarity that follows from it.

export interface Block {
  readonly a: number;
  readonly b: number;
  readonly length: number;
}

export interface Replacement {
  readonly kind: 'equal' | 'replace';
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

/**
 * The longest common run first, then left and right of it: unlike a shortest edit script this keeps `lxd init` →
 * `incus admin init` as `lxd` → `incus admin` and an untouched ` init`.
 */
export function matchingBlocks(a: readonly string[], b: readonly string[]): readonly Block[] {
  const places = new Map<string, number[]>();
  for (const [index, token] of b.entries()) {
    const list = places.get(token);
    if (list === undefined) places.set(token, [index]);
    else list.push(index);
  }
  const blocks: Block[] = [];
  const ranges: [number, number, number, number][] = [[0, a.length, 0, b.length]];
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const [aLow, aHigh, bLow, bHigh] = range;
    if (aLow >= aHigh || bLow >= bHigh) continue;
    const best = longestBlock(a, places, aLow, aHigh, bLow, bHigh);
    if (best.length === 0) continue;
    blocks.push(best);
    ranges.push([aLow, best.a, bLow, best.b]);
    ranges.push([best.a + best.length, aHigh, best.b + best.length, bHigh]);
  }
  return blocks.sort((left, right) => left.a - right.a);
}

function longestBlock(
  a: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  aLow: number,
  aHigh: number,
  bLow: number,
  bHigh: number,
): Block {
  let best: Block = { a: aLow, b: bLow, length: 0 };
  let lengths = new Map<number, number>();
  for (let i = aLow; i < aHigh; i += 1) {
    const next = new Map<number, number>();
    for (const j of places.get(a[i] ?? '') ?? []) {
      if (j < bLow) continue;
      if (j >= bHigh) break;
      const length = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, length);
      if (length > best.length) best = { a: i - length + 1, b: j - length + 1, length };
    }
    lengths = next;
  }
  return best;
}

/** Equal and replaced ranges, in order and without gaps. */
export function replacements(a: readonly string[], b: readonly string[]): readonly Replacement[] {
  const out: Replacement[] = [];
  let i = 0;
  let j = 0;
  for (const block of [...matchingBlocks(a, b), { a: a.length, b: b.length, length: 0 }]) {
    if (block.a > i || block.b > j)
      out.push({ kind: 'replace', aStart: i, aEnd: block.a, bStart: j, bEnd: block.b });
    i = block.a + block.length;
    j = block.b + block.length;
    if (block.length > 0) out.push({ kind: 'equal', aStart: block.a, aEnd: i, bStart: block.b, bEnd: j });
  }
  return out;
}

/** Share of characters in common blocks, 0 to 1; blanks count as any token. */
export function similarity(a: readonly string[], b: readonly string[]): number {
  const total = weight(a) + weight(b);
  if (total === 0) return 1;
  let common = 0;
  for (const block of matchingBlocks(a, b))
    for (let index = block.a; index < block.a + block.length; index += 1) common += a[index]?.length ?? 0;
  return (2 * common) / total;
}

function weight(tokens: readonly string[]): number {
  let sum = 0;
  for (const token of tokens) sum += token.length;
  return sum;
}
