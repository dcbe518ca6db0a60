// The byte by which a line is not read as it was meant, and the line as it was meant.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { oddBytesInWords, oddBytesOf } from '../../../src/migrate/id-maps/odd-bytes.ts';

const plain = 'root:1000000:1000000000';

test.each([
  [`\xef\xbb\xbf${plain}`, 1, 'a byte order mark (ef bb bf)', plain],
  [
    `\xff\xfe${[...plain].map((letter) => `${letter}\0`).join('')}`,
    1,
    'a byte order mark of UTF-16 (ff fe)',
    plain,
  ],
  [`${plain}\t`, 24, 'a tab (09)', plain],
  ['root\t:1000000:1000000000', 5, 'a tab (09)', plain],
  ['root\t1000000\t1000000000', 5, 'a tab (09)', plain],
  ['root 1000000 1000000000', 5, 'a blank (20)', plain],
  [' root: 1000000 :1000000000 ', 1, 'a blank (20)', plain],
  ['root:1000000\xc2\xa0:1000000000', 13, 'a no-break space (c2 a0)', plain],
  ['root:1000000:1000\xe2\x80\x8b000000', 18, 'a space of no width (e2 80 8b)', plain],
  [`${plain}\r`, 24, 'a line end of Windows (0d)', plain],
  ['root:1000000:1\x1b000000000', 15, 'no letter or digit (1b)', plain],
  ['\t# ranges of daemons', 1, 'a tab (09)', '# ranges of daemons'],
  ['\xef\xbb\xbf', 1, 'a byte order mark (ef bb bf)', ''],
])('%j', (line, byte, what, corrected) => {
  expect(oddBytesOf(line)).toEqual({ byte, what, corrected });
});

test('says what to write, or that there is nothing to write', () => {
  expect(oddBytesInWords({ byte: 5, what: 'a tab (09)', corrected: plain })).toBe(
    `byte 5 is a tab (09); write the line as ${plain}`,
  );
  expect(oddBytesInWords({ byte: 1, what: 'a blank (20)', corrected: '' })).toBe(
    'byte 1 is a blank (20); remove the line',
  );
});

describe('nothing is said', () => {
  test.each([plain, '# a comment with blanks', '', 'lxd', 'no line of this file', 'root:many of:them'])(
    'of %j',
    (line) => {
      expect(oddBytesOf(line)).toBeUndefined();
    },
  );
});

test('of whatever bytes, what was meant is plain, a comment or nothing, and has no odd byte in front', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          'root',
          '0',
          ':',
          '100',
          '65536',
          '\t',
          ' ',
          '\xef\xbb\xbf',
          '\r',
          '#',
          '\0',
          '\xff',
          'x',
        ),
        { maxLength: 12 },
      ),
      (parts) => {
        const found = oddBytesOf(parts.join(''));
        if (found !== undefined) expect(found.corrected).toMatch(/^(?:[^:\s#]+:[0-9]+:[0-9]+|#.*|)$/s);
      },
    ),
    { numRuns: 1_000 },
  );
});
