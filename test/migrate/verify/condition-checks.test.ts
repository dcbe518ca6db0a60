// What verify says of pools, networks, addresses and image files, measured by how they were.
import { describe, expect, test } from 'vitest';
import type { Condition } from '../../../src/migrate/model/condition.ts';
import { conditionChecks } from '../../../src/migrate/verify/condition-checks.ts';

const good: Condition = {
  asked: true,
  pools: [{ name: 'ext', status: 'Created' }],
  networks: [{ project: 'default', name: 'lxdbr0', status: 'Created' }],
  instances: [],
  addresses: [{ key: 'core.https_address', value: ':8443', holder: 'daemon', who: '' }],
  images: [],
};

/** `+` passed, `=` as before, `-` failed. */
function lines(before: Condition | undefined, now: Condition, images = 0): string[] {
  return conditionChecks(before, now, images).map(
    ({ ok, asBefore, object, what, detail }) =>
      `${ok ? (asBefore === true ? '=' : '+') : '-'} ${object}: ${what}${detail === undefined ? '' : ` (${detail})`}`,
  );
}

test('a server on which all is well passes', () => {
  expect(lines(good, good, 2)).toEqual([
    '+ storage pool ext: is available',
    '+ network default/lxdbr0: is up',
    '+ core.https_address :8443: Incus listens there',
    '+ images: the files of 2 image(s) are there, as large as their records say',
  ]);
});

describe('a pool that Incus does not have', () => {
  const now: Condition = { ...good, pools: [{ name: 'ext', status: 'Unavailable' }] };
  const lxdSaid = (status: string | null): Condition => ({ ...good, pools: [{ name: 'ext', status }] });

  test.each<[string, Condition | undefined, string]>([
    [
      'fails where LXD had it',
      lxdSaid('Created'),
      '- storage pool ext: is available (status Unavailable; it was Created in LXD)',
    ],
    [
      'fails where nobody knows',
      lxdSaid(null),
      '- storage pool ext: is available (status Unavailable; how it was in LXD is not known)',
    ],
    [
      'fails where nobody looked',
      undefined,
      '- storage pool ext: is available (status Unavailable; how it was in LXD is not known)',
    ],
    [
      'is as before where LXD did not have it either',
      lxdSaid('Unavailable'),
      '= storage pool ext: is unavailable (status Unavailable in LXD)',
    ],
    [
      'is as before where it was never made whole',
      lxdSaid('Errored'),
      '= storage pool ext: is unavailable (status Errored in LXD)',
    ],
  ])('%s', (_what, was, line) => {
    expect(lines(was, now)[0]).toBe(line);
  });
});

test('a pool that has come back is available', () => {
  const before = { ...good, pools: [{ name: 'ext', status: 'Unavailable' }] };

  expect(lines(before, good)[0]).toBe('+ storage pool ext: is available');
});

test('networks count by project and name', () => {
  const networks = (status: string): Condition['networks'] => [
    { project: 'own', name: 'lxdbr0', status },
    { project: 'default', name: 'lxdbr0', status: 'Created' },
  ];

  const found = lines({ ...good, networks: networks('Created') }, { ...good, networks: networks('Errored') });

  expect(found).toContain('- network own/lxdbr0: is up (status Errored; it was Created in LXD)');
  expect(found).toContain('+ network default/lxdbr0: is up');
});

describe('an address on which Incus does not listen', () => {
  const address = (holder: 'daemon' | 'nobody' | 'other', asked = true): Condition => ({
    ...good,
    asked,
    addresses: [
      { key: 'core.https_address', value: ':8443', holder, who: holder === 'other' ? 'process 7 (nc)' : '' },
    ],
  });
  const failed = '- core.https_address :8443: Incus listens there';
  const asBefore = '= core.https_address :8443: is not served';

  test.each<[string, Condition, Condition, string]>([
    [
      'fails, with who holds it',
      address('daemon'),
      address('other'),
      `${failed} (it is held by process 7 (nc))`,
    ],
    ['fails where nobody holds it', address('daemon'), address('nobody'), `${failed} (nobody listens there)`],
    [
      'fails where LXD did not run, so that nobody held it',
      address('nobody', false),
      address('other'),
      `${failed} (it is held by process 7 (nc))`,
    ],
    [
      'is as before where LXD did not serve it',
      address('nobody'),
      address('nobody'),
      `${asBefore} (nobody listens there)`,
    ],
    [
      'is as before where somebody held it',
      address('other', false),
      address('other'),
      `${asBefore} (it is held by process 7 (nc))`,
    ],
  ])('%s', (_what, before, now, line) => {
    expect(lines(before, now)).toContain(line);
  });
});

test('an image without its file fails, unless it had none before; the others are counted', () => {
  const problem = { fingerprint: 'aa', problem: 'there is no file images/aa' };
  const other = { fingerprint: 'bb', problem: 'its files have 1 bytes, and 9 are on record' };

  const found = lines({ ...good, images: [problem] }, { ...good, images: [problem, other] }, 5);

  expect(found).toEqual(
    expect.arrayContaining([
      '= image aa: its files are not as its record says (there is no file images/aa)',
      '- image bb: its files are there, as large as its record says (its files have 1 bytes, and 9 are on record)',
      '+ images: the files of 3 image(s) are there, as large as their records say',
    ]),
  );
});
