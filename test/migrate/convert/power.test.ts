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

/** One server with an instance, and a profile of its own, for each case. */
function serverOf(all: readonly Case[]): string {
  return all
    .map(({ own, profile, last }, index) => {
      const id = index + 1;
      return `
        ${instance(id, `c${id}`, { project: 2 })} INSERT INTO profiles VALUES (${id + 1}, 'p${id}', '', 1);
        INSERT INTO instances_profiles (instance_id, profile_id, apply_order) VALUES (${id}, 1, 1), (${id}, ${id + 1}, 2);
        ${config('profiles_config', id + 1, present('boot.autostart', profile))}
        ${config('instances_config', id, { ...present('boot.autostart', own), ...present('volatile.last_state.power', last) })}
      `;
    })
    .join('');
}

function present(key: string, value: Value): Record<string, string | null> {
  return value === undefined ? {} : { [key]: value };
}

/** What incusd sees of each case: values of its own before those of the profile (instances.go, ExpandedConfig). */
function expanded(image: Buffer, all: readonly Case[]): Record<string, string | undefined>[] {
  const read = (table: string, owner: string): Map<string, string> =>
    new Map(
      ask(image, `SELECT ${owner} AS owner, key, coalesce(value, '') AS value FROM ${table}`).map((row) => [
        `${row['owner']} ${row['key']}`,
        String(row['value']),
      ]),
    );
  const own = read('instances_config', 'instance_id');
  const inherited = read('profiles_config', 'profile_id');
  return all.map((_, index) =>
    Object.fromEntries(
      ['boot.autostart', 'volatile.last_state.power'].map((key) => [
        key,
        own.get(`${index + 1} ${key}`) ?? inherited.get(`${index + 2} ${key}`),
      ]),
    ),
  );
}

/** incusd's rule (instances.go, instanceShouldAutoStart). */
function startsByItself(values: Record<string, string | undefined> | undefined): boolean {
  const autostart = (values?.['boot.autostart'] ?? '').toLowerCase();
  return (
    ['true', '1', 'yes', 'on'].includes(autostart) ||
    (autostart === '' && values?.['volatile.last_state.power'] === 'RUNNING')
  );
}

function named(ran: Case['ran']): Set<string> {
  return new Set(cases.flatMap((one, index) => (one.ran === ran ? [`dev/c${index + 1}`] : [])));
}

describe('after the conversion', () => {
  const { image, held } = converted(serverOf(cases), {
    power: { running: named('running'), frozen: named('frozen') },
  });
  const values = expanded(image, cases);
  const heldOf = new Map(held.map(({ project, name, autostart }) => [`${project}/${name}`, autostart]));

  test('nothing starts that did not run, and what is in its way can be put back', () => {
    cases.forEach((one, index) => {
      if (one.ran !== 'no') return;
      // A value of its own, even an empty one, hides that of the profile. NULL reads as empty.
      const wanted = one.own === undefined ? (one.profile ?? '') : (one.own ?? '');
      const mustBeHeld = startsByItself({ 'boot.autostart': wanted });

      expect({
        ...one,
        starts: startsByItself(values[index]),
        held: heldOf.has(`dev/c${index + 1}`),
      }).toEqual({
        ...one,
        starts: false,
        held: mustBeHeld,
      });
      if (mustBeHeld) expect(heldOf.get(`dev/c${index + 1}`)).toBe(one.own ?? null);
    });
  });

  test('what ran starts by itself, unless the user keeps it from that', () => {
    cases.forEach((one, index) => {
      if (one.ran === 'no') return;
      const effective = (one.own === undefined ? (one.profile ?? '') : (one.own ?? '')).toLowerCase();
      const kept = effective === 'false' || effective === '0';

      expect({
        ...one,
        starts: startsByItself(values[index]),
        held: heldOf.has(`dev/c${index + 1}`),
      }).toEqual({
        ...one,
        starts: !kept,
        held: false,
      });
      expect(values[index]?.['volatile.last_state.power']).toBe('RUNNING');
    });
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
  const image = lxdDatabase(serverOf(cases));
  const values = expanded(image, cases);
  const db = new Database(image);

  const started = new Set(startedByItself(db));
  db.close();

  cases.forEach((one, index) => {
    expect({ ...one, started: started.has(`dev/c${index + 1}`) }).toEqual({
      ...one,
      started: startsByItself(values[index]),
    });
  });
});
