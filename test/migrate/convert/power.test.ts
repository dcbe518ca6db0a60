// Exactly what ran starts again by itself, whatever autostart, profiles and the last state say.

import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { startedByItself } from '../../../src/migrate/convert/power.ts';
import { ask, lxdDatabase } from '../lxd-database.ts';
import { config, converted, instance } from './converted.ts';

type Value = string | null | undefined;

interface Case {
  readonly own: Value;
  readonly profile: Value;
  readonly last: Value;
  readonly ran: 'no' | 'running' | 'frozen';
}

const values: readonly Value[] = [undefined, null, '', 'true', 'TRUE', '1', 'yes', 'on', 'false', '0'];
const cases: readonly Case[] = values.flatMap((own) =>
  [undefined, null, 'true', 'false'].flatMap((profile) =>
    ([undefined, null, 'RUNNING', 'STOPPED'] as const).flatMap((last) =>
      (['no', 'running', 'frozen'] as const).map((ran) => ({ own, profile, last, ran })),
    ),
  ),
);

function present(key: string, value: Value): Record<string, string | null> {
  return value === undefined ? {} : { [key]: value };
}

function serverOf({ own, profile, last }: Case): string {
  return `
    ${instance(1, 'c1', { project: 2 })} INSERT INTO profiles VALUES (2, 'web', '', 1);
    INSERT INTO instances_profiles VALUES (1, 1, 1, 1), (2, 1, 2, 2);
    ${config('profiles_config', 2, present('boot.autostart', profile))}
    ${config('instances_config', 1, { ...present('boot.autostart', own), ...present('volatile.last_state.power', last) })}
  `;
}

/** incusd's rule (instances.go, instanceShouldAutoStart) on the effective values. */
function startsByItself(image: Buffer): boolean {
  const key = (name: string): string | undefined => {
    const [own] = ask(image, 'SELECT value FROM instances_config WHERE key = ?', name);
    const [inherited] = ask(image, 'SELECT value FROM profiles_config WHERE key = ?', name);
    return (own ?? inherited)?.['value'] as string | undefined;
  };
  const autostart = (key('boot.autostart') ?? '').toLowerCase();
  return (
    ['true', '1', 'yes', 'on'].includes(autostart) ||
    (autostart === '' && key('volatile.last_state.power') === 'RUNNING')
  );
}

describe('after the conversion', () => {
  test('nothing starts that did not run, and what is in its way can be put back', () => {
    for (const one of cases.filter(({ ran }) => ran === 'no')) {
      const { image, held } = converted(serverOf(one));

      expect({ ...one, starts: startsByItself(image) }).toEqual({ ...one, starts: false });
      const holds =
        ask(image, "SELECT value FROM instances_config WHERE key = 'boot.autostart'")[0]?.['value'] ===
        'false';
      expect({ ...one, held: held.length === 1 }).toEqual({ ...one, held: holds && one.own !== 'false' });
      if (held.length === 1)
        expect(held[0]).toEqual({ project: 'dev', name: 'c1', autostart: one.own ?? null });
    }
  });

  test('what ran starts by itself, unless the user keeps it from that', () => {
    for (const one of cases.filter(({ ran }) => ran !== 'no')) {
      const names = new Set(['dev/c1']);
      const power =
        one.ran === 'running'
          ? { running: names, frozen: new Set<string>() }
          : { running: new Set<string>(), frozen: names };

      const { image, held } = converted(serverOf(one), { power });

      // A value of its own, even an empty one, hides that of the profile. NULL reads as empty.
      const effective = (one.own === undefined ? (one.profile ?? '') : (one.own ?? '')).toLowerCase();
      const kept = effective === 'false' || effective === '0';
      expect({ ...one, starts: startsByItself(image) }).toEqual({ ...one, starts: !kept });
      expect(held).toEqual([]);
      expect(
        ask(image, "SELECT value FROM instances_config WHERE key = 'volatile.last_state.power'"),
      ).toEqual([{ value: 'RUNNING' }]);
    }
  });
});

test('the last profile wins', () => {
  const sql = `
    ${instance(1, 'c1')} INSERT INTO profiles VALUES (2, 'a', '', 1), (3, 'b', '', 1);
    ${config('profiles_config', 2, { 'boot.autostart': 'true' })} ${config('profiles_config', 3, { 'boot.autostart': 'false' })}
  `;

  const firstTrue = converted(`${sql} INSERT INTO instances_profiles VALUES (1, 1, 2, 1), (2, 1, 3, 2);`);
  const lastTrue = converted(`${sql} INSERT INTO instances_profiles VALUES (1, 1, 2, 2), (2, 1, 3, 1);`);

  expect(firstTrue.held).toEqual([]);
  expect(lastTrue.held).toHaveLength(1);
});

test('snapshots keep their state', () => {
  const { image } = converted(`
    ${instance(1, 'c1')} INSERT INTO instances_snapshots VALUES (1, 1, 's0', 0, 0, '', NULL);
    ${config('instances_snapshots_config', 1, { 'volatile.last_state.power': 'RUNNING', 'boot.autostart': 'true' })}
  `);

  expect(ask(image, 'SELECT key, value FROM instances_snapshots_config ORDER BY key')).toEqual([
    { key: 'boot.autostart', value: 'true' },
    { key: 'volatile.last_state.power', value: 'RUNNING' },
  ]);
});

test('instances of one name in two projects are told apart', () => {
  const { image } = converted(`${instance(1, 'c1')} ${instance(2, 'c1', { project: 2 })}`, {
    power: { running: new Set(['dev/c1']), frozen: new Set() },
  });

  expect(ask(image, 'SELECT instance_id, value FROM instances_config')).toEqual([
    { instance_id: 2, value: 'RUNNING' },
  ]);
});

test('what LXD would start by itself follows the same rule', () => {
  for (const one of cases.filter(({ ran }) => ran === 'no')) {
    const image = lxdDatabase(serverOf(one));
    const db = new Database(image);

    expect({ ...one, started: startedByItself(db) }).toEqual({
      ...one,
      started: startsByItself(image) ? ['dev/c1'] : [],
    });
    db.close();
  }
});
