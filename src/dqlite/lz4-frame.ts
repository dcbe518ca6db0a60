// Decodes one LZ4 frame, as dqlite wraps around its snapshots; the size of the output is measured before it is made.
import { xxhash32 } from './xxhash32.ts';

const frameMagic = 0x184d2204;

/** What is wrong with a frame, and at which byte of the input. */
export interface Lz4Fault {
  readonly offset: number;
  readonly why: string;
}

/** Whether the bytes begin like an LZ4 frame. */
export function isLz4Frame(bytes: Buffer): boolean {
  return bytes.length >= 4 && bytes.readUInt32LE(0) === frameMagic;
}

/**
 * The content of a frame that fills `bytes` exactly. Sizes written in the frame are checked and never trusted:
 * memory is taken only for what the blocks really hold, and never more than `limit`.
 */
export function decodeLz4Frame(bytes: Buffer, limit: number): Buffer | Lz4Fault {
  const header = readHeader(bytes);
  if ('why' in header) return header;
  // Twice over the same blocks: a list of them could be many times larger than the frame.
  let size = 0;
  const measured = walkBlocks(bytes, header, (block) => {
    const length = block.compressed ? measureBlock(bytes, block.start, block.end) : block.end - block.start;
    if (length < 0 || length > header.blockLimit) return 'a compressed block is damaged';
    size += length;
    return size > limit ? `the content would be larger than ${limit} bytes` : undefined;
  });
  if ('why' in measured) return measured;
  if (header.contentSize !== undefined && header.contentSize !== BigInt(size))
    return {
      offset: 6,
      why: `the frame says ${header.contentSize} bytes of content, its blocks hold ${size}`,
    };
  const output = Buffer.allocUnsafeSlow(size);
  let at = 0;
  const expanded = walkBlocks(bytes, header, (block) => {
    if (block.compressed) at = expandBlock(bytes, block.start, block.end, output, at, header.linked ? 0 : at);
    else at += bytes.copy(output, at, block.start, block.end);
    return at < 0 ? 'a compressed block refers to bytes before the content' : undefined;
  });
  if ('why' in expanded) return expanded;
  if (expanded.contentChecksum !== undefined && xxhash32(output) !== expanded.contentChecksum)
    return { offset: bytes.length - 4, why: 'the checksum of the content is wrong' };
  return output;
}

interface FrameHeader {
  readonly end: number;
  readonly linked: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  readonly contentSize: bigint | undefined;
  readonly blockLimit: number;
}

/** LZ4 frame format 1.6: magic, FLG, BD, content size, dictionary id, header checksum. */
function readHeader(bytes: Buffer): FrameHeader | Lz4Fault {
  if (bytes.length < 7) return { offset: 0, why: 'the frame is cut off' };
  const flags = bytes.readUInt8(4);
  const descriptor = bytes.readUInt8(5);
  if (flags >> 6 !== 1 || (flags & 2) !== 0 || (descriptor & 0x8f) !== 0)
    return { offset: 4, why: 'the header of the frame is damaged or of an unknown version' };
  if ((flags & 1) !== 0) return { offset: 4, why: 'the frame needs a dictionary' };
  const sizeCode = descriptor >> 4;
  if (sizeCode < 4) return { offset: 5, why: 'the header of the frame is damaged' };
  const hasSize = (flags & 8) !== 0;
  const end = hasSize ? 15 : 7;
  if (bytes.length < end) return { offset: 0, why: 'the frame is cut off' };
  if (bytes.readUInt8(end - 1) !== ((xxhash32(bytes.subarray(4, end - 1)) >>> 8) & 255))
    return { offset: end - 1, why: 'the checksum of the frame header is wrong' };
  return {
    end,
    linked: (flags & 0x20) === 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 4) !== 0,
    contentSize: hasSize ? bytes.readBigUInt64LE(6) : undefined,
    blockLimit: 1 << (8 + 2 * sizeCode),
  };
}

interface Block {
  readonly start: number;
  readonly end: number;
  readonly compressed: boolean;
}

/** Calls `visit` for each block, until it finds fault with one. */
function walkBlocks(
  bytes: Buffer,
  header: FrameHeader,
  visit: (block: Block) => string | undefined,
): { readonly contentChecksum: number | undefined } | Lz4Fault {
  const tail = header.blockChecksums ? 4 : 0;
  let at = header.end;
  for (;;) {
    if (at + 4 > bytes.length) return { offset: at, why: 'the frame is cut off' };
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const size = word & 0x7fffffff;
    if (size > header.blockLimit) return { offset: at - 4, why: 'a block is larger than the frame allows' };
    if (at + size + tail > bytes.length) return { offset: at, why: 'the frame is cut off' };
    if (tail !== 0 && xxhash32(bytes.subarray(at, at + size)) !== bytes.readUInt32LE(at + size))
      return { offset: at, why: 'the checksum of a block is wrong' };
    const why = visit({ start: at, end: at + size, compressed: word >>> 31 === 0 });
    if (why !== undefined) return { offset: at, why };
    at += size + tail;
  }
  const end = at + (header.contentChecksum ? 4 : 0);
  if (end > bytes.length) return { offset: at, why: 'the frame is cut off' };
  if (end < bytes.length) return { offset: end, why: 'there are bytes after the frame' };
  return { contentChecksum: header.contentChecksum ? bytes.readUInt32LE(at) : undefined };
}

/** Bytes that a compressed block expands to, or -1 if its tokens do not fit it. */
function measureBlock(bytes: Buffer, start: number, end: number): number {
  let at = start;
  let size = 0;
  while (at < end) {
    const token = bytes[at] as number;
    at += 1;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255) {
        if (at >= end) return -1;
        more = bytes[at] as number;
        at += 1;
        literals += more;
      }
    }
    at += literals;
    size += literals;
    if (at === end) return size;
    if (at + 2 > end) return -1;
    at += 2;
    let match = (token & 15) + 4;
    if (match === 19) {
      let more = 255;
      while (more === 255) {
        if (at >= end) return -1;
        more = bytes[at] as number;
        at += 1;
        match += more;
      }
    }
    size += match;
  }
  return -1;
}

/**
 * Expands a block that `measureBlock` has accepted into `output` from `to` on; returns where it ends, or -1 if a
 * match reaches back before `floor`.
 */
function expandBlock(
  bytes: Buffer,
  start: number,
  end: number,
  output: Buffer,
  to: number,
  floor: number,
): number {
  let at = start;
  let out = to;
  for (;;) {
    const token = bytes[at] as number;
    at += 1;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255) {
        more = bytes[at] as number;
        at += 1;
        literals += more;
      }
    }
    if (literals > 32) {
      bytes.copy(output, out, at, at + literals);
      at += literals;
      out += literals;
    } else for (const stop = at + literals; at < stop; at += 1, out += 1) output[out] = bytes[at] as number;
    if (at >= end) return out;
    const distance = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    at += 2;
    let match = (token & 15) + 4;
    if (match === 19) {
      let more = 255;
      while (more === 255) {
        more = bytes[at] as number;
        at += 1;
        match += more;
      }
    }
    let from = out - distance;
    if (distance === 0 || from < floor) return -1;
    if (match > 64 && distance >= match) {
      output.copyWithin(out, from, from + match);
      out += match;
    } else if (distance === 1 && match > 32) {
      output.fill(output[from] as number, out, out + match);
      out += match;
    } else
      for (const stop = out + match; out < stop; out += 1, from += 1) output[out] = output[from] as number;
  }
}
