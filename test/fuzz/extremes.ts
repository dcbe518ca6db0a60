// Directories of 64 MiB, each made to cost as much time or memory as can be thought of.
import { crc32 } from '../../src/dqlite/crc32.ts';
import { xxhash32 } from '../../src/dqlite/xxhash32.ts';
import {
  batch,
  closedName,
  configuration,
  directory,
  fileName,
  frames,
  framesOf,
  metadata,
  padded,
  type RawFiles,
  segment,
  snapshotMeta,
  standalone,
  u16,
  u32,
  u64,
} from '../dqlite/raw-log.ts';
import { sampleImage } from '../dqlite/sample-database.ts';

const size = 64 * 1024 * 1024;

/** Each makes one directory below `parent`. */
export const extremes: readonly ((parent: string) => string)[] = [
  /** A frame whose blocks expand to 16 GiB. */
  (parent) => directory(parent, lz4Snapshot(zeroBlocks(size))),
  /** A frame that expands to what is still plausible, with a database in it. */
  (parent) => directory(parent, lz4Snapshot(largestSnapshot())),
  /** Millions of blocks that hold nothing. */
  (parent) => directory(parent, lz4Snapshot([Buffer.alloc(size - (size % 5), Buffer.from([1, 0, 0, 0, 0]))])),
  /** Millions of entries without a payload. */
  (parent) => {
    const many = Array.from({ length: 60_000 }, () => ({ type: 2, payload: Buffer.alloc(0) }));
    const full = batch(...many);
    const count = Math.floor(size / full.length);
    return directory(parent, {
      ...begin,
      [closedName(2, 1 + count * many.length)]: segment(...Array.from({ length: count }, () => full)),
    });
  },
  /** Small pages, and none of them ever committed. */
  (parent) => {
    const page = Buffer.alloc(512, 1);
    const pages = Array.from({ length: 1000 }, (_, at) => [at + 1, page] as const);
    const full = batch(frames({ pages, pageSize: 512, commit: 0 }));
    const count = Math.floor(size / full.length);
    return directory(parent, {
      ...begin,
      [closedName(2, 1 + count)]: segment(...Array.from({ length: count }, () => full)),
    });
  },
  /** Small pages with numbers far apart, committed. */
  (parent) => {
    const page = Buffer.alloc(512, 1);
    const count = 120;
    const all = Array.from({ length: count }, (_, at) =>
      batch(
        frames({
          pages: Array.from({ length: 1000 }, (__, one) => [(at * 1000 + one) * 35_000 + 1, page] as const),
          pageSize: 512,
        }),
      ),
    );
    return directory(parent, { ...begin, [closedName(2, 1 + count)]: segment(...all) });
  },
  /** A configuration of millions of servers. */
  (parent) => {
    const count = Math.floor(size / 12);
    const payload = Buffer.alloc(size);
    payload.writeUInt8(1);
    payload.writeBigUInt64LE(BigInt(count), 1);
    for (let at = 0; at < count; at += 1) payload.writeUInt32LE(at, 9 + 12 * at);
    return directory(parent, { ...begin, [closedName(2, 2)]: segment(batch({ type: 3, payload })) });
  },
  /** A name of a database without an end. */
  (parent) => {
    const payload = Buffer.alloc(size, 0x61);
    payload.set([1, 2], 0);
    return directory(parent, { ...begin, [closedName(2, 2)]: segment(batch({ payload })) });
  },
  /** One transaction as large as the file. */
  (parent) => {
    const image = Buffer.alloc(size);
    const real = sampleImage(['one']);
    real.copy(image);
    image.writeUInt32BE(size / 4096, 28);
    return directory(parent, { ...begin, [closedName(2, 2)]: segment(batch(framesOf(image))) });
  },
  /** An open segment that ends in bytes without sense, with a single bit at the very end. */
  (parent) => {
    const torn = padded(segment(batch(framesOf(sampleImage(['one'])))), size);
    torn[size - 1] = 1;
    return directory(parent, { ...begin, 'open-1': torn });
  },
  /** A batch that announces far more than there is. */
  (parent) => {
    const header = Buffer.concat([u64(1), u64(1), Buffer.from([1, 0, 0, 0]), u32(0xffff_fff8)]);
    return directory(parent, {
      ...begin,
      'open-1': padded(segment(Buffer.concat([u32(crc32(header)), u32(0), header])), size),
    });
  },
  /** Millions of pages announced in a transaction, and none there. */
  (parent) => {
    const body = Buffer.concat([
      fileName('db.bin'),
      u64(0),
      u32(0),
      Buffer.from([1, 0, 0, 0]),
      u32(0xffff_ffff),
      u16(512),
      u16(0),
    ]);
    const payload = padded(Buffer.concat([Buffer.from([1, 2, 0, 0, 0, 0, 0, 0]), body]), size);
    return directory(parent, { ...begin, [closedName(2, 2)]: segment(batch({ payload })) });
  },
];

const begin: RawFiles = { metadata1: metadata(1), [closedName(1, 1)]: segment(batch(standalone)) };

/** Blocks of a frame as they are stored, without a content checksum. */
function lz4Snapshot(blocks: readonly Buffer[]): RawFiles {
  const descriptor = Buffer.from([0x40, 0x40]);
  const frame = Buffer.concat([
    u32(0x184d2204),
    descriptor,
    Buffer.from([(xxhash32(descriptor) >>> 8) & 255]),
    ...blocks,
    u32(0),
  ]);
  return {
    'snapshot-1-9-1': frame,
    'snapshot-1-9-1.meta': snapshotMeta(configuration({ id: 1, address: '1', role: 1 })),
  };
}

/** 64 KiB of zeros: one literal, a match of distance 1 that is as long as it can be, five literals. */
function zeroBlock(): Buffer {
  const match = 65_536 - 1 - 5;
  const rest = match - 4 - 15;
  const token = [0x1f, 0, 1, 0];
  const lengths = [...Array.from({ length: Math.floor(rest / 255) }, () => 255), rest % 255];
  const block = Buffer.from([...token, ...lengths, 0x50, 0, 0, 0, 0, 0]);
  return Buffer.concat([u32(block.length), block]);
}

function zeroBlocks(bytes: number): Buffer[] {
  const block = zeroBlock();
  return Array.from({ length: Math.floor(bytes / block.length) }, () => block);
}

/** 63 MiB stored as they are, and zeros up to just below six times as much. */
function largestSnapshot(): Buffer[] {
  const stored = 63 * 16;
  const zeros = 16 * 64 * 6 - stored - 16 * 8;
  const real = sampleImage(['one']);
  const pages = (stored + zeros) * 16;
  const head = Buffer.alloc(65_536);
  Buffer.concat([u64(1), u64(1), fileName('db.bin'), u64(pages * 4096), u64(0), real]).copy(head);
  head.writeUInt32BE(pages, 40 + 28);
  const raw = (bytes: Buffer): Buffer => Buffer.concat([u32((bytes.length | 0x8000_0000) >>> 0), bytes]);
  return [
    raw(head),
    ...Array.from({ length: stored - 1 }, (_, at) => raw(Buffer.alloc(65_536, at))),
    ...Array.from({ length: zeros }, zeroBlock),
    raw(Buffer.alloc(40)),
  ];
}
