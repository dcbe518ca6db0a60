// Reads the SQLite write-ahead log that snapshots of dqlite before 1.17 and of cowsql carry.

export interface WalFrame {
  readonly page: number;
  readonly bytes: Buffer;
}

export interface Wal {
  readonly pageSize: number;
  readonly frames: readonly WalFrame[];
}

/**
 * The frames of a WAL, or what is wrong with it (sqlite.org/fileformat2.html 4). Snapshots of every version tried have
 * valid checksums, and nothing else covers their content where it is not compressed.
 */
export function readWal(bytes: Buffer, options: { readonly checksums: boolean }): Wal | string {
  if (bytes.length < 32) return 'its write-ahead log is cut off';
  const magic = bytes.readUInt32BE(0);
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return 'its write-ahead log has no header';
  const pageSize = bytes.readUInt32BE(8);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0)
    return `its write-ahead log has pages of ${pageSize} bytes`;
  if ((bytes.length - 32) % (24 + pageSize) !== 0) return 'its write-ahead log is cut off';
  const bigEndian = magic === 0x377f0683;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sum: Checksum = [0, 0];
  // The sum goes on over header and frames, so that of a frame covers what is before it.
  if (options.checksums) add(sum, view, 0, 24, bigEndian);
  const frames: WalFrame[] = [];
  for (let at = 32; at < bytes.length; at += 24 + pageSize) {
    if (options.checksums) {
      add(sum, view, at, 8, bigEndian);
      add(sum, view, at + 24, pageSize, bigEndian);
      if (!holds(sum, bytes, at + 16)) return 'the checksum of a frame of its write-ahead log is wrong';
    }
    const page = bytes.readUInt32BE(at);
    if (page === 0) return 'its write-ahead log has a frame for page 0';
    frames.push({ page, bytes: bytes.subarray(at + 24, at + 24 + pageSize) });
  }
  return { pageSize, frames };
}

type Checksum = [number, number];

function add(sum: Checksum, view: DataView, offset: number, length: number, bigEndian: boolean): void {
  let [first, second] = sum;
  for (let at = offset; at < offset + length; at += 8) {
    first = (first + view.getInt32(at, !bigEndian) + second) | 0;
    second = (second + view.getInt32(at + 4, !bigEndian) + first) | 0;
  }
  sum[0] = first;
  sum[1] = second;
}

function holds(sum: Checksum, bytes: Buffer, offset: number): boolean {
  return bytes.readInt32BE(offset) === sum[0] && bytes.readInt32BE(offset + 4) === sum[1];
}
