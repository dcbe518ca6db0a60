import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSubids } from '../../../src/migrate/id-maps/parse-subid.ts';

describe('a line of root that somebody reads otherwise says why', () => {
  test.each([
    ['root:100000:65536 ', 'blank beside a number'],
    ['root: 100000:65536', 'blank beside a number'],
    ['root:100000:4294967296', 'more than 32 bits'],
    ['root:100000:many', 'not a number'],
    ['root:0x10000:65536', 'not a number'],
    ['root:100000:', 'not a number'],
    ['Root:100000:65536', 'newuidmap does not'],
    ['root:100000:65536\r', 'lines of Windows'],
    ['root:100000:65536#mine', 'no comments'],
    ['root:100000:65536:x', 'more than three fields'],
    ['root:0100000:65536', 'octal'],
    ['root:100000:0', 'its size is 0'],
    ['root:4294967290:65536', 'beyond the last id'],
  ])('%j', (line, why) => {
    const { root } = parseSubids(`alice:1:2\n${line}\n`);

    expect(root).toEqual([
      expect.objectContaining({ number: 2, text: line, why: expect.stringContaining(why) }),
    ]);
  });

  test.each(['root:100000:65536', '0:100000:65536', 'root:0:1'])('%j is read by all alike', (line) => {
    expect(parseSubids(line).root).toEqual([expect.objectContaining({ number: 1, why: undefined })]);
  });
});

test.each([
  ['root:100000:65536\nnothing\nroot:1:2', 2],
  [' \nroot:100000:65536', 1],
  ['root:100000:65536\n# all is well\n\nroot:1', 4],
  [' # a comment with a blank before it', 1],
])('%j is given up where a line has fewer than two colons', (text, number) => {
  const { givenUpAt, root } = parseSubids(text);

  expect(givenUpAt?.number).toBe(number);
  expect(root.every((line) => line.number < number)).toBe(true);
});

test.each([
  [65_535, undefined],
  [65_536, 2],
])('a line of %d bytes ends the reading: %s', (length, cutAt) => {
  const found = parseSubids(`root:1:65536\n#${'x'.repeat(length - 1)}\nroot:2:65536\n`);

  expect(found.cutAt).toBe(cutAt);
  expect(found.root).toHaveLength(cutAt === undefined ? 2 : 1);
});

describe('newuidmap', () => {
  test('grants the plain lines of root and of user 0, wherever they stand', () => {
    const text =
      'root:100000:65536\nno line\n0:200000:5\nRoot:1:1\nroot:300000:1 \nroot:400000:1:1\nroot:07:1\n';

    expect(parseSubids(text).granted).toEqual([
      { start: 100_000, size: 65_536 },
      { start: 200_000, size: 5 },
    ]);
  });

  test('reads no line of 1024 bytes or more', () => {
    const line = (length: number): string => `root:1:${'1'.padStart(length - 'root:1:'.length, ' ')}`;

    expect(parseSubids(`${'r'.repeat(1020)}:1:2\n${line(30)}\n`).granted).toEqual([]);
    expect(parseSubids(`${'0'.repeat(1024)}:1:2`).granted).toEqual([]);
  });
});

test('ranges of others are known, whoever writes them however', () => {
  const { others } = parseSubids('alice:1000000:65536\nbob: 5 :6\r\n1000:7:8\nroot:1:2\n0:3:4\nROOT:5:6\n');

  expect(others).toEqual([
    { owner: 'alice', range: { start: 1_000_000, size: 65_536 } },
    { owner: 'bob', range: { start: 5, size: 6 } },
    { owner: '1000', range: { start: 7, size: 8 } },
  ]);
});

test('no bytes whatever make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const { root, granted, others } = parseSubids(Buffer.from(bytes).toString('latin1'));

      for (const range of [
        ...granted,
        ...others.map((one) => one.range),
        ...root.flatMap((line) => line.range ?? []),
      ])
        expect(Number.isSafeInteger(range.start + range.size)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
