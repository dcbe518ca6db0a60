// Encodes raft log segments and the transactions in them, as the library itself writes them.
import { encodeConfiguration, type RaftConfiguration } from './configuration.ts';
import { crc32 } from './crc32.ts';

export interface EncodedEntry {
  readonly term: number;
  readonly type: 'command' | 'configuration';
  readonly payload: Buffer;
}

export function configurationEntry(term: number, configuration: RaftConfiguration): EncodedEntry {
  return { term, type: 'configuration', payload: encodeConfiguration(configuration) };
}

/** A segment: the format, then each entry as a batch of its own, as a standalone server writes them. */
export function encodeSegment(entries: readonly EncodedEntry[]): Buffer {
  const format = Buffer.alloc(8);
  format.writeBigUInt64LE(1n);
  return Buffer.concat([format, ...entries.flatMap(encodeBatch)]);
}

function encodeBatch({ term, type, payload }: EncodedEntry): Buffer[] {
  const header = Buffer.alloc(32);
  header.writeBigUInt64LE(1n, 8);
  header.writeBigUInt64LE(BigInt(term), 16);
  header.writeUInt8(type === 'command' ? 1 : 3, 24);
  header.writeUInt32LE(payload.length, 28);
  header.writeUInt32LE(crc32(header.subarray(8)), 0);
  header.writeUInt32LE(crc32(payload), 4);
  return [header, payload];
}

/** One committed transaction that writes these pages; `pageAt` gives the content of a page. */
export function framesEntry(
  term: number,
  pageSize: number,
  pageNumbers: readonly number[],
  pageAt: (page: number) => Buffer,
): EncodedEntry {
  const numbersAt = 40;
  const pagesAt = numbersAt + 8 * pageNumbers.length;
  const payload = Buffer.alloc(pagesAt + pageNumbers.length * pageSize);
  payload.set([1, 2], 0);
  payload.write('db.bin', 8);
  payload.writeUInt8(1, 28);
  payload.writeUInt32LE(pageNumbers.length, 32);
  payload.writeUInt16LE(pageSize, 36);
  pageNumbers.forEach((page, at) => {
    payload.writeBigUInt64LE(BigInt(page), numbersAt + 8 * at);
    pageAt(page).copy(payload, pagesAt + at * pageSize);
  });
  return { term, type: 'command', payload };
}
