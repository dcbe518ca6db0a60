// Writes raft files by hand, byte by byte and with any fault wanted; shares nothing with the project's own writer.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { crc32 } from '../../src/dqlite/crc32.ts';

export interface RawEntry {
  readonly term?: number;
  readonly type?: number;
  readonly payload: Buffer;
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** One batch with these entries. */
export function batch(...entries: RawEntry[]): Buffer {
  const headers = entries.map(({ term = 1, type = 1, payload }) =>
    Buffer.concat([u64(term), Buffer.from([type, 0, 0, 0]), u32(payload.length)]),
  );
  const header = Buffer.concat([u64(entries.length), ...headers]);
  const data = Buffer.concat(entries.map(({ payload }) => payload));
  return Buffer.concat([u32(crc32(header)), u32(crc32(data)), header, data]);
}

export function segment(...batches: Buffer[]): Buffer {
  return Buffer.concat([u64(1), ...batches]);
}

/** As an open segment is prepared: zeros up to its size. */
export function padded(bytes: Buffer, size: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);
}

export function configuration(
  ...servers: readonly { readonly id: number; readonly address: string; readonly role: number }[]
): Buffer {
  const bytes = Buffer.concat([
    Buffer.from([1]),
    u64(servers.length),
    ...servers.map(({ id, address, role }) =>
      Buffer.concat([u64(id), Buffer.from(`${address}\0`), Buffer.from([role])]),
    ),
  ]);
  // Real writers leave arbitrary bytes of their memory in the padding.
  return Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8, 0x76)]);
}

export const standalone: RawEntry = { type: 3, payload: configuration({ id: 1, address: '1', role: 1 }) };

export const barrier: RawEntry = { type: 2, payload: Buffer.from('f00dfeedf00dfeed', 'hex') };

/** `name` must have at most 7 characters. */
export function command(type: number, body: Buffer): RawEntry {
  return { payload: Buffer.concat([Buffer.from([1, type, 0, 0, 0, 0, 0, 0]), body]) };
}

export function fileName(name: string): Buffer {
  return Buffer.from(name.padEnd(Math.ceil((name.length + 1) / 8) * 8, '\0'));
}

export interface RawFrames {
  readonly pages: readonly (readonly [number | bigint, Buffer])[];
  readonly commit?: number;
  readonly database?: string;
  readonly pageSize?: number;
}

export function frames({ pages, commit = 1, database = 'db.bin', pageSize = 4096 }: RawFrames): RawEntry {
  return command(
    2,
    Buffer.concat([
      fileName(database),
      u64(0),
      u32(0),
      Buffer.from([commit, 0, 0, 0]),
      u32(pages.length),
      u16(pageSize),
      u16(0),
      ...pages.map(([page]) => u64(page)),
      ...pages.map(([, bytes]) => bytes),
    ]),
  );
}

/** One transaction with all pages of a database. */
export function framesOf(image: Buffer, pageSize = 4096): RawEntry {
  const pages = Array.from(
    { length: image.length / pageSize },
    (_, at) => [at + 1, image.subarray(at * pageSize, (at + 1) * pageSize)] as const,
  );
  return frames({ pages, pageSize });
}

export const undo = command(3, u64(0));
export const checkpoint = command(4, fileName('db.bin'));
export const openCommand = command(1, fileName('db.bin'));

export function metadata(version: number, term = 1, format = 1): Buffer {
  return Buffer.concat([u64(format), u64(version), u64(term), u64(0)]);
}

export function snapshotMeta(content: Buffer, index = 1): Buffer {
  const covered = Buffer.concat([u64(index), u64(content.length)]);
  return Buffer.concat([u64(1), u64(crc32(content, crc32(covered))), covered, content]);
}

export function snapshotData(main: Buffer, wal: Buffer = Buffer.alloc(0), name = 'db.bin'): Buffer {
  return Buffer.concat([u64(1), u64(1), fileName(name), u64(main.length), u64(wal.length), main, wal]);
}

export type RawFiles = Readonly<Record<string, Buffer>>;

/** Writes files into a new folder, with `metadata1` unless it is given; old ones, so that nobody waits for them. */
export function directory(parent: string, files: RawFiles): string {
  const folder = fs.mkdtempSync(join(parent, 'global-'));
  const longAgo = new Date('2024-01-01');
  for (const [name, bytes] of Object.entries({ metadata1: metadata(1), ...files })) {
    fs.writeFileSync(join(folder, name), bytes);
    fs.utimesSync(join(folder, name), longAgo, longAgo);
  }
  return folder;
}

export function closedName(first: number, last: number): string {
  return `${String(first).padStart(16, '0')}-${String(last).padStart(16, '0')}`;
}
