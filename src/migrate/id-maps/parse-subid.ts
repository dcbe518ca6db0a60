// Reads the text of /etc/subuid or /etc/subgid as LXD, Incus and newuidmap read it.
// getFromShadow of LXD 4.0 … 6.9 (shared/idmap, lxd/idmap) and of Incus 6.0 … 7.3 (shared/idmap/set_load.go) are one
// and the same; newuidmap goes by subordinate_parse (shadow 4.8 … 4.20, lib/subordinateio.c).
import type { IdRange } from './id-range.ts';
import { type OddBytes, oddBytesOf } from './odd-bytes.ts';

/** A line that names root, or user 0, in a way that some reader understands. */
export interface RootLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  readonly by: 'name' | 'id';
  /** What both daemons take from it; undefined: they skip it. */
  readonly range: IdRange | undefined;
  /** Why a reader skips it, or takes something else than the others; undefined where all agree. */
  readonly why: string | undefined;
}

export interface SubidLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
}

export interface OddLine extends SubidLine {
  readonly odd: OddBytes;
  /** Whether LXD and Incus read it as it was meant all the same. */
  readonly isRead: boolean;
}

export interface Subids {
  readonly root: readonly RootLine[];
  /** The line at which both daemons give up the whole file. */
  readonly givenUpAt: SubidLine | undefined;
  /** Lines that name root once a byte is taken out that somebody stumbles over. */
  readonly odd: readonly OddLine[];
  /** The line at which both stop reading in silence: what comes before it counts. */
  readonly cutAt: number | undefined;
  /** Ranges that newuidmap grants to root. */
  readonly granted: readonly IdRange[];
  /** Ranges of everybody else. */
  readonly others: readonly { readonly owner: string; readonly range: IdRange }[];
}

/** bufio.Scanner takes no longer line (MaxScanTokenSize, line end included), and neither daemon asks it why it stopped. */
const longestLine = 65_535;

/** shadow's buffer, its zero byte included. */
const shadowBuffer = 1024;

const largest32 = 0xffff_ffff;

/** @param text read as latin1: Go compares bytes, and only ASCII letters have another case of r, o and t */
export function parseSubids(text: string): Subids {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const granted: IdRange[] = [];
  const others: Subids['others'][number][] = [];
  for (const line of lines) {
    const known = byShadow(line);
    if (known !== undefined && isRoot(known.owner)) granted.push(known.range);
    const [owner = '', start = '', size = ''] = line.split(':');
    // Whoever reads it in whatever way: an id that somebody may have is not given away a second time.
    const range = rangeOf(start.trim(), size.trim());
    if (range !== undefined && !isRoot(owner.toLowerCase())) others.push({ owner, range });
  }
  const root: RootLine[] = [];
  let givenUpAt: Subids['givenUpAt'];
  let cutAt: number | undefined;
  for (const [index, raw] of lines.entries()) {
    const number = index + 1;
    if (raw.length > longestLine) {
      cutAt = number;
      break;
    }
    const [content = ''] = raw.replace(/\r$/, '').split('#');
    if (content === '') continue;
    const fields = content.split(':');
    const [owner = '', start = '', size = ''] = fields;
    if (fields.length < 3) {
      givenUpAt = { number, text: raw };
      break;
    }
    const by = /^root$/i.test(owner) ? 'name' : owner === '0' ? 'id' : undefined;
    if (by === undefined) continue;
    const range = rangeOf(start, size);
    root.push({ number, text: raw, by, range, why: whyOdd(raw, range) });
  }
  return { root, givenUpAt, cutAt, odd: oddLines(lines, root), granted, others };
}

function oddLines(lines: readonly string[], root: readonly RootLine[]): OddLine[] {
  const read = new Set(root.filter(({ range }) => range !== undefined).map(({ number }) => number));
  return lines.flatMap((text, index) => {
    const odd = oddBytesOf(text);
    if (odd === undefined || !/^(?:root|0):/i.test(odd.corrected)) return [];
    return [{ number: index + 1, text, odd, isRead: read.has(index + 1) }];
  });
}

function isRoot(owner: string): boolean {
  return owner === 'root' || owner === '0';
}

/** strconv.ParseUint with base 10 and 32 bits: digits only, as many zeros in front as one likes. */
function rangeOf(start: string, size: string): IdRange | undefined {
  const [first, count] = [start, size].map((digits) =>
    /^[0-9]+$/.test(digits) && Number(digits) <= largest32 ? Number(digits) : undefined,
  );
  return first === undefined || count === undefined ? undefined : { start: first, size: count };
}

/**
 * Only what every version of shadow reads alike: it takes leading zeros for octal numbers, up to 4.13 a fourth field as
 * none, and knows neither comments nor line ends of Windows.
 */
function byShadow(line: string): { owner: string; range: IdRange } | undefined {
  if (line.length >= shadowBuffer || line.includes('\0')) return undefined;
  const match = /^([^:]+):(0|[1-9][0-9]*):(0|[1-9][0-9]*)$/.exec(line);
  if (match === null) return undefined;
  const [, owner = '', start, size] = match;
  const range = { start: Number(start), size: Number(size) };
  return range.size === 0 || range.start + range.size > largest32 + 1 ? undefined : { owner, range };
}

function whyOdd(line: string, range: IdRange | undefined): string | undefined {
  const [, start = '', size = ''] = (line.replace(/\r$/, '').split('#')[0] ?? '').split(':');
  if (range === undefined) {
    const wrong = [start, size].find((digits) => !/^[0-9]+$/.test(digits));
    if (wrong === undefined) return 'a number has more than 32 bits, so LXD and Incus skip the line';
    return /^\s|\s$/.test(wrong)
      ? 'there is a blank beside a number, so LXD and Incus skip the line'
      : 'not a number, so LXD and Incus skip the line';
  }
  const known = byShadow(line);
  if (known !== undefined && isRoot(known.owner)) return undefined;
  if (known !== undefined)
    return 'LXD and Incus take it for root, newuidmap does not: names have a case there';
  if (/\r$/.test(line)) return 'it ends as lines of Windows do, so newuidmap skips it';
  if (line.includes('#')) return 'newuidmap knows no comments, so it skips the line';
  if (line.split(':').length !== 3) return 'it has more than three fields, so newuidmap skips it';
  if (/:0[0-9]/.test(line)) return 'newuidmap takes a number that begins with 0 for an octal one';
  if (range.size === 0) return 'its size is 0';
  if (range.start + range.size > largest32 + 1) return 'it ends beyond the last id that there is';
  return 'newuidmap skips it';
}
