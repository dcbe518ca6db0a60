import { expect, it } from 'vitest';
import { definition } from '../../../src/sync/pick/uses-left-out.ts';

it.each([
  ['  export   PATHS = a', 'PATHS'],
  ['local name=x', 'name'],
  ['exported=x', 'exported'],
  ['\tfunction \tmake_it() {', 'make_it'],
  ['NAMES ?= a', 'NAMES'],
  ['name == x', undefined],
  ['abc = x', undefined],
])('finds the name that a line defines: %j', (line, name) => {
  expect(definition.exec(line)?.[1]).toBe(name);
});

it('reads a line of very many blanks in one go', () => {
  expect(definition.exec(`${' '.repeat(500_000)}-`)).toBeNull();
});
