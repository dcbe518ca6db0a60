import { expect, test } from 'vitest';
import { tellingPieces } from '../../../src/sync/plan/telling.ts';

test('what lines say: names, settings, and messages between their values', () => {
  expect(
    tellingPieces(
      'func LoadServerUUID() {\nerr := "Failed loading file %q: no such place"\nx("core.some_key")',
    ),
  ).toEqual(['LoadServerUUID', 'Failed loading file', ': no such place', 'core.some_key']);
});

test.each([
  ['a control character', 'x("aaa bbb\u0000 ccc ddd")'],
  ['a line that nobody writes', `x("${'\\"'.repeat(40_000)} some words")`],
  ['a quote before very much text', `x("${'a b '.repeat(2_000_000)}`],
])('%s tells nothing, and takes no time', (_, line) => {
  expect(tellingPieces(line)).toEqual([]);
});
