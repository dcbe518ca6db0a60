// A difference that was accepted before the move is accepted after it, and no other one is.
import { expect, test } from 'vitest';
import type { Output } from '../../../src/core/output.ts';
import { renderVerification } from '../../../src/migrate/cli/render-verification.ts';
import { compareInventories } from '../../../src/migrate/inventory/compare.ts';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import { givenAnswersSchema, toAnswers } from '../../../src/migrate/journal/given-answers.ts';
import type { Difference } from '../../../src/migrate/model/difference.ts';
import type { Verification } from '../../../src/migrate/model/verification.ts';
import { compareWithSource } from '../../../src/migrate/verify/index.ts';
import { smallServer } from './small-server.ts';

const before = readInventory(smallServer());
const after = (sql: string) => readInventory(smallServer(sql));
const found = (sql: string): Difference[] => compareInventories(before, after(sql), []);

const description = "UPDATE instances SET description = 'x' WHERE name = 'c2';";
const otherDescription = "UPDATE instances SET description = 'y' WHERE name = 'c2';";
const imageGone = 'DELETE FROM images_aliases; DELETE FROM images;';
const valueChanged = "UPDATE instances_config SET value = 'other' WHERE key = 'user.user-data';";

function outcome(sql: string, accepted: readonly Difference[]): [string, boolean, boolean][] {
  const checks = compareWithSource(before, after(sql), accepted);
  return checks.map(({ object, ok, accepted: isAccepted }) => [object, ok, isAccepted === true]);
}

test.each([
  ['a value', description, 'instance default/c2'],
  ['an object that is missing', imageGone, 'image default/d0c0aad8'],
  ['a confidential value', valueChanged, 'instance default/c1'],
])('%s: the difference that was accepted is listed and does not fail', (_what, sql, object) => {
  const checks = outcome(sql, found(sql));

  expect(checks).toEqual([
    [object, true, true],
    ['inventory', true, false],
  ]);
});

test('another value of the same field was not accepted', () => {
  const checks = outcome(otherDescription, found(description));

  expect(checks).toEqual([
    ['instance default/c2', false, false],
    ['inventory', false, false],
  ]);
});

test('what differs beside an accepted difference fails', () => {
  const checks = outcome(`${description}${imageGone}`, found(description));

  expect(checks).toEqual([
    ['instance default/c2', true, true],
    ['image default/d0c0aad8', false, false],
    ['inventory', false, false],
  ]);
});

test('answers are the same after they were kept as JSON', () => {
  const kept = { accept: ['rehearsal:differs'], fix: true, differences: found(`${description}${imageGone}`) };

  const read = givenAnswersSchema.parse(JSON.parse(JSON.stringify(kept)));

  expect(read).toEqual(kept);
  expect(toAnswers(read)).toEqual({ accept: new Set(['rehearsal:differs']), fix: true });
  expect(outcome(`${description}${imageGone}`, read.differences).every(([, ok]) => ok)).toBe(true);
});

const plain: Output = {
  json: false,
  line() {},
  message() {},
  event() {},
  progress() {},
  colour: (_, text) => text,
};

test('the terminal lists them apart from what passed', () => {
  const verification: Verification = {
    checks: compareWithSource(before, after(description), found(description)),
    notes: [],
    notLookedAt: [],
  };

  const text = renderVerification(verification, plain);

  expect(text).toBe(
    [
      'Verification',
      'accepted  instance default/c2: description is not as it was in LXD, which you accepted: expected "", found "x"',
      '1 of 1 checks passed, 1 difference(s) as you accepted them',
    ].join('\n'),
  );
});
