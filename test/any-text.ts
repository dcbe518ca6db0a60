// Text of any characters for property tests, hostile ones often. (fast-check's own unit for that takes a second to load.)
import fc from 'fast-check';

const hostile = [
  ...'\u0000\u001b\u009b\n\r\t\u202e\u2066\u2028\u2029\u061c\u200f\ufeff\u0085\u007f',
  ...'<>&"\'|`*_\\/$;:.,-#@~ ',
  'é',
  '🚀',
  '中',
];

export const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...hostile),
      fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)),
      fc.integer({ min: 0, max: 0xd7ff }).map((code) => String.fromCodePoint(code)),
      fc.integer({ min: 0xe000, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(''));
