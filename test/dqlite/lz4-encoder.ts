// A small LZ4 frame writer for tests: greedy matches, linked or independent blocks, checksums as liblz4 sets them.
import { xxhash32 } from '../../src/dqlite/xxhash32.ts';

export interface Lz4Options {
  readonly linked?: boolean;
  readonly blockChecksums?: boolean;
  readonly contentSize?: boolean;
  readonly contentChecksum?: boolean;
  readonly blockSize?: number;
}

export function encodeLz4Frame(content: Buffer, options: Lz4Options = {}): Buffer {
  const { linked = true, blockChecksums = false, contentSize = true, contentChecksum = true } = options;
  const blockSize = Math.min(options.blockSize ?? 65_536, 65_536);
  const flags =
    0x40 |
    (linked ? 0 : 0x20) |
    (blockChecksums ? 0x10 : 0) |
    (contentSize ? 8 : 0) |
    (contentChecksum ? 4 : 0);
  const size = Buffer.alloc(contentSize ? 8 : 0);
  if (contentSize) size.writeBigUInt64LE(BigInt(content.length));
  const descriptor = Buffer.concat([Buffer.from([flags, 0x40]), size]);
  const parts = [word(0x184d2204), descriptor, Buffer.from([(xxhash32(descriptor) >>> 8) & 255])];
  for (let at = 0; at < content.length; at += blockSize) {
    const end = Math.min(at + blockSize, content.length);
    const packed = packBlock(content, at, end, linked ? Math.max(0, at - 65_535) : at);
    const raw = packed.length >= end - at;
    const stored = raw ? content.subarray(at, end) : packed;
    parts.push(word(raw ? (stored.length | 0x80000000) >>> 0 : stored.length), stored);
    if (blockChecksums) parts.push(word(xxhash32(stored)));
  }
  parts.push(word(0));
  if (contentChecksum) parts.push(word(xxhash32(content)));
  return Buffer.concat(parts);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** The last five bytes of a block are always literals, and no match begins in its last twelve. */
function packBlock(content: Buffer, start: number, end: number, floor: number): Buffer {
  const out: number[] = [];
  const seen = new Map<number, number>();
  for (let at = floor; at + 4 <= start; at += 1) seen.set(content.readUInt32LE(at), at);
  let literalsFrom = start;
  let at = start;
  while (at + 12 < end) {
    const key = content.readUInt32LE(at);
    const from = seen.get(key);
    seen.set(key, at);
    if (from === undefined || at - from > 65_535) {
      at += 1;
      continue;
    }
    let length = 4;
    while (at + length < end - 5 && content[from + length] === content[at + length]) length += 1;
    sequence(out, content.subarray(literalsFrom, at), at - from, length);
    at += length;
    literalsFrom = at;
  }
  sequence(out, content.subarray(literalsFrom, end), undefined, 4);
  return Buffer.from(out);
}

function sequence(out: number[], literals: Buffer, distance: number | undefined, length: number): void {
  const extra = length - 4;
  out.push((Math.min(literals.length, 15) << 4) | (distance === undefined ? 0 : Math.min(extra, 15)));
  if (literals.length >= 15) more(out, literals.length - 15);
  out.push(...literals);
  if (distance === undefined) return;
  out.push(distance & 255, distance >> 8);
  if (extra >= 15) more(out, extra - 15);
}

function more(out: number[], rest: number): void {
  for (let left = rest; ; left -= 255) {
    out.push(Math.min(left, 255));
    if (left < 255) return;
  }
}
