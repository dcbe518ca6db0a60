import { expect, it } from 'vitest';
import { fallenTogether } from '../../../src/sync/pick/fallen-together.ts';

it.each([
  ['names := []string{"lxc", "lxd"}', 'names := []string{"incus", "incus"}', 'incus'],
  ['- lxc\n- lxd\n', '- incus\n- incus\n', 'incus'],
  ['    "lxc",\n    "lxd",\n', '    "incus",\n    "incus",\n', 'incus'],
  ['names := []string{"lxc", "lxd"}', 'names := []string{"incus", "incusd"}', undefined],
  ['twice := []string{"a1", "a1"}', 'twice := []string{"a1", "a1"}', undefined],
])('finds two names that became one in a list: %j', (theirs, merged, expected) => {
  expect(fallenTogether({ ours: '', theirs, merged })).toBe(expected);
});

it('finds the name that the fork has in its list already', () => {
  const ours = 'for name in\n  incus\n';

  expect(fallenTogether({ ours, theirs: 'x\n  lxc\n  lxd\n', merged: `${ours}  incus\n` })).toBe('incus');
  expect(fallenTogether({ ours, theirs: 'x', merged: ours })).toBeUndefined();
});
