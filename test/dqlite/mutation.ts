// Changes of a database directory that are likely to reach deep into a reader, as data, for property tests and fuzzing.
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { crc32 } from '../../src/dqlite/crc32.ts';

/** Which file (counted through), and what becomes of it. Numbers are reduced to what the file has. */
export interface Mutation {
  readonly file: number;
  readonly change: Change;
}

export type Change =
  | { readonly kind: 'flip'; readonly place: Place; readonly mask: number }
  | { readonly kind: 'word'; readonly place: Place; readonly value: bigint; readonly repair: boolean }
  | {
      readonly kind: 'zeros' | 'noise';
      readonly place: Place;
      readonly length: number;
      readonly repair: boolean;
    }
  | { readonly kind: 'truncate' | 'extend'; readonly size: number }
  | { readonly kind: 'copy'; readonly from: Place; readonly place: Place; readonly length: number }
  | { readonly kind: 'remove' }
  | { readonly kind: 'twin'; readonly name: string }
  | { readonly kind: 'rename'; readonly name: string }
  | { readonly kind: 'link' | 'folder'; readonly name: string };

/** A place in a file: anywhere, near its beginning, or in the headers of a batch of a segment. */
export type Place =
  | { readonly at: 'anywhere'; readonly offset: number }
  | { readonly at: 'beginning'; readonly offset: number }
  | { readonly at: 'batch'; readonly batch: number; readonly offset: number };

const place = fc.oneof(
  fc.record({ at: fc.constant('anywhere' as const), offset: fc.nat() }),
  fc.record({ at: fc.constant('beginning' as const), offset: fc.nat(80) }),
  fc.record({ at: fc.constant('batch' as const), batch: fc.nat(40), offset: fc.nat(120) }),
) as fc.Arbitrary<Place>;

const value = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    2n,
    255n,
    4095n,
    4096n,
    65_535n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 53n,
    2n ** 64n - 1n,
  ),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 0n, max: 300n }),
);

const number = fc.oneof(fc.nat(20), fc.nat(1200), fc.constantFrom(0, 2 ** 40, 9_000_000_000_000_000));
const name = fc.oneof(
  fc.tuple(number, number).map(([a, b]) => `${String(a).padStart(16, '0')}-${String(b).padStart(16, '0')}`),
  number.map((counter) => `open-${counter}`),
  fc.tuple(number, number, number).map((parts) => `snapshot-${parts.join('-')}`),
  fc.tuple(number, number, number).map((parts) => `snapshot-${parts.join('-')}.meta`),
  fc.constantFrom(
    'metadata1',
    'metadata2',
    'db.bin',
    'db.bin-wal',
    'corrupt-1-open-1',
    'tmp-1',
    'logs.db',
    'stray',
  ),
);

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  file: fc.nat(30),
  change: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('flip' as const),
        place,
        mask: fc.integer({ min: 1, max: 255 }),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('word' as const), place, value, repair: fc.boolean() }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('zeros' as const, 'noise' as const),
        place,
        length: fc.integer({ min: 1, max: 10_000 }),
        repair: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constantFrom('truncate' as const, 'extend' as const), size: fc.nat() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('copy' as const),
        from: place,
        place,
        length: fc.integer({ min: 1, max: 10_000 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('twin' as const, 'rename' as const, 'link' as const, 'folder' as const),
        name,
      }),
    },
  ) as fc.Arbitrary<Change>,
});

const longAgo = new Date('2024-01-01');

/**
 * Makes a changed copy of a directory; files that stay as they are become hard links of the originals, so a mutation
 * never writes into one.
 */
export function mutatedCopy(original: string, target: string, mutations: readonly Mutation[]): void {
  fs.mkdirSync(target);
  const names = fs.readdirSync(original).filter((file) => fs.statSync(join(original, file)).isFile());
  for (const file of names) fs.linkSync(join(original, file), join(target, file));
  for (const { file, change } of mutations) {
    const present = fs.readdirSync(target);
    const chosen = present[file % Math.max(present.length, 1)];
    if (chosen !== undefined) apply(target, chosen, change);
  }
}

function apply(folder: string, chosen: string, change: Change): void {
  const path = join(folder, chosen);
  if (change.kind === 'remove') {
    fs.rmSync(path, { recursive: true });
    return;
  }
  if ('name' in change) {
    const other = join(folder, change.name);
    if (fs.lstatSync(other, { throwIfNoEntry: false }) !== undefined) return;
    if (change.kind === 'twin')
      fs.cpSync(path, other, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    if (change.kind === 'rename') fs.renameSync(path, other);
    if (change.kind === 'link') fs.symlinkSync(chosen, other);
    if (change.kind === 'folder') fs.mkdirSync(other);
    fs.lutimesSync(other, longAgo, longAgo);
    return;
  }
  if (!fs.lstatSync(path).isFile()) return;
  const bytes = changedBytes(fs.readFileSync(path), change);
  fs.rmSync(path);
  fs.writeFileSync(path, bytes);
  fs.utimesSync(path, longAgo, longAgo);
}

function changedBytes(bytes: Buffer, change: Exclude<Change, { name: string } | { kind: 'remove' }>): Buffer {
  switch (change.kind) {
    case 'truncate':
      return bytes.subarray(0, change.size % (bytes.length + 1));
    case 'extend':
      return Buffer.concat([bytes, Buffer.alloc(change.size % 9000, change.size % 3)]);
    case 'copy': {
      const from = resolve(bytes, change.from);
      bytes.copy(bytes, resolve(bytes, change.place), from, from + change.length);
      return bytes;
    }
    case 'flip': {
      const at = resolve(bytes, change.place);
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ change.mask;
      return bytes;
    }
    default: {
      const at = resolve(bytes, change.place);
      const content = replacement(change);
      content.copy(bytes, Math.min(at, bytes.length));
      if (change.repair) repairChecksums(bytes);
      return bytes;
    }
  }
}

function replacement(change: Extract<Change, { repair: boolean }>): Buffer {
  if (!('value' in change))
    return Buffer.from(
      Array.from({ length: change.length }, (_, at) => (change.kind === 'zeros' ? 0 : at * 167 + 13)),
    );
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(change.value);
  return bytes;
}

function resolve(bytes: Buffer, where: Place): number {
  if (where.at === 'anywhere') return where.offset % Math.max(bytes.length, 1);
  if (where.at === 'beginning') return Math.min(where.offset, bytes.length);
  const batches = batchesOf(bytes);
  return Math.min(
    (batches[where.batch % Math.max(batches.length, 1)]?.start ?? 0) + where.offset,
    bytes.length,
  );
}

interface BatchPlace {
  readonly start: number;
  readonly data: number;
  readonly end: number;
}

/** Where a segment's batches seem to be, without looking at checksums. */
function batchesOf(bytes: Buffer): BatchPlace[] {
  const found: BatchPlace[] = [];
  for (let start = 8; start + 16 <= bytes.length; ) {
    const count = Number(bytes.readBigUInt64LE(start + 8));
    const data = start + 16 + 16 * count;
    if (count === 0 || data > bytes.length) break;
    let end = data;
    for (let at = start + 16; at < data; at += 16) end += bytes.readUInt32LE(at + 12);
    if (end > bytes.length) break;
    found.push({ start, data, end });
    start = end;
  }
  return found;
}

/** Makes checksums right again, so that what lies behind them is reached: of segments and of snapshot metadata. */
function repairChecksums(bytes: Buffer): void {
  for (const { start, data, end } of batchesOf(bytes)) {
    bytes.writeUInt32LE(crc32(bytes.subarray(start + 8, data)), start);
    bytes.writeUInt32LE(crc32(bytes.subarray(data, end)), start + 4);
  }
  if (bytes.length >= 40 && bytes.length < 300 && bytes.length !== 32)
    bytes.writeBigUInt64LE(BigInt(crc32(bytes.subarray(16))), 8);
}
