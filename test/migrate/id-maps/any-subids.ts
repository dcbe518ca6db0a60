// Texts of /etc/subuid as people, tools and accidents write them.
import fc from 'fast-check';

const blank = fc.constantFrom(' ', '\t', '  ');
const odd = (weight: number, arbitrary: fc.Arbitrary<string>, otherwise: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 100 - weight, arbitrary: otherwise }, { weight, arbitrary });

const owner = fc.oneof(
  { weight: 12, arbitrary: fc.constant('root') },
  { weight: 3, arbitrary: fc.constantFrom('0', 'lxd', '_lxd', 'alice', '1000') },
  { weight: 2, arbitrary: fc.constantFrom('Root', 'ROOT', 'rooT', 'root ', ' root', '00', '', 'ro\u00f6t') },
);

const start = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(100_000, 1_000_000, 165_536, 1_065_536, 65_536, 1000, 0) },
  { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
);
const size = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(65_536, 1_000_000_000, 10_000_001, 65_535, 1, 0, 131_072, 0xffff_ffff),
  },
  { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
);

const wrongNumber = fc.constantFrom(
  '',
  '-1',
  '+65536',
  '0x10000',
  '0100000',
  '000065536',
  '4294967295',
  '4294967296',
  '99999999999999999999999',
  '1e9',
  '65_536',
  '65536.0',
  '\u0661',
);
const digits = (number: fc.Arbitrary<number>): fc.Arbitrary<string> =>
  odd(
    12,
    fc.oneof(
      wrongNumber,
      fc.tuple(number, blank).map(([n, b]) => `${n}${b}`),
      fc.tuple(number, blank).map(([n, b]) => `${b}${n}`),
    ),
    number.map(String),
  );

const range = fc
  .tuple(
    owner,
    digits(start),
    digits(size),
    odd(15, fc.constantFrom(':', ':x', '#c', ' # c', '\r'), fc.constant('')),
  )
  .map(([name, first, count, rest]) => `${name}:${first}:${count}${rest}`);

const line = fc.oneof(
  { weight: 40, arbitrary: range },
  { weight: 4, arbitrary: fc.constantFrom('', '# root:1:2', '#', '\r') },
  { weight: 2, arbitrary: fc.constantFrom(' ', 'root', 'root:1', 'x:', '\t#c', ' \r', '\0', 'a:b:c:d:e') },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replace(/\n/g, '')),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(1000, 1022, 1023, 1024, 65_534, 65_535, 65_536, 65_537)
      .map((length) => `# ${'x'.repeat(length - 2)}`),
  },
);

/** Bytes as latin1. */
export const anySubids: fc.Arbitrary<string> = fc
  .tuple(fc.array(line, { maxLength: 5 }), fc.constantFrom('\n', '\n', '\n', '\r\n'), fc.boolean())
  .map(([lines, end, closed]) => `${lines.join(end)}${closed && lines.length > 0 ? end : ''}`)
  .map((text) => Buffer.from(text, 'utf8').toString('latin1'));
