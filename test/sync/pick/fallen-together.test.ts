import { expect, it } from 'vitest';
import { fallenTogether } from '../../../src/sync/pick/fallen-together.ts';

it.each([
  ['names := []string{"lxc", "lxd"}', 'names := []string{"incus", "incus"}', 'incus'],
  ['- lxc\n- lxd\n', '- incus\n- incus\n', 'incus'],
  ['    "lxc",\n    "lxd",\n', '    "incus",\n    "incus",\n', 'incus'],
  ['names := []string{"lxc", "lxd"}', 'names := []string{"incus", "incusd"}', undefined],
  ['names := []string{"lxc", "x1", "lxd"}', 'names := []string{"incus", "x1", "incus"}', 'incus'],
  ['case "lxc", "x1", "lxd":', 'case "incus", "x1", "incus":', 'incus'],
  ['case api.A1, api.B1:', 'case api.A1, api.A1:', 'api.A1'],
  ['  lxc|lxd)', '  incus|incus)', 'incus'],
  ['  "lxc" | x1 | lxd) a ;;', '  "incus" | x1 | incus) a ;;', 'incus'],
  ['for p in lxc lxd; do', 'for p in incus incus; do', 'incus'],
  ['for p in lxc x1 lxd', 'for p in incus x1 incus', 'incus'],
  ['needs: [lxc, lxd]', 'needs: [incus, incus]', 'incus'],
  ['binaries: lxc x1 lxd', 'binaries: incus x1 incus', 'incus'],
  ['- lxc\n- x1\n- lxd\n', '- incus\n- x1\n- incus\n', 'incus'],
  ['  "lxc",\n  "x1",\n  "lxd",\n', '  "incus",\n  "x1",\n  "incus",\n', 'incus'],
  // What upstream has twice itself, the fork has twice by another name.
  ['- lxd\n- x1\n- lxd\n', '- incus\n- x1\n- incus\n', undefined],
  ['for p in lxd x1 lxd; do', 'for p in incus x1 incus; do', undefined],
  // Two lists, a sentence, arguments and an index are none.
  ['- lxc\n  - lxd\n', '- incus\n  - incus\n', undefined],
  ['description: the lxc of the lxd', 'description: incus of the incus', undefined],
  ['f(\n  nil,\n  lxc,\n  nil2,\n', 'f(\n  nil,\n  incus,\n  nil,\n', undefined],
  ['a1 := b1[lxc] + b1[lxd]', 'a1 := b1[incus] + b1[incus]', undefined],
  ['twice := []string{"a1", "a1"}', 'twice := []string{"a1", "a1"}', undefined],
])('finds two names that became one in a list: %j', (theirs, merged, expected) => {
  expect(fallenTogether({ ours: '', theirs, merged })).toBe(expected);
});

it('finds the name that the fork has in its list already', () => {
  const ours = 'for name in\n  incus\n';

  expect(fallenTogether({ ours, theirs: 'x\n  lxc\n  lxd\n', merged: `${ours}  incus\n` })).toBe('incus');
  expect(fallenTogether({ ours, theirs: 'x', merged: ours })).toBeUndefined();
});
