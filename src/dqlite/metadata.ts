// Reads and writes metadata1 and metadata2: the term and the vote of a raft server.
import { join } from 'node:path';
import type { FolderListing } from './list-folder.ts';
import type { DqliteNotice } from './notice.ts';
import { dqliteFailure } from './problem.ts';
import { readWhole, type Scratch } from './read-file.ts';

export interface RaftMetadata {
  readonly version: bigint;
  readonly term: number;
}

const size = 32;

/** The metadata that counts (the higher version), or undefined if there is none. */
export function readMetadata(
  listing: FolderListing,
  scratch: Scratch,
  notices: DqliteNotice[],
): RaftMetadata | undefined {
  const found: RaftMetadata[] = [];
  for (const name of listing.metadata) {
    const file = join(listing.folder, name);
    const bytes = readWhole(file, 1024 * 1024, scratch);
    if (bytes.length < size) notices.push({ code: 'metadata-short', file: name });
    else found.push(decode(bytes, file));
  }
  const [first, second] = found;
  if (first === undefined) notices.push({ code: 'metadata-missing' });
  if (first === undefined || second === undefined) return first;
  if (first.version === second.version)
    throw dqliteFailure({
      code: 'metadata-damaged',
      file: join(listing.folder, 'metadata2'),
      why: `metadata1 and metadata2 have the same version ${first.version}`,
    });
  return first.version > second.version ? first : second;
}

function decode(bytes: Buffer, file: string): RaftMetadata {
  const format = bytes.readBigUInt64LE(0);
  if (format !== 1n) throw dqliteFailure({ code: 'format-unsupported', file, format });
  const damaged = (why: string) => dqliteFailure({ code: 'metadata-damaged', file, why });
  if (bytes.length > size) throw damaged(`it has ${bytes.length} bytes instead of ${size}`);
  const version = bytes.readBigUInt64LE(8);
  if (version === 0n) throw damaged('its version is 0');
  const term = Number(bytes.readBigUInt64LE(16));
  if (!Number.isSafeInteger(term)) throw damaged('its term is too large');
  return { version, term };
}

/** The metadata of a server that has not voted, as a standalone one keeps it for ever. */
export function encodeMetadata(term: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeBigUInt64LE(1n, 0);
  bytes.writeBigUInt64LE(1n, 8);
  bytes.writeBigUInt64LE(BigInt(term), 16);
  return bytes;
}
