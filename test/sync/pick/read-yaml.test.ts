import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { isWholeYaml, readYaml } from '../../../src/sync/pick/read-yaml.ts';

test.each([
  ['a map', 'a: 1\nb: [x, y]\n', true],
  ['an empty file', '', true],
  ['a key twice', 'a: 1\nb: 2\na: 3\n', false],
  ['a key twice in a map within a list', '- x: 1\n- {y: 1, y: 2}\n', false],
  ['one key in two maps', 'a: {x: 1}\nb: {x: 1}\n', true],
  ['a number and a text that look alike', "1: a\n'1': b\n", true],
  ['a bracket that is open', 'a: [x\n', false],
])('%s', (_, text, isWhole) => {
  expect(isWholeYaml(text)).toBe(isWhole);
});

test('is what the parser itself says, with its own check of keys', () => {
  const key = fc.constantFrom('a', 'b', '1', "'1'", 'true');
  const value = fc.constantFrom('1', '[a, b]', '{a: 1, a: 2}', '{a: 1}', '[', '"x');
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 6 }), (pairs) => {
      const text = pairs.map(([k, v]) => `${k}: ${v}\n`).join('');

      expect(isWholeYaml(text)).toBe(parseDocument(text, { uniqueKeys: true }).errors.length === 0);
    }),
  );
});

test('errors are named without a place, whose finding reads the text anew for each', () => {
  const { errors } = readYaml('{{if}}'.repeat(3));

  expect(errors.length).toBeGreaterThan(5);
  expect(errors.every((error) => error.linePos === undefined)).toBe(true);
});
