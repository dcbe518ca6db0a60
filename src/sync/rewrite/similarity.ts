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
  const blocks: Block[] = [];
  findBlocks(a, b, (start, other, length) => blocks.push({ a: start, b: other, length }));
  return blocks.sort((left, right) => left.a - right.a);
}

// Tables that all searches share, since a pick makes tens of thousands of them. Nothing in them outlives a search: what
// is of this one carries its number.
let numbers = new Map<string, number>();
let search = 0;
let row = 0;
/** By number of a token: the search that it was last in, and its last place in `b`. */
let searched = new Int32Array(0);
let last = new Int32Array(0);
/** By place in `b`: the place before it with the same token, or -1. */
let earlier = new Int32Array(0);
/** By place in `b` and one: the row that a run ended there in, and how long it was. */
let runRow = new Int32Array(0);
let runLength = new Int32Array(0);
let numbersOfA = new Int32Array(0);

const mostNumbers = 10_000;
const mostRows = 1_000_000_000;

/** Tells of each common run, in no order. */
function findBlocks(
  a: readonly string[],
  b: readonly string[],
  found: (a: number, b: number, length: number) => void,
): void {
  if (a.length === 0 || b.length === 0) return;
  prepare(a, b);
  const ranges = [0, a.length, 0, b.length];
  while (ranges.length > 0) {
    const bHigh = ranges.pop() ?? 0;
    const bLow = ranges.pop() ?? 0;
    const aHigh = ranges.pop() ?? 0;
    const aLow = ranges.pop() ?? 0;
    if (aLow >= aHigh || bLow >= bHigh) continue;
    longestRun(aLow, aHigh, bLow, bHigh);
    const { start, other, length } = best;
    if (length === 0) continue;
    found(start, other, length);
    ranges.push(aLow, start, bLow, other);
    ranges.push(start + length, aHigh, other + length, bHigh);
  }
}

function prepare(a: readonly string[], b: readonly string[]): void {
  if (numbers.size > mostNumbers) numbers = new Map();
  if (row > mostRows || search > mostRows) {
    runRow.fill(0);
    searched.fill(0);
    row = 0;
    search = 0;
  }
  search += 1;
  if (numbersOfA.length < a.length) numbersOfA = new Int32Array(2 * a.length);
  if (earlier.length <= b.length) {
    earlier = new Int32Array(2 * b.length);
    runRow = new Int32Array(2 * b.length + 1);
    runLength = new Int32Array(2 * b.length + 1);
  }
  for (let at = 0; at < a.length; at += 1) numbersOfA[at] = numberOf(a[at] ?? '');
  for (let at = 0; at < b.length; at += 1) {
    const number = numberOf(b[at] ?? '');
    earlier[at] = searched[number] === search ? (last[number] ?? -1) : -1;
    searched[number] = search;
    last[number] = at;
  }
}

function numberOf(token: string): number {
  const known = numbers.get(token);
  if (known !== undefined) return known;
  const made = numbers.size;
  // A piece cut from a line would keep the line in memory; V8 copies pieces of up to 12 characters.
  const copy = token.length < 13 ? token : Buffer.from(token, 'latin1').toString('latin1');
  numbers.set(copy === token ? copy : token, made);
  if (searched.length <= made) {
    searched = grown(searched, made);
    last = grown(last, made);
  }
  return made;
}

function grown(table: Int32Array<ArrayBuffer>, place: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * place + 256);
  larger.set(table);
  return larger;
}

const best = { start: 0, other: 0, length: 0 };

/** The longest run that two ranges have in common, of several the first in `a`, then in `b`; into `best`. */
function longestRun(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  let [end, otherEnd, longest, longestRow] = [aLow, bLow, 0, 0];
  // No run of another range goes on in this one.
  row += 2;
  for (let i = aLow; i < aHigh; i += 1, row += 1) {
    const number = numbersOfA[i] ?? 0;
    if (searched[number] !== search) continue;
    // From the last place to the first: the runs of the row before are not written over until they are read.
    for (let j = last[number] ?? -1; j >= bLow; j = earlier[j] ?? -1) {
      if (j >= bHigh) continue;
      const length = (runRow[j] === row - 1 ? (runLength[j] ?? 0) : 0) + 1;
      runRow[j + 1] = row;
      runLength[j + 1] = length;
      if (length > longest || (length === longest && longestRow === row)) {
        longest = length;
        longestRow = row;
        end = i + 1;
        otherEnd = j + 1;
      }
    }
  }
  best.start = end - longest;
  best.other = otherEnd - longest;
  best.length = longest;
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
  findBlocks(a, b, (start, _, length) => {
    for (let index = start; index < start + length; index += 1) common += a[index]?.length ?? 0;
  });
  return (2 * common) / total;
}

/** What `similarity` cannot pass, by the lengths alone. */
export function mostSimilar(a: readonly string[], b: readonly string[]): number {
  const [one, two] = [weight(a), weight(b)];
  return one + two === 0 ? 1 : (2 * Math.min(one, two)) / (one + two);
}

function weight(tokens: readonly string[]): number {
  let sum = 0;
  for (const token of tokens) sum += token.length;
  return sum;
}
