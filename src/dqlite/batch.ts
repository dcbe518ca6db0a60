// Takes one batch of log entries out of a segment, and says what is wrong with it otherwise.
import { crc32 } from './crc32.ts';
import type { ByteSource } from './read-file.ts';

/** Offset of the first batch: segments begin with their format. */
export const segmentHeaderSize = 8;

/** Two checksums and the number of entries. */
export const batchHeaderSize = 16;

/** The server's own limit (canonical/raft src/uv_segment.c). */
const maxEntries = 262_144;

export interface EntryHeader {
  readonly term: number;
  readonly type: number;
  readonly length: number;
}

export interface Batch {
  readonly entries: readonly EntryHeader[];
  readonly dataOffset: number;
  /** Offset of the next batch. */
  readonly end: number;
}

/**
 * `torn`: a server that finds this in an open segment stops there and goes on without the rest.
 * Otherwise it does not start (canonical/raft src/uv_segment.c; tried with dqlite and cowsql).
 */
export interface BatchFault {
  readonly torn: boolean;
  readonly why: string;
}

/** The batch at an offset; its data is checked as well unless `headersOnly`. */
export function readBatch(source: ByteSource, offset: number, headersOnly = false): Batch | BatchFault {
  const left = source.size - offset;
  if (left < batchHeaderSize) return { torn: false, why: 'the file is cut off inside a batch' };
  const preamble = source.view(offset, batchHeaderSize);
  const headerChecksum = preamble.readUInt32LE(0);
  const dataChecksum = preamble.readUInt32LE(4);
  const count = preamble.readUInt32LE(8) + preamble.readUInt32LE(12) * 2 ** 32;
  if (count === 0) return { torn: true, why: 'a batch without entries' };
  if (count > maxEntries) return { torn: true, why: `a batch of ${count} entries` };
  const headerSize = 16 + 16 * count;
  if (headerSize > left) return { torn: false, why: 'the file is cut off inside a batch' };
  const header = source.view(offset, headerSize);
  if (crc32(header.subarray(8)) !== headerChecksum)
    return { torn: true, why: 'the checksum of a batch header is wrong' };
  const entries: EntryHeader[] = [];
  let dataSize = 0;
  for (let at = 16; at < headerSize; at += 16) {
    const term = header.readUInt32LE(at) + header.readUInt32LE(at + 4) * 2 ** 32;
    const type = header.readUInt8(at + 8);
    const length = header.readUInt32LE(at + 12);
    if (type < 1 || type > 3) return { torn: false, why: `an entry of the unknown type ${type}` };
    if (length % 8 !== 0)
      return { torn: false, why: `an entry of ${length} bytes, which is no multiple of 8` };
    if (!Number.isSafeInteger(term)) return { torn: false, why: 'an entry whose term is too large' };
    entries.push({ term, type, length });
    dataSize += length;
  }
  if (headerSize + dataSize > left) return { torn: false, why: 'the file is cut off inside a batch' };
  const dataOffset = offset + headerSize;
  if (!headersOnly && crc32(source.view(dataOffset, dataSize)) !== dataChecksum)
    return { torn: true, why: 'the checksum of the data of a batch is wrong' };
  return { entries, dataOffset, end: dataOffset + dataSize };
}
