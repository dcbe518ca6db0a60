// The checksum of raft segments and snapshot metadata: CRC-32 with polynomial 0x04C11DB7, most significant bit first.

// Initial value 0 and no final xor (canonical/raft src/byte.c), so it is not the CRC-32 of zlib. Eight tables make
// one step of eight bytes out of eight look-ups.
const tables = makeTables();

/** Checksum of a buffer; pass the previous result to continue over several buffers. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length;
  let crc = previous | 0;
  let at = 0;
  // The look-ups stand here in full: helpers would be called millions of times before they are compiled.
  for (const even = end - (end % 8); at < even; at += 8) {
    const first = crc ^ view.getInt32(at);
    const second = view.getInt32(at + 4);
    crc =
      (tables[1792 + (first >>> 24)] as number) ^
      (tables[1536 + ((first >>> 16) & 255)] as number) ^
      (tables[1280 + ((first >>> 8) & 255)] as number) ^
      (tables[1024 + (first & 255)] as number) ^
      (tables[768 + (second >>> 24)] as number) ^
      (tables[512 + ((second >>> 16) & 255)] as number) ^
      (tables[256 + ((second >>> 8) & 255)] as number) ^
      (tables[second & 255] as number);
  }
  for (; at < end; at += 1) crc = (crc << 8) ^ (tables[(crc >>> 24) ^ view.getUint8(at)] as number);
  return crc >>> 0;
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
