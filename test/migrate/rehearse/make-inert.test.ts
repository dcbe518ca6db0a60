import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import { makeInert } from '../../../src/migrate/rehearse/make-inert.ts';
import { notProven } from '../../../src/migrate/rehearse/not-proven.ts';
import { migrationRules } from '../../../src/migrate/rules/migration-rules.ts';
import { config, convertImage, instance, quoted } from '../convert/converted.ts';
import { lxdDatabase, populatedDatabase } from '../lxd-database.ts';
import { localDatabase } from './local-database.ts';

const directory = '/var/lib/incus';
const emptyLocal = localDatabase();

function inertOf(sql: string, local = emptyLocal) {
  return makeInert(convertImage(lxdDatabase(sql)).image, local, directory);
}

function rowsOf(image: Buffer, sql: string): unknown[] {
  const db = new Database(image);
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

/** A key of every rule, with something in place of a `*`. */
const serverKeys = migrationRules()
  .rehearsal.keys.filter(({ entity }) => entity === 'server')
  .flatMap(({ keys, value }) =>
    keys.map((key) => ({ key: key.replace('*', 'address'), removed: value === undefined })),
  );
const instanceKeys = migrationRules()
  .rehearsal.keys.filter(({ entity }) => entity === 'instance')
  .flatMap(({ keys }) => keys);

describe('makeInert', () => {
  it('leaves nothing of its list, whatever the server has', () => {
    fc.assert(
      fc.property(
        fc.subarray(serverKeys.map(({ key }) => key)),
        fc.subarray(instanceKeys),
        fc.subarray(instanceKeys),
        fc.constantFrom(undefined, 'true', 'false', '1'),
        fc.constantFrom(undefined, 'RUNNING', 'STOPPED'),
        fc.string(),
        (ofServer, ofInstance, ofProfile, autostart, power, value) => {
          const values = (keys: readonly string[]) =>
            Object.fromEntries(keys.map((key) => [key, `x${value.replaceAll('\0', '')}`]));
          const inert = inertOf(
            [
              instance(1, 'c1'),
              ...Object.entries(values(ofServer)).map(
                ([key, text]) => `INSERT INTO config (key, value) VALUES (${quoted(key)}, ${quoted(text)});`,
              ),
              config('instances_config', 1, {
                ...values(ofInstance),
                ...(autostart === undefined ? {} : { 'boot.autostart': autostart }),
                ...(power === undefined ? {} : { 'volatile.last_state.power': power }),
              }),
              config('profiles_config', 1, values(ofProfile)),
            ].join('\n'),
          );

          const { server, instances, profiles } = readInventory(inert.image, { localDatabase: inert.local });

          for (const { key, removed } of serverKeys)
            expect(server.config[key]).toBe(removed ? undefined : '0');
          expect(instances.map((one) => one.config)).toEqual([
            { 'boot.autostart': 'false', 'volatile.last_state.power': 'STOPPED' },
          ]);
          for (const profile of profiles) expect(profile.config).toEqual({});
        },
      ),
      { numRuns: 40 },
    );
  });

  it('removes addresses of this member from local.db', () => {
    const local = localDatabase(
      "INSERT INTO config (key, value) VALUES ('core.https_address', '[::]:8443'), ('cluster.https_address', ':8443'), ('user.x', '1');",
    );

    const inert = inertOf('', local);

    expect(rowsOf(inert.local, 'SELECT key FROM config')).toEqual([{ key: 'user.x' }]);
  });

  it('puts a folder of the trial in the place of every pool', () => {
    const inert = makeInert(convertImage(populatedDatabase()).image, emptyLocal, directory);

    const { pools } = readInventory(inert.image, { localDatabase: inert.local });
    expect(pools.length).toBeGreaterThan(1);
    for (const pool of pools) {
      expect(pool.driver).toBe('dir');
      expect(pool.config['source']).toBe(`${directory}/storage-pools/${pool.name}`);
    }
  });

  it('takes away every moment at which something would be deleted', () => {
    const image = convertImage(
      lxdDatabase(
        `${instance(1, 'c1')} INSERT INTO instances_snapshots (id, instance_id, name, creation_date, stateful, description, expiry_date) VALUES (1, 1, 's', '2026-01-01 00:00:00+00:00', 0, '', '2026-01-02 00:00:00+00:00');`,
      ),
    ).image;

    const inert = makeInert(image, emptyLocal, directory);

    const [snapshot] =
      readInventory(inert.image, { localDatabase: inert.local }).instances[0]?.snapshots ?? [];
    expect(snapshot?.expires).toBeNull();
    expect(inert.changes.map(({ what }) => what)).toContain('expiry_date');
  });

  it('has every change on record, each with a reason, and the table names each', () => {
    const before = convertImage(populatedDatabase()).image;

    const inert = makeInert(before, emptyLocal, directory);

    const table = notProven(inert.changes, readInventory(inert.image, { localDatabase: inert.local }), []);
    for (const { what, object, rule } of inert.changes) {
      expect(rule).not.toBe('');
      expect(table.some((row) => row.what === what && row.objects.includes(object))).toBe(true);
    }
    expect(new Set(table.map(({ kind }) => kind))).toEqual(
      new Set(['storage pool', 'network', 'key', 'patch']),
    );
  });

  it('changes nothing else', () => {
    const { image } = convertImage(populatedDatabase());

    const inert = makeInert(image, emptyLocal, directory);

    const changed = new Set(['sqlite_sequence', ...inert.changes.map(({ table }) => table)]);
    const tables = rowsOf(image, "SELECT name FROM sqlite_master WHERE type = 'table'") as { name: string }[];
    for (const { name } of tables.filter((one) => !changed.has(one.name)))
      expect(rowsOf(inert.image, `SELECT * FROM "${name}"`)).toEqual(
        rowsOf(image, `SELECT * FROM "${name}"`),
      );
  });
});
