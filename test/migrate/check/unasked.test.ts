// Findings about an LXD that did not say how it is.
import { describe, expect, test } from 'vitest';
import { checkUnasked } from '../../../src/migrate/check/unasked.ts';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import { lxdDatabase } from '../lxd-database.ts';

const empty = readInventory(lxdDatabase());
const withPool = readInventory(lxdDatabase("INSERT INTO storage_pools VALUES (1, 'ext', 'dir', '', 1);"));

describe('an LXD that refuses a question', () => {
  test('stands in the way, in its own words, with the rows on which it may fail', () => {
    const words = 'The daemon refused GET /1.0/instances: converting NULL\u001b[2J to string (status 500)';

    const findings = checkUnasked({ why: 'refused', words }, empty, ['profile default/prof-6, user.nul']);

    expect(findings).toMatchObject([
      {
        id: 'source-refuses',
        severity: 'blocker',
        objects: [
          'The daemon refused GET /1.0/instances: converting NULL\\u{1b}[2J to string (status 500)',
          'profile default/prof-6, user.nul: its value is NULL',
        ],
      },
    ]);
    expect(findings[0]?.answers).toBeUndefined();
  });
});

describe('an LXD that listens and does not answer', () => {
  test.each([
    ['with its process', 4711, 'its daemon (process 4711)'],
    ['where nobody knows its process', undefined, 'restart its daemon until'],
  ])('stands in the way, %s, whatever it has', (_what, pid, named) => {
    const findings = checkUnasked(
      { why: 'silent', words: 'Waited 10 s\u001b[2J for GET /1.0.', pid },
      empty,
      [],
    );

    expect(findings).toMatchObject([
      {
        id: 'source-silent',
        severity: 'blocker',
        objects: ['Waited 10 s\\u{1b}[2J for GET /1.0.'],
        action: expect.stringContaining(named),
      },
    ]);
    expect(findings[0]?.answers).toBeUndefined();
  });
});

describe('an LXD of which the rest is not known', () => {
  test.each([
    [{ why: 'not-listening' } as const, /^LXD was not asked, since it does not answer\./, /^Start LXD/],
    [
      { why: 'forbidden', words: 'EACCES' } as const,
      /^LXD was not asked, since this user may/,
      /^Plan as root/,
    ],
    [
      { why: 'late', words: 'Waited 60 s for GET /1.0/networks.' } as const,
      /^LXD did not answer everything in time: Waited 60 s for GET \/1\.0\/networks\. Whether/,
      /^Plan again to know/,
    ],
  ])('%o', (unasked, what, action) => {
    expect(checkUnasked(unasked, withPool, ['ignored'])).toEqual([
      {
        id: 'condition-not-known',
        severity: 'note',
        objects: ['storage pool ext'],
        what: expect.stringMatching(what),
        action: expect.stringMatching(action),
      },
    ]);
  });

  test('is nothing to say where there is no pool and no network', () => {
    expect(checkUnasked({ why: 'not-listening' }, empty, [])).toEqual([]);
  });
});
