// Limits grow with the server.
import { expect, test } from 'vitest';
import { limitFor, sizeOf, smallServer, startLimitFor } from '../../../src/migrate/daemon/server-size.ts';
import { lxdDatabase } from '../lxd-database.ts';

const profile = (key: string, value: string): string =>
  `INSERT INTO profiles_config (profile_id, key, value) VALUES (1, '${key}', '${value}');`;

test('the rows of every table count', () => {
  const before = sizeOf(lxdDatabase()).rows;

  const after = sizeOf(lxdDatabase(`${profile('user.a', '1')}${profile('user.b', '2')}`)).rows;

  expect(after).toBe(before + 2);
});

test('the longest pause between two starts is known, whatever else the rows hold', () => {
  const sql = `INSERT INTO profiles (id, name, description, project_id) VALUES (7, 'p', '', 1), (8, 'q', '', 1);
    INSERT INTO profiles_config (profile_id, key, value) VALUES (1, 'boot.autostart.delay', '45'),
      (7, 'boot.autostart.delay', 'soon'), (8, 'boot.autostart.delay', '30');`;

  expect(sizeOf(lxdDatabase(sql)).longestStartDelay).toBe(45);
});

test('a small server has the limit itself, a large one more for each row', () => {
  const large = { rows: 240_000, longestStartDelay: 0 };

  expect(limitFor(60_000, smallServer)).toBe(60_000);
  // 20,000 snapshots of one container took up to 17 minutes.
  expect(limitFor(60_000, large)).toBeGreaterThan(1_020_000);
});

test('many instances that start one after the other, each after a pause, have time for it', () => {
  const size = { rows: 0, longestStartDelay: 30 };

  expect(startLimitFor(600_000, size, 50)).toBeGreaterThan(600_000 + 50 * 30_000);
});
