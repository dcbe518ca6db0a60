// Rows that are no configuration keys: triggers, JSON, NULL, id maps, records of snapshots, orphans, what is emptied.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normaliseIdmaps } from '../../../src/migrate/convert/rows.ts';
import { ask, atSchema, lxdDatabase } from '../lxd-database.ts';
import { config, converted, convertImage, instance } from './converted.ts';

const unchanged = converted('').changes;

/** What a conversion changes beyond what it changes on every server. */
function changesOf(conversion: ReturnType<typeof converted>) {
  return conversion.changes.filter(
    (change) => !unchanged.some((known) => JSON.stringify(known) === JSON.stringify(change)),
  );
}

describe('triggers', () => {
  test('but the two of the fork point are dropped, each with its text on record', () => {
    const sql = `CREATE TRIGGER "on_project_delete" AFTER DELETE ON projects BEGIN DELETE FROM auth_groups_permissions; END`;

    const conversion = converted(
      `${sql}; CREATE TRIGGER "odd ""name" AFTER DELETE ON nodes BEGIN SELECT 1; END;`,
    );

    expect(
      ask(conversion.image, "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY 1").map(
        ({ name }) => name,
      ),
    ).toEqual(['storage_volumes_check_id', 'storage_volumes_snapshots_check_id']);
    expect(changesOf(conversion)).toMatchObject([
      {
        table: 'sqlite_master',
        object: 'trigger on_project_delete',
        before: sql,
        after: null,
        rule: 'trigger-of-source',
      },
      { object: 'trigger odd "name' },
    ]);
  });
});

describe('NULL values', () => {
  test('of configuration become empty, on record', () => {
    const conversion = converted(`
      ${instance(1, 'c1')} ${config('instances_config', 1, { 'limits.cpu': null })}
      ${config('profiles_config', 1, { 'limits.memory': null })}
    `);

    expect(ask(conversion.image, 'SELECT value FROM instances_config')).toEqual([{ value: '' }]);
    expect(changesOf(conversion)).toMatchObject([
      {
        object: 'profile default/default',
        what: 'limits.memory',
        before: null,
        after: '',
        rule: 'null-value',
      },
      { object: 'instance default/c1', what: 'limits.cpu', before: null, after: '' },
    ]);
  });

  test('are left in no table whose values incusd copies into columns that refuse NULL', () => {
    // Every table of keys and values of the schema; properties of images stay as they are in Incus too.
    const tables = ask(
      lxdDatabase(),
      `SELECT m.name AS name FROM sqlite_master m WHERE m.type = 'table' AND m.name <> 'images_properties'
          AND (SELECT count(*) FROM pragma_table_info(m.name) c WHERE c.name IN ('key', 'value')) = 2 ORDER BY 1`,
    ).map(({ name }) => String(name));
    const owned = (table: string): boolean => table !== 'config';
    const rows = tables.map((table) =>
      owned(table)
        ? `INSERT INTO ${table} SELECT 7, ${ask(lxdDatabase(), `SELECT count(*) - 3 AS n FROM pragma_table_info('${table}')`)[0]?.['n'] === 2 ? '1, NULL' : '1'}, 'user.key', NULL;`
        : `INSERT INTO config VALUES (7, 'user.key', NULL);`,
    );
    const owners = `
      ${instance(1, 'c1')} INSERT INTO instances_devices VALUES (1, 1, 'd', 0); INSERT INTO profiles_devices VALUES (1, 1, 'd', 0);
      INSERT INTO instances_snapshots VALUES (1, 1, 's', 0, 0, '', NULL); INSERT INTO instances_snapshots_devices VALUES (1, 1, 'd', 0);
      INSERT INTO networks VALUES (1, 1, 'n', '', 1, 1); INSERT INTO networks_acls VALUES (1, 1, 'a', '', '[]', '[]');
      INSERT INTO networks_forwards VALUES (1, 1, 1, '10.0.0.1', '', '[]'); INSERT INTO networks_peers VALUES (1, 1, 'p', '', NULL, NULL, NULL);
      INSERT INTO networks_zones VALUES (1, 1, 'z', ''); INSERT INTO networks_zones_records VALUES (1, 1, 'r', '', '[]');
      INSERT INTO storage_pools VALUES (1, 'p', 'dir', '', 1); INSERT INTO storage_volumes VALUES (1, 'v', 1, 1, 2, '', 1, 0);
      INSERT INTO storage_volumes_snapshots VALUES (1, 1, 's', '', NULL);
    `;

    const { image } = converted(`${owners} ${rows.join('\n')}`);

    expect(tables.length).toBeGreaterThan(15);
    for (const table of tables)
      expect({ table, rows: ask(image, `SELECT value FROM ${table} WHERE key = 'user.key'`) }).toEqual({
        table,
        rows: [{ value: '' }],
      });
  });
});

describe('empty JSON', () => {
  test('becomes null, whether it is text or a blob; other JSON stays', () => {
    const rules = `X'5b5d'`;
    const conversion = converted(`
      INSERT INTO networks VALUES (1, 1, 'n', '', 1, 1);
      INSERT INTO networks_acls VALUES (1, 1, 'a', '', '', X''), (2, 1, 'b', '', ${rules}, '[{}]');
      INSERT INTO networks_forwards VALUES (1, 1, 1, '10.0.0.1', '', ''), (2, 1, 1, '10.0.0.2', '', '[]');
    `);

    expect(
      ask(
        conversion.image,
        'SELECT CAST(ingress AS TEXT) AS i, CAST(egress AS TEXT) AS e FROM networks_acls ORDER BY id',
      ),
    ).toEqual([
      { i: 'null', e: 'null' },
      { i: '[]', e: '[{}]' },
    ]);
    expect(ask(conversion.image, 'SELECT ports FROM networks_forwards ORDER BY id')).toEqual([
      { ports: 'null' },
      { ports: '[]' },
    ]);
    expect(
      changesOf(conversion).map(({ table, rowId, what, before, after }) => [
        table,
        rowId,
        what,
        before,
        after,
      ]),
    ).toEqual([
      ['networks_acls', 1, 'ingress', '', 'null'],
      ['networks_acls', 1, 'egress', '', 'null'],
      ['networks_forwards', 1, 'ports', '', 'null'],
    ]);
  });

  test('of load balancers becomes null, where the schema has them', () => {
    const conversion = converted(`
      INSERT INTO schema VALUES (2, 61, 0); INSERT INTO networks VALUES (1, 1, 'n', '', 1, 3);
      ${config('networks_config', 1, { 'dns.domain': 'x' })}
      CREATE TABLE networks_load_balancers (id INTEGER PRIMARY KEY, network_id INTEGER NOT NULL, node_id INTEGER, listen_address TEXT NOT NULL, description TEXT NOT NULL, backends TEXT NOT NULL, ports TEXT NOT NULL);
      CREATE TABLE networks_load_balancers_config (id INTEGER PRIMARY KEY, network_load_balancer_id INTEGER NOT NULL, key TEXT, value TEXT);
      INSERT INTO networks_load_balancers VALUES (1, 1, NULL, '10.0.0.1', '', '', '');
    `);

    expect(ask(conversion.image, 'SELECT backends, ports FROM networks_load_balancers')).toEqual([
      { backends: 'null', ports: 'null' },
    ]);
  });
});

describe('id maps', () => {
  // What LXD 5.0.2 writes for `raw.idmap: both 1000 1000`: the entry for both kinds of id stands there twice.
  const both = { Isuid: true, Isgid: true, Hostid: 1000, Nsid: 1000, Maprange: 1 };
  const before = { Isuid: true, Isgid: false, Hostid: 1_000_000, Nsid: 0, Maprange: 1000 };
  const after = { Isuid: false, Isgid: true, Hostid: 1_000_000, Nsid: 0, Maprange: 1000 };
  const doubled = JSON.stringify([before, both, after, both]);
  const single = JSON.stringify([before, both, after]);

  test.each(['volatile.last_state.idmap', 'volatile.idmap.next', 'volatile.idmap.current'])(
    'lose repeated entries under %s, in instances and snapshots',
    (key) => {
      const conversion = converted(`
        ${instance(1, 'c1')} INSERT INTO instances_snapshots VALUES (1, 1, 's0', 0, 0, '', NULL);
        ${config('instances_config', 1, { [key]: doubled })} ${config('instances_snapshots_config', 1, { [key]: doubled })}
      `);

      for (const table of ['instances_config', 'instances_snapshots_config'])
        expect(ask(conversion.image, `SELECT value FROM ${table}`)).toEqual([{ value: single }]);
      expect(changesOf(conversion).filter(({ rule }) => rule === 'idmap-repeated-entry')).toHaveLength(2);
    },
  );

  test.each([
    ['without a repeated entry', single],
    ['written with blanks', `[ ${JSON.stringify(both)} ]`],
    ['of an idmapped mount', '[]'],
    ['that is empty', ''],
    ['that is no JSON', '[{"Isuid":'],
    ['that is no list', '{"a":1}'],
  ])('%s stay byte for byte', (_what, value) => {
    const conversion = converted(
      `${instance(1, 'c1')} ${config('instances_config', 1, { 'volatile.last_state.idmap': value })}`,
    );

    expect(ask(conversion.image, 'SELECT value FROM instances_config')).toEqual([{ value }]);
  });

  test('hold the same set of entries afterwards, in the same order, each once', () => {
    const entry = fc.record({
      Isuid: fc.boolean(),
      Isgid: fc.boolean(),
      Hostid: fc.nat(3),
      Nsid: fc.nat(3),
      Maprange: fc.constant(1),
    });

    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const set: string[] = [];
        normaliseIdmaps(
          { setValue: (_table: string, _row: unknown, value: string) => set.push(value) } as never,
          [{ entity: 'instance', key: 'volatile.idmap.next', value: JSON.stringify(entries) } as never],
          { idmap_keys: ['volatile.idmap.next'] } as never,
        );
        const texts = entries.map((one) => JSON.stringify(one));

        expect(JSON.parse(set[0] ?? JSON.stringify(entries))).toEqual(
          [...new Set(texts)].map((text) => JSON.parse(text) as unknown),
        );
      }),
    );
  });
});

describe('records of snapshots', () => {
  const pool = `INSERT INTO storage_pools VALUES (1, 'p', 'dir', '', 1);`;
  const c1 = `${instance(1, 'c1')} INSERT INTO storage_volumes VALUES (4, 'c1', 1, 1, 0, '', 1, 0);`;
  const s0 = `INSERT INTO instances_snapshots VALUES (1, 1, 's0', '2026-01-02 03:04:05+00:00', 0, '', NULL);`;

  test('that are missing are made like the daemon makes them, with the configuration of the volume', () => {
    const conversion = converted(
      `${pool} ${c1} ${s0} ${config('storage_volumes_config', 4, { size: '1GiB', 'volatile.uuid': 'u' })}`,
    );

    expect(ask(conversion.image, 'SELECT * FROM storage_volumes_snapshots')).toEqual([
      {
        id: 5,
        storage_volume_id: 4,
        name: 's0',
        description: 'Auto repaired',
        expiry_date: '0001-01-01 00:00:00+00:00',
      },
    ]);
    expect(
      ask(
        conversion.image,
        'SELECT storage_volume_snapshot_id AS id, key, value FROM storage_volumes_snapshots_config',
      ),
    ).toEqual([{ id: 5, key: 'size', value: '1GiB' }]);
    expect(changesOf(conversion).filter(({ rule }) => rule === 'missing-snapshot-record')).toMatchObject([
      {
        table: 'storage_volumes_snapshots',
        rowId: 5,
        object: 'volume p/default/c1/s0',
        what: 'row',
        before: null,
      },
      { table: 'storage_volumes_snapshots_config', what: 'size', before: null, after: '1GiB' },
      { table: 'storage_volumes_snapshots_config', what: 'volatile.uuid', before: null, after: 'u' },
    ]);
  });

  test('take the next number of the sequence that volumes and snapshots share, never one that was used before', () => {
    const conversion = converted(
      `${pool} ${c1} ${s0} UPDATE sqlite_sequence SET seq = 40 WHERE name = 'storage_volumes';`,
    );

    expect(ask(conversion.image, 'SELECT id FROM storage_volumes_snapshots')).toEqual([{ id: 41 }]);
    expect(ask(conversion.image, "SELECT seq FROM sqlite_sequence WHERE name = 'storage_volumes'")).toEqual([
      { seq: 41 },
    ]);
  });

  test('carry the date of the snapshot, where the schema has a column for it', () => {
    const conversion = converted(`
      ${pool} ${c1} ${s0} ${atSchema(67)}
    `);

    expect(ask(conversion.image, 'SELECT name, creation_date FROM storage_volumes_snapshots')).toEqual([
      { name: 's0', creation_date: '2026-01-02 03:04:05+00:00' },
    ]);
  });

  test('that are there are left alone', () => {
    const conversion = converted(
      `${pool} ${c1} ${s0} INSERT INTO storage_volumes_snapshots VALUES (9, 4, 's0', 'mine', NULL);`,
    );

    expect(changesOf(conversion)).toEqual([]);
  });

  test('are made for virtual machines, in their own project, from their own kind of volume', () => {
    const conversion = converted(`
      ${pool} ${instance(1, 'v1', { type: 1, project: 2 })} ${s0}
      INSERT INTO storage_volumes VALUES (1, 'v1', 1, 1, 3, '', 2, 1), (2, 'v1', 1, 1, 2, '', 2, 0), (3, 'v1', 1, 1, 3, '', 1, 1);
    `);

    expect(
      ask(conversion.image, 'SELECT storage_volume_id AS volume, name FROM storage_volumes_snapshots'),
    ).toEqual([{ volume: 1, name: 's0' }]);
  });

  test('are not made where the instance has no volume', () => {
    expect(changesOf(converted(`${pool} ${instance(1, 'c1')} ${s0}`))).toEqual([]);
  });

  test('that stand among the volumes are removed whole, all of them on record', () => {
    const conversion = converted(`
      ${pool} ${c1} ${s0} INSERT INTO storage_volumes_snapshots VALUES (9, 4, 's0', '', NULL);
      INSERT INTO storage_volumes VALUES (6, 'c1/s0', 1, 1, 0, 'old', 1, 0), (7, 'c1/other', 1, 1, 0, '', 1, 0), (8, 'c1/s0', 1, 1, 2, '', 1, 0);
      ${config('storage_volumes_config', 6, { size: '1GiB' })}
    `);

    expect(ask(conversion.image, 'SELECT id FROM storage_volumes ORDER BY id').map(({ id }) => id)).toEqual([
      4, 7, 8,
    ]);
    expect(ask(conversion.image, 'SELECT * FROM storage_volumes_config')).toEqual([]);
    const removed = changesOf(conversion).filter(({ rule }) => rule === 'old-snapshot-record');
    expect(removed.map(({ table, what, after }) => [table, what, after])).toEqual([
      ['storage_volumes_config', 'row', null],
      ['storage_volumes', 'row', null],
    ]);
    expect(removed.map(({ before }) => JSON.parse(before ?? '') as unknown)).toMatchObject([
      { storage_volume_id: 6, key: 'size', value: '1GiB' },
      { id: 6, name: 'c1/s0', description: 'old' },
    ]);
  });
});

describe('rows without an owner', () => {
  test('are left out, whole on record', () => {
    const conversion = converted(`
      INSERT INTO instances_config (id, instance_id, key, value) VALUES (5, 99, 'user.x', 'y');
      INSERT INTO networks_config (id, network_id, node_id, key, value) VALUES (6, 99, 1, 'k', NULL);
    `);

    expect(ask(conversion.image, 'SELECT * FROM instances_config')).toEqual([]);
    expect(
      changesOf(conversion).map(({ table, rowId, what, before, after, rule }) => ({
        table,
        rowId,
        what,
        before: JSON.parse(before ?? '') as unknown,
        after,
        rule,
      })),
    ).toEqual([
      {
        table: 'instances_config',
        rowId: 5,
        what: 'row',
        before: { id: 5, instance_id: 99, key: 'user.x', value: 'y' },
        after: null,
        rule: 'orphaned-row',
      },
      {
        table: 'networks_config',
        rowId: 6,
        what: 'row',
        before: { id: 6, network_id: 99, node_id: 1, key: 'k', value: null },
        after: null,
        rule: 'orphaned-row',
      },
    ]);
  });

  test('do not take those of their neighbours with them', () => {
    const conversion = converted(`
      ${instance(1, 'c1')} ${config('instances_config', 1, { 'user.x': 'kept' })}
      INSERT INTO instances_config (instance_id, key, value) VALUES (99, 'user.x', 'gone');
    `);

    expect(ask(conversion.image, 'SELECT value FROM instances_config')).toEqual([{ value: 'kept' }]);
  });
});

describe('what means nothing to the other daemon', () => {
  test('is emptied: warnings and operations, each row on record', () => {
    const conversion = converted(`
      INSERT INTO operations VALUES (3, 'u', '1', 1, NULL);
      INSERT INTO warnings VALUES (4, 1, NULL, NULL, NULL, 'w', 10, 1, 0, 0, NULL, 'message', 1);
    `);

    for (const table of ['operations', 'warnings'])
      expect(ask(conversion.image, `SELECT * FROM ${table}`)).toEqual([]);
    expect(
      changesOf(conversion).map(({ table, rowId, before, rule }) => [
        table,
        rowId,
        (JSON.parse(before ?? '') as { uuid: string }).uuid,
        rule,
      ]),
    ).toEqual([
      ['operations', 3, 'u', 'emptied:operations'],
      ['warnings', 4, 'w', 'emptied:warnings'],
    ]);
  });
});

describe('descriptions', () => {
  test('that LXD wrote by itself change; those of people do not', () => {
    const conversion = converted(
      `INSERT INTO projects VALUES (3, 'p', 'My Default LXD project'); INSERT INTO profiles VALUES (2, 'q', 'Default LXD profile for project p', 3);`,
    );

    expect(
      ask(conversion.image, 'SELECT description FROM projects ORDER BY id').map(
        ({ description }) => description,
      ),
    ).toEqual(['Default Incus project', '', 'My Default LXD project']);
    expect(
      ask(conversion.image, 'SELECT description FROM profiles ORDER BY id').map(
        ({ description }) => description,
      ),
    ).toEqual(['Default Incus profile', 'Default LXD profile for project p']);
    expect(unchanged).toMatchObject([
      {
        table: 'profiles',
        rowId: 1,
        object: 'profile default',
        what: 'description',
        before: 'Default LXD profile',
      },
      {
        table: 'projects',
        rowId: 1,
        object: 'project default',
        what: 'description',
        after: 'Default Incus project',
      },
    ]);
  });
});

describe('schemas that this version does not move', () => {
  test.each([59, 70, 73, 88])('like %i are refused', (schema) => {
    expect(() => converted(`DELETE FROM schema; INSERT INTO schema VALUES (1, ${schema}, 0);`)).toThrow(
      `schema ${schema}`,
    );
  });

  test('are refused by their tables, whatever their number says', () => {
    expect(() => converted('CREATE TABLE identities (id INTEGER PRIMARY KEY);')).toThrow('schema 60');
  });

  test('are refused where there is no number at all', () => {
    expect(() => convertImage(lxdDatabase('DROP TABLE schema;'))).toThrow('schema 0');
  });
});
