// Reads a raft snapshot: the configuration from its .meta file, the pages of the database from its data file.
import { join } from 'node:path';
import { maxNameSize } from './command.ts';
import { decodeConfiguration, maxConfigurationSize, type RaftConfiguration } from './configuration.ts';
import { crc32 } from './crc32.ts';
import type { SnapshotName } from './list-folder.ts';
import { decodeLz4Frame, isLz4Frame } from './lz4-frame.ts';
import { makePageStore, type PageStore, putPage, setBase } from './page-store.ts';
import { dqliteFailure } from './problem.ts';
import { fileLimit, readWhole, type Scratch } from './read-file.ts';
import { readWal } from './wal.ts';

export interface Snapshot {
  readonly configuration: RaftConfiguration;
  readonly pages: PageStore;
  /** Name of the database inside, undefined if there is none yet. */
  readonly database: string | undefined;
}

/** @throws {Failure<DqliteProblem>} snapshot-damaged, format-unsupported, several-databases */
export function readSnapshot(folder: string, name: SnapshotName, scratch: Scratch): Snapshot {
  const configuration = readMeta(join(folder, `${name.name}.meta`), scratch);
  return { configuration, ...readSnapshotPages(folder, name, scratch) };
}

/** Without its .meta. */
export function readSnapshotPages(
  folder: string,
  name: SnapshotName,
  scratch: Scratch,
): Omit<Snapshot, 'configuration'> {
  const file = join(folder, name.name);
  const stored = readWhole(file, fileLimit, scratch);
  return readData(isLz4Frame(stored) ? unpack(stored, file) : stored, file);
}

/**
 * A database compresses by a factor of 2 to 8; what goes beyond this would be no database but a trap for memory.
 */
function plausibleSize(compressed: number): number {
  return Math.max(256 * 1024 * 1024, 6 * compressed);
}

function unpack(stored: Buffer, file: string): Buffer {
  const content = decodeLz4Frame(stored, plausibleSize(stored.length));
  if (!('why' in content)) return content;
  throw dqliteFailure({ code: 'snapshot-damaged', file, ...content });
}

/** Format, checksum over what follows it, index of the configuration, its length, the configuration. */
function readMeta(file: string, scratch: Scratch): RaftConfiguration {
  const damaged = (offset: number, why: string) =>
    dqliteFailure({ code: 'snapshot-damaged', file, offset, why });
  const bytes = readWhole(file, 2 * maxConfigurationSize, scratch);
  if (bytes.length < 32) throw damaged(0, 'the file is cut off');
  const format = bytes.readBigUInt64LE(0);
  if (format !== 1n) throw dqliteFailure({ code: 'format-unsupported', file, format });
  const length = bytes.readBigUInt64LE(24);
  if (length === 0n || length > maxConfigurationSize)
    throw damaged(24, `its configuration is said to have ${length} bytes`);
  const end = 32 + Number(length);
  if (bytes.length < end) throw damaged(24, 'the file is cut off');
  if (bytes.readBigUInt64LE(8) !== BigInt(crc32(bytes.subarray(16, end))))
    throw damaged(8, 'the checksum is wrong');
  const configuration = decodeConfiguration(bytes.subarray(32, end));
  if (typeof configuration === 'string') throw damaged(32, configuration);
  return configuration;
}

/** Format, number of databases, and of each its name, the sizes of main file and WAL, and both. */
function readData(bytes: Buffer, file: string): { pages: PageStore; database: string | undefined } {
  const damaged = (offset: number, why: string) =>
    dqliteFailure({ code: 'snapshot-damaged', file, offset, why });
  const pages = makePageStore();
  if (bytes.length < 16) throw damaged(0, 'the file is cut off');
  const format = bytes.readBigUInt64LE(0);
  if (format !== 1n) throw dqliteFailure({ code: 'format-unsupported', file, format });
  const count = bytes.readBigUInt64LE(8);
  if (count === 0n) return { pages, database: undefined };
  const nameEnd = bytes.subarray(0, 16 + maxNameSize).indexOf(0, 16);
  if (nameEnd < 0) throw damaged(16, 'the name of the database has no end');
  const database = bytes.toString('utf8', 16, nameEnd);
  if (count !== 1n)
    throw dqliteFailure({ code: 'several-databases', file, names: [database, `${count - 1n} more`] });
  const at = 16 + Math.ceil((nameEnd + 1 - 16) / 8) * 8;
  if (bytes.length < at + 16) throw damaged(at, 'the file is cut off');
  const mainSize = Number(bytes.readBigUInt64LE(at));
  const walSize = Number(bytes.readBigUInt64LE(at + 8));
  const mainAt = at + 16;
  if (bytes.length !== mainAt + mainSize + walSize)
    throw damaged(
      at,
      `it holds ${bytes.length - mainAt} bytes, but ${mainSize} and ${walSize} bytes were announced`,
    );
  const main = bytes.subarray(mainAt, mainAt + mainSize);
  const wal = walSize === 0 ? undefined : readWal(bytes.subarray(mainAt + mainSize), { checksums: true });
  if (typeof wal === 'string') throw damaged(mainAt + mainSize, wal);
  if (mainSize > 0) {
    const pageSize = mainPageSize(main);
    if (pageSize === undefined || mainSize % pageSize !== 0)
      throw damaged(mainAt, 'it does not hold whole pages of an SQLite database');
    if (wal !== undefined && wal.pageSize !== pageSize)
      throw damaged(mainAt, 'database and write-ahead log have pages of different sizes');
    setBase(pages, pageSize, main);
  }
  // Forgetting these would give a valid database, but a very old one.
  for (const frame of wal?.frames ?? []) putPage(pages, wal?.pageSize ?? 0, frame.page, frame.bytes);
  return { pages, database };
}

/** undefined where it is no SQLite database. */
export function mainPageSize(main: Buffer): number | undefined {
  if (main.length < 512 || main.toString('latin1', 0, 16) !== 'SQLite format 3\0') return undefined;
  const size = main.readUInt16BE(16);
  if (size === 1) return 65_536;
  return size >= 512 && (size & (size - 1)) === 0 ? size : undefined;
}
