// The checksum of raft segments and snapshot metadata: CRC-32 with polynomial 0x04C11DB7, most significant bit first.

// Initial value 0 and no final xor (canonical/raft src/byte.c), so it is not the CRC-32 of zlib. Eight tables make
// one step of eight bytes out of eight look-ups.
const tables = makeTables();

/** Checksum of a buffer; pass the previous result to continue over several buffers. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  const end = bytes.length;
  const even = end - (end % 8);
  let crc = previous | 0;
  let at = 0;
  for (; at < even; at += 8) {
    crc ^=
      (byte(bytes, at) << 24) |
      (byte(bytes, at + 1) << 16) |
      (byte(bytes, at + 2) << 8) |
      byte(bytes, at + 3);
    crc =
      entry(1792 + (crc >>> 24)) ^
      entry(1536 + ((crc >>> 16) & 255)) ^
      entry(1280 + ((crc >>> 8) & 255)) ^
      entry(1024 + (crc & 255)) ^
      entry(768 + byte(bytes, at + 4)) ^
      entry(512 + byte(bytes, at + 5)) ^
      entry(256 + byte(bytes, at + 6)) ^
      entry(byte(bytes, at + 7));
  }
  for (; at < end; at += 1) crc = (crc << 8) ^ entry((crc >>> 24) ^ byte(bytes, at));
  return crc >>> 0;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function entry(index: number): number {
  return tables[index] as number;
}

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256);
  for (let value = 0; value < 256; value += 1) {
    let crc = value << 24;
    for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
    made[value] = crc;
  }
  for (let index = 256; index < made.length; index += 1) {
    const shorter = made[index - 256] ?? 0;
    made[index] = (shorter << 8) ^ (made[shorter >>> 24] ?? 0);
  }
  return made;
}
