import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { padTables } from '../../../src/sync/pick/pad-tables.ts';

const table = (...rows: readonly string[]): string => ['Keys:', '', ...rows, '', 'The end.'].join('\n');

describe('rows of a table', () => {
  const ours = table(
    'Key        | Type   | What',
    ':--        | :--    | :--',
    '`a`        | string | one',
    '`b`        | string | two',
  );

  it('are lined up with the rows that the fork has around them', () => {
    const merged = ours.replace('`b`        | string', '`new`     | integer | three\n`b`        | string');

    expect(padTables(merged, ours)).toBe(merged.replace('`new`     |', '`new`      |'));
  });

  it('stay where they are too long, or where the rows around are of several widths', () => {
    const long = ours.replace(
      '`b`        | string',
      '`much.too.long` | integer | three\n`b`        | string',
    );
    const ragged = table('Key | Type', ':-- | :--', '`a`   | string');

    expect(padTables(long, ours)).toBe(long);
    expect(padTables(`${ragged}\n`, ragged)).toBe(`${ragged}\n`);
  });

  it('lose and gain nothing but blanks', () => {
    const cell = fc.constantFrom('a', 'bb', '`c`', '', '  ');
    const rows = fc.array(
      fc.array(cell, { minLength: 1, maxLength: 4 }).map((cells) => cells.join(' | ')),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(rows, rows, (before, after) => {
        const made = padTables(after.join('\n'), before.join('\n'));
        expect(made.replace(/ /g, '')).toBe(after.join('\n').replace(/ /g, ''));
      }),
    );
  });
});
