// Damage to a file, as data: bytes that are others, missing, doubled or too many.
import fc from 'fast-check';

export type ByteChange =
  | { readonly how: 'flip'; readonly at: number; readonly mask: number }
  | { readonly how: 'fill'; readonly at: number; readonly length: number; readonly byte: number }
  | { readonly how: 'copy'; readonly at: number; readonly from: number; readonly length: number }
  | { readonly how: 'cut'; readonly at: number }
  | { readonly how: 'append'; readonly length: number };

const byte = fc.integer({ min: 0, max: 255 });
/** The beginning of a file has its header. */
const at = fc.oneof(fc.nat(), fc.nat(128));
const length = fc.integer({ min: 1, max: 5000 });

export const byteChange: fc.Arbitrary<ByteChange> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ how: fc.constant('flip' as const), at, mask: fc.integer({ min: 1, max: 255 }) }),
  },
  { weight: 2, arbitrary: fc.record({ how: fc.constant('fill' as const), at, length, byte }) },
  { weight: 2, arbitrary: fc.record({ how: fc.constant('copy' as const), at, from: at, length }) },
  { weight: 1, arbitrary: fc.record({ how: fc.constant('cut' as const), at }) },
  { weight: 1, arbitrary: fc.record({ how: fc.constant('append' as const), length }) },
);

export function changedBytes(before: Buffer, change: ByteChange): Buffer {
  const { length: size } = before;
  const content = Buffer.from(before);
  if (change.how === 'append') return Buffer.concat([content, Buffer.alloc(change.length, 0x61)]);
  if (size === 0) return content;
  const place = change.at % size;
  switch (change.how) {
    case 'flip':
      content[place] = (content[place] ?? 0) ^ change.mask;
      return content;
    case 'fill':
      return content.fill(change.byte, place, Math.min(size, place + change.length));
    case 'copy': {
      const from = change.from % size;
      before.copy(content, place, from, Math.min(size, from + change.length));
      return content;
    }
    case 'cut':
      return content.subarray(0, place);
    default:
      throw new Error(JSON.stringify(change satisfies never));
  }
}
