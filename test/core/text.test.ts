// Text that others wrote must not act: on a terminal, in a page, in a table.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  escapeHtml,
  escapeMarkdown,
  firstLines,
  firstOf,
  formatBytes,
  formatDuration,
  formatTable,
  inert,
  inertJson,
  inertLines,
  inline,
} from '../../src/core/text.ts';
import { anyText } from '../any-text.ts';

describe('inert', () => {
  test('leaves no control, line separator or bidirectional character in any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(inert(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u);
      }),
    );
  });

  test('changes nothing else', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu, '');

        expect(inert(plain)).toBe(plain);
      }),
    );
  });

  test.each([
    ['\u001b]0;title\u0007', '\\u{1b}]0;title\\u{7}'],
    ['a\r\nb', 'a\\u{d}\\u{a}b'],
    ['user\u202egnp.exe', 'user\\u{202e}gnp.exe'],
    ['\u009b31m', '\\u{9b}31m'],
    ['ünïcode 🚀', 'ünïcode 🚀'],
  ])('%j is shown as %j', (hostile, shown) => {
    expect(inert(hostile)).toBe(shown);
  });
});

describe('inline', () => {
  test.each([
    ['The daemon refused it\nstatus 404', 'The daemon refused it · status 404'],
    ['a\r\n\r\n  b\n', 'a · b'],
    ['\u001b[2J\nx', '\\u{1b}[2J · x'],
    ['one line', 'one line'],
    ['', ''],
  ])('%j reads %j', (foreign, shown) => {
    expect(inline(foreign)).toBe(shown);
  });

  test('is one line in which nothing acts, and no escape for the end of one', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(inline(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u);
        expect(inline(text.replaceAll('\\', ''))).not.toMatch(/\\u\{[ad]\}/);
      }),
    );
  });
});

describe('inertLines', () => {
  test('keeps the ends of lines and nothing else that acts', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(inertLines(text).split('\n').length).toBe(text.split('\n').length);
        expect(inertLines(text).replaceAll('\n', '')).not.toMatch(
          /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u,
        );
      }),
    );
  });
});

describe('inertJson', () => {
  test('is the same value, and nothing in it acts', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, indented) => {
        const json = inertJson({ [text]: [text] }, indented ? 2 : undefined);

        expect(JSON.parse(json)).toEqual({ [text]: [text] });
        expect(json.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u);
      }),
    );
  });
});

describe('escapeHtml', () => {
  test.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['"><img src=x onerror=alert(1)>', '&quot;&gt;&lt;img src=x onerror=alert(1)&gt;'],
    ["' onmouseover='x", '&#39; onmouseover=&#39;x'],
    ['&lt;b&gt;', '&amp;lt;b&amp;gt;'],
    ['<!--', '&lt;!--'],
    ['\u0000<b>', '\\u{0}&lt;b&gt;'],
    ['a\u2028b', 'a\\u{2028}b'],
  ])('%j becomes %j', (hostile, escaped) => {
    expect(escapeHtml(hostile)).toBe(escaped);
  });

  test('leaves nothing that could open a tag, an entity of its own or an attribute', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(escapeHtml(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
      }),
    );
  });
});

describe('escapeMarkdown', () => {
  test.each([
    ['a | b', 'a \\| b'],
    ['![x](http://evil)', '\\!\\[x\\]\\(http://evil\\)'],
    ['<img src=x>', '\\<img src=x\\>'],
    ['**bold** _it_ `code`', '\\*\\*bold\\*\\* \\_it\\_ \\`code\\`'],
    ['# heading', '\\# heading'],
    ['- item', '\\- item'],
    ['back\\slash|', 'back\\\\slash\\|'],
    ['~~gone~~ @someone', '\\~\\~gone\\~\\~ \\@someone'],
    ['row\n| new row', 'row\\\\u\\{a\\}\\| new row'],
  ])('%j becomes %j', (hostile, escaped) => {
    expect(escapeMarkdown(hostile)).toBe(escaped);
  });

  test('leaves every mark escaped, so that a cell stays one cell on one line', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const unescaped = escapeMarkdown(text).replace(/\\[\\`*_{}[\]<>()#+!|~@-]/g, '');

        expect(unescaped).not.toMatch(/[\\`*_{}[\]<>()#+!|~@\n\r-]/);
      }),
    );
  });
});

describe('formatTable', () => {
  test('aligns columns and ends no line with blanks', () => {
    expect(
      formatTable(
        ['A', 'LONG'],
        [
          ['xyz', 'b'],
          ['', ''],
        ],
      ),
    ).toBe('A    LONG\nxyz  b\n');
  });

  test('keeps a hostile cell on its line', () => {
    const table = formatTable(['A'], [['one\ntwo\u001b[2J']]);

    expect(table.split('\n')).toEqual(['A', 'one\\u{a}two\\u{1b}[2J']);
  });

  test('takes as many rows as a large server has', () => {
    const rows = Array.from({ length: 150_000 }, (_, index) => [String(index)]);

    expect(formatTable(['N'], rows).split('\n')).toHaveLength(150_001);
  });
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1_234_567, '1.2 MiB'],
  [1_048_575, '1.0 MiB'],
  [5 * 1024 ** 4, '5.0 TiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0.0 s'],
  [840, '0.8 s'],
  [59_940, '59.9 s'],
  [59_960, '1 min 0 s'],
  [60_000, '1 min 0 s'],
  [119_600, '2 min 0 s'],
  [125_400, '2 min 5 s'],
])('%i ms are %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

test.each([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b', 'c'], 'a, b, c'],
  [['a', 'b', 'c', 'd', 'e'], 'a, b, c and 2 more'],
])('of %j the first three are named, and how many more', (names, text) => {
  expect(firstOf(names, 3)).toBe(text);
});

test('lines are all shown where they are few, and counted where they are many', () => {
  expect(firstLines(['a', 'b'], 2)).toEqual(['a', 'b']);
  expect(firstLines(['a', 'b', 'c', 'd'], 2, ' (elsewhere)')).toEqual(['a', 'b', '… and 2 more (elsewhere)']);
});
