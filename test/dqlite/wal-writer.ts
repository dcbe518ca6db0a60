// Writes an SQLite write-ahead log for tests, with the checksums that SQLite wants.

export function walOf(frames: readonly (readonly [number, Buffer])[], pageSize = 4096): Buffer {
  let sum: readonly [number, number] = [0, 0];
  const header = Buffer.alloc(32);
  [0x377f0682, 3_007_000, pageSize, 0, 0x1234, 0x5678].forEach((word, at) => {
    header.writeUInt32BE(word, 4 * at);
  });
  sum = add(sum, header.subarray(0, 24));
  header.writeUInt32BE(sum[0], 24);
  header.writeUInt32BE(sum[1], 28);
  const parts: Buffer[] = [header];
  frames.forEach(([page, bytes], at) => {
    const head = Buffer.alloc(24);
    head.writeUInt32BE(page, 0);
    head.writeUInt32BE(at === frames.length - 1 ? Math.max(...frames.map(([number]) => number)) : 0, 4);
    header.copy(head, 8, 16, 24);
    sum = add(add(sum, head.subarray(0, 8)), bytes);
    head.writeUInt32BE(sum[0], 16);
    head.writeUInt32BE(sum[1], 20);
    parts.push(head, bytes);
  });
  return Buffer.concat(parts);
}

/** Fibonacci-weighted sum over little-endian words, as the magic of this header says. */
function add([first, second]: readonly [number, number], bytes: Buffer): readonly [number, number] {
  let a = first;
  let b = second;
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + bytes.readUInt32LE(at) + b) >>> 0;
    b = (b + bytes.readUInt32LE(at + 4) + a) >>> 0;
  }
  return [a, b];
}
