// Checked access to answers.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import {
  configOf,
  configsOf,
  fields,
  fieldsList,
  flagOf,
  numberOf,
  textOf,
  textsOf,
} from '../../../src/migrate/daemon/fields.ts';

test('fields of the expected kind are read, missing ones are empty', () => {
  const answer = fields({ name: 'c1', on: true, n: 3, list: ['a'], config: { b: '1', a: true } }, 'x');

  expect([
    textOf(answer, 'name'),
    flagOf(answer, 'on'),
    numberOf(answer, 'n'),
    textsOf(answer, 'list'),
  ]).toEqual(['c1', true, 3, ['a']]);
  expect(configOf(answer, 'config')).toEqual({ a: 'true', b: '1' });
  expect([textOf(answer, 'none'), flagOf(answer, 'none'), numberOf(answer, 'none')]).toEqual(['', false, 0]);
  expect(fieldsList(null, 'x')).toEqual([]);
});

test('a field of another kind is named', () => {
  const answer = fields({ name: 3 }, 'GET /1.0/x');

  expect(() => textOf(answer, 'name')).toThrow('GET /1.0/x.name');
});

test('names of every object are no fields of an answer', () => {
  expect(textOf(fields({}, 'x'), 'constructor')).toBe('');
});

test('any JSON gives a value or a known failure', () => {
  const readers = [textOf, flagOf, numberOf, textsOf, configOf, configsOf];
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, key) => {
      for (const read of readers) {
        try {
          read(fields(value, 'x'), key);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }
    }),
  );
});
