// What is broken in LXD before a move is named: rows, files, names, tables.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { databaseFixtures, unpackDatabaseFixture } from '../../../src/dev/database-fixture.ts';
import { checkLocalSchema } from '../../../src/migrate/check/broken-before/local-schema.ts';
import type { Finding } from '../../../src/migrate/model/finding.ts';
import { migrationRules } from '../../../src/migrate/rules/migration-rules.ts';
import { config, instance } from '../convert/converted.ts';
import { atSchema, populatedDatabase } from '../lxd-database.ts';
import { finding, findingsOf, type Situation, situation } from './checked.ts';

/** A pool with a volume for each instance; profile default has a root disk on it and a network interface. */
const server = `
INSERT INTO storage_pools VALUES (1, 'p', 'dir', '', 1); INSERT INTO storage_pools_nodes VALUES (1, 1, 1, 1);
INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0); INSERT INTO networks_nodes VALUES (1, 1, 1, 1);
INSERT INTO profiles_devices VALUES (1, 1, 'root', 2), (2, 1, 'eth0', 1);
INSERT INTO profiles_devices_config (profile_device_id, key, value) VALUES
  (1, 'path', '/'), (1, 'pool', 'p'), (2, 'network', 'lxdbr0');
${instance(1, 'c1')} ${instance(2, 'c2')}
INSERT INTO instances_profiles VALUES (1, 1, 1, 1), (2, 2, 1, 1);
INSERT INTO storage_volumes VALUES (1, 'c1', 1, 1, 0, '', 1, 0), (2, 'c2', 1, 1, 0, '', 1, 0);
`;

function broken(sql: string, change: (one: Situation) => void = () => {}): Finding[] {
  const one = situation();
  one.sourceSql = `${server}${sql}`;
  change(one);
  return findingsOf(one).filter(({ id }) => id.startsWith('broken-before:'));
}

const named = (findings: readonly Finding[]): [string, string, readonly string[]][] =>
  findings.map(({ severity, id, objects }) => [severity, id.replace('broken-before:', ''), objects]);

test('a server that is whole has none of them', () => {
  expect(broken('')).toEqual([]);
});

test('the database that a real server wrote has none of them', () => {
  const one = situation();
  const whole = populatedDatabase();
  one.damage = () => whole;

  expect(findingsOf(one).filter(({ id }) => id.startsWith('broken-before:'))).toEqual([]);
});

const nic = (id: number, owner: number, values: Readonly<Record<string, string>>, name = 'eth0'): string =>
  `INSERT INTO instances_devices VALUES (${id}, ${owner}, '${name}', 1); ${config('instances_devices_config', id, values)}`;
const eth0 = (name: string): string => `instance default/${name}, device eth0`;

describe.each([
  {
    what: 'an instance without a volume',
    sql: 'DELETE FROM storage_volumes WHERE id = 2;',
    found: ['note', 'instance-without-volume', ['instance default/c2']],
  },
  {
    what: 'an instance with a volume of another project only',
    sql: 'UPDATE storage_volumes SET project_id = 2 WHERE id = 2;',
    found: ['note', 'instance-without-volume', ['instance default/c2']],
    beside: ['volume-without-instance'],
  },
  {
    what: 'a volume without an instance',
    sql: "INSERT INTO storage_volumes VALUES (3, 'long-gone', 1, 1, 0, '', 1, 0);",
    found: ['note', 'volume-without-instance', ['container volume p/default/long-gone']],
  },
  {
    what: 'the volume of an image that is gone',
    sql: "INSERT INTO storage_volumes VALUES (3, 'd0c0', 1, 1, 1, '', 1, 0);",
    found: ['note', 'image-volume-without-image', ['image volume p/default/d0c0']],
  },
  {
    what: 'a snapshot of a volume that its instance does not have',
    sql: "INSERT INTO storage_volumes_snapshots VALUES (9, 1, 's0', '', NULL);",
    found: ['note', 'volume-snapshot-without-snapshot', ['container volume p/default/c1/s0']],
  },
  {
    what: 'a profile whose pool is not there',
    sql: "UPDATE profiles_devices_config SET value = 'gone' WHERE key = 'pool';",
    found: ['note', 'device-points-nowhere', ['profile default/default, device root: storage pool gone']],
  },
  {
    what: 'a profile whose network is not there',
    sql: "UPDATE profiles_devices_config SET value = 'gone0' WHERE key = 'network';",
    found: ['note', 'device-points-nowhere', ['profile default/default, device eth0: network gone0']],
  },
  {
    what: 'an instance with a volume that is not there',
    sql: `INSERT INTO instances_devices VALUES (5, 1, 'data', 2); ${config('instances_devices_config', 5, { pool: 'p', source: 'gone/sub', path: '/data' })}`,
    found: ['note', 'device-points-nowhere', ['instance default/c1, device data: volume p/gone']],
  },
  {
    what: 'an instance without a root disk',
    sql: 'DELETE FROM instances_profiles WHERE instance_id = 2;',
    found: ['note', 'instance-without-root-disk', ['instance default/c2']],
  },
  {
    what: 'a root disk that the instance takes away',
    sql: "INSERT INTO instances_devices VALUES (5, 1, 'root', 0);",
    found: ['note', 'instance-without-root-disk', ['instance default/c1']],
  },
  {
    what: 'a project without profile default',
    sql: "UPDATE projects_config SET value = 'true' WHERE project_id = 2;",
    found: ['note', 'default-profile-missing', ['profile dev/default']],
  },
  {
    what: 'no project default',
    sql: "UPDATE projects SET name = 'main' WHERE id = 1;",
    found: ['blocker', 'default-project-missing', ['project default']],
  },
  {
    what: 'a pool and a network without a row for this server',
    sql: 'DELETE FROM storage_pools_nodes; DELETE FROM networks_nodes;',
    found: ['note', 'not-on-this-member', ['storage pool p', 'network default/lxdbr0']],
  },
  {
    what: 'an image without a row for this server',
    sql: "INSERT INTO images (id, fingerprint, filename, size, architecture, upload_date, project_id) VALUES (1, 'd0c0', '', 1, 2, 0, 1);",
    found: ['note', 'image-not-on-this-member', ['image default/d0c0']],
  },
  {
    what: 'two instances of one UUID',
    sql: `${config('instances_config', 1, { 'volatile.uuid': 'befe' })} ${config('instances_config', 2, { 'volatile.uuid': 'befe' })}`,
    found: ['note', 'same-uuid', ['instance default/c1 and instance default/c2: befe']],
  },
  {
    what: 'two instances of one hardware address, one of them in capitals',
    sql: `${config('instances_config', 1, { 'volatile.eth0.hwaddr': '00:16:3e:aa:bb:cc' })} ${nic(5, 2, { hwaddr: '00:16:3E:AA:BB:CC' })}`,
    found: ['note', 'same-mac', [`${eth0('c1')} and ${eth0('c2')}: 00:16:3e:aa:bb:cc`]],
  },
  {
    what: 'two instances of one address on a network',
    sql: `${nic(5, 1, { network: 'lxdbr0', 'ipv4.address': '10.0.0.9' })} ${nic(6, 2, { network: 'lxdbr0', 'ipv4.address': '10.0.0.9' })}`,
    found: ['note', 'same-address', [`${eth0('c1')} and ${eth0('c2')}: lxdbr0 10.0.0.9`]],
  },
  {
    what: 'one hardware address for all instances of a profile',
    sql: "INSERT INTO profiles_devices_config (profile_device_id, key, value) VALUES (2, 'hwaddr', '00:16:3e:aa:bb:cc');",
    found: ['note', 'same-mac', [`${eth0('c1')} and ${eth0('c2')}: 00:16:3e:aa:bb:cc`]],
  },
  {
    what: 'a hardware address of a profile and one that LXD once gave',
    sql: `INSERT INTO profiles_devices_config (profile_device_id, key, value) VALUES (2, 'hwaddr', '00:16:3e:aa:bb:cc');
      ${nic(5, 2, { network: 'lxdbr0' })} ${config('instances_config', 2, { 'volatile.eth0.hwaddr': '00:16:3e:aa:bb:cc' })}`,
    found: ['note', 'same-mac', [`${eth0('c1')} and ${eth0('c2')}: 00:16:3e:aa:bb:cc`]],
  },
  {
    what: 'two devices of one instance with one hardware address',
    sql: `${config('instances_config', 1, { 'volatile.eth0.hwaddr': '00:16:3e:aa:bb:cc', 'volatile.eth1.hwaddr': '00:16:3e:aa:bb:cc' })} ${nic(5, 1, { network: 'lxdbr0' }, 'eth1')}`,
    found: [
      'note',
      'same-mac',
      ['instance default/c1, device eth0 and instance default/c1, device eth1: 00:16:3e:aa:bb:cc'],
    ],
  },
  {
    what: 'one address of a profile, and of an instance in another spelling',
    sql: `INSERT INTO profiles_devices_config (profile_device_id, key, value) VALUES (2, 'ipv6.address', 'fd00::9');
      ${nic(6, 2, { parent: 'lxdbr0', 'ipv6.address': 'FD00:0:0::0009' })} UPDATE instances_devices_config SET key = 'network' WHERE key = 'parent';`,
    found: ['note', 'same-address', [`${eth0('c1')} and ${eth0('c2')}: lxdbr0 fd00::9`]],
  },
  {
    what: 'two names that differ in capitals',
    sql: `${instance(3, 'C1')} INSERT INTO instances_profiles VALUES (3, 3, 1, 1); INSERT INTO storage_volumes VALUES (3, 'C1', 1, 1, 0, '', 1, 0);`,
    found: ['note', 'same-name-but-case', ['instance default/C1 and instance default/c1: default/c1']],
  },
  {
    what: 'an instance whose name ends in a hyphen',
    sql: "UPDATE instances SET name = 'c2-' WHERE id = 2; UPDATE storage_volumes SET name = 'c2-' WHERE id = 2;",
    found: ['note', 'name', ['instance default/c2-']],
  },
  {
    what: 'an instance whose name is a number',
    sql: "UPDATE instances SET name = '42' WHERE id = 2; UPDATE storage_volumes SET name = '42' WHERE id = 2;",
    found: ['note', 'name', ['instance default/42']],
  },
  {
    what: 'a snapshot whose name leads elsewhere',
    sql: "INSERT INTO instances_snapshots VALUES (1, 1, 'a/b', 0, 0, '', NULL);",
    found: ['blocker', 'name-unusable', ['instance snapshot default/c1/a/b']],
  },
  {
    what: 'rows of a project that uses those of project default',
    sql: "INSERT INTO profiles VALUES (9, 'unseen', '', 2); INSERT INTO storage_volumes VALUES (9, 'unseen', 1, 1, 2, '', 2, 0);",
    found: ['note', 'hidden', ['profile dev/unseen', 'volume dev/unseen']],
  },
  {
    what: 'a table, a view and a column of somebody else',
    sql: 'CREATE TABLE "my backup" (x TEXT); CREATE VIEW v1 AS SELECT name FROM instances; ALTER TABLE instances ADD COLUMN owner TEXT;',
    found: ['note', 'foreign-schema', ['table my backup', 'view v1', 'column instances.owner']],
  },
  {
    what: 'a table that Incus makes itself',
    sql: 'CREATE TABLE networks_integrations (x TEXT);',
    found: ['blocker', 'table-in-the-way', ['table networks_integrations']],
  },
  {
    what: 'a table that Incus makes itself, in capitals',
    sql: 'CREATE TABLE Instances_Config_New (x TEXT);',
    found: ['blocker', 'table-in-the-way', ['table Instances_Config_New']],
  },
  {
    what: 'an index that Incus makes itself',
    sql: 'CREATE INDEX storage_buckets_unique_storage_pool_id_node_id_name ON storage_pools (name);',
    found: [
      'blocker',
      'table-in-the-way',
      ['index storage_buckets_unique_storage_pool_id_node_id_name of storage_pools'],
    ],
  },
  {
    what: 'a column in a table that Incus copies whole',
    sql: 'ALTER TABLE instances_config ADD COLUMN who TEXT;',
    found: ['blocker', 'column-in-the-way', ['column instances_config.who']],
  },
  {
    what: 'an index of somebody else',
    sql: 'CREATE UNIQUE INDEX one_name ON instances (name); CREATE TABLE mine (x TEXT); CREATE INDEX mine_x ON mine (x);',
    found: ['note', 'foreign-schema', ['table mine', 'index one_name of instances']],
  },
  {
    what: 'a hole in the record of schema updates',
    sql: 'INSERT INTO schema (version, updated_at) VALUES (57, 0), (58, 0);',
    found: ['blocker', 'schema-hole', ['between schema 58 and 60']],
  },
  {
    what: 'a number that stands for nothing',
    sql: 'UPDATE instances SET type = 7 WHERE id = 2;',
    found: ['blocker', 'unreadable', ['instance c2: type 7']],
    beside: ['instance-without-volume', 'volume-without-instance'],
  },
  {
    what: 'a date that is none',
    sql: "UPDATE instances SET creation_date = 'soon' WHERE id = 2;",
    found: ['blocker', 'unreadable', ['instances row 2: creation_date soon']],
  },
  {
    what: 'a list that is none',
    sql: "INSERT INTO networks_acls VALUES (1, 1, 'a', '', '{', 'x');",
    found: ['blocker', 'unreadable', ['networks_acls row 1: ingress', 'networks_acls row 1: egress']],
  },
  {
    what: 'a value with a NUL',
    sql: "INSERT INTO instances_config (instance_id, key, value) VALUES (1, 'user.odd', 'a' || char(0) || 'b'), (2, 'user.even', 'ab');",
    found: ['note', 'nul-in-value', ['instance default/c1: user.odd']],
  },
  {
    what: 'an architecture that is none',
    sql: 'UPDATE instances SET architecture = 99 WHERE id = 2;',
    found: ['note', 'meaningless', ['instance c2: architecture 99']],
  },
] as const)('$what', ({ sql, found, ...rest }) => {
  test('is named', () => {
    const beside: readonly string[] = 'beside' in rest ? rest.beside : [];

    const findings = named(broken(sql)).filter(([, detail]) => !beside.includes(detail));

    expect(findings).toEqual([found]);
  });
});

test.each([
  [
    'schema updates from 30 to 32, which both daemons mend',
    'DELETE FROM schema; WITH RECURSIVE n(i) AS (SELECT 20 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO schema (version, updated_at) SELECT i, 0 FROM n WHERE i <> 31;',
  ],
  [
    'the same address on two networks',
    `INSERT INTO networks VALUES (2, 1, 'net2', '', 1, 0); INSERT INTO networks_nodes VALUES (2, 2, 1, 1); ${nic(5, 1, { network: 'lxdbr0', 'ipv4.address': '10.0.0.9' })} ${nic(6, 2, { network: 'net2', 'ipv4.address': '10.0.0.9' })}`,
  ],
  [
    'a hardware address of a profile that an instance does not take',
    `INSERT INTO profiles_devices_config (profile_device_id, key, value) VALUES (2, 'hwaddr', '00:16:3e:aa:bb:cc'); ${nic(5, 2, { network: 'lxdbr0', hwaddr: '00:16:3e:aa:bb:dd' })}`,
  ],
  [
    'a hardware address of an earlier profile, whose device a later one replaces',
    `INSERT INTO profiles_devices_config (profile_device_id, key, value) VALUES (2, 'hwaddr', '00:16:3e:aa:bb:cc');
     INSERT INTO profiles VALUES (9, 'web', '', 1); INSERT INTO profiles_devices VALUES (9, 9, 'eth0', 1); ${config('profiles_devices_config', 9, { network: 'lxdbr0' })} INSERT INTO instances_profiles VALUES (9, 2, 9, 2);`,
  ],
  [
    'the same address on two networks of one name',
    `INSERT INTO projects_config VALUES (9, 2, 'features.networks', 'true'); INSERT INTO networks VALUES (2, 2, 'lxdbr0', '', 1, 3); INSERT INTO networks_nodes VALUES (2, 2, 1, 1);
     ${instance(3, 'd1', { project: 2 })} INSERT INTO instances_profiles VALUES (3, 3, 1, 1); INSERT INTO storage_volumes VALUES (3, 'd1', 1, 1, 0, '', 2, 0);
     ${nic(5, 1, { network: 'lxdbr0', 'ipv4.address': '10.0.0.9' })} ${nic(6, 3, { network: 'lxdbr0', 'ipv4.address': '10.0.0.9' })}`,
  ],
  [
    'a network of project default that another project uses',
    `${instance(3, 'd1', { project: 2 })} INSERT INTO instances_profiles VALUES (3, 3, 1, 1); INSERT INTO storage_volumes VALUES (3, 'd1', 1, 1, 0, '', 2, 0); ${nic(7, 3, { network: 'lxdbr0' })}`,
  ],
  [
    'a row of an old snapshot, which is left out',
    "INSERT INTO storage_volumes VALUES (3, 'c1/s0', 1, 1, 0, '', 1, 0);",
  ],
  [
    'a disk of the host',
    `INSERT INTO instances_devices VALUES (5, 1, 'data', 2); ${config('instances_devices_config', 5, { source: '/srv/data', path: '/data' })}`,
  ],
])('%s is nothing of the kind', (_what, sql) => {
  expect(named(broken(sql))).toEqual([]);
});

test("a column in a table that was copied already is in nobody's way", () => {
  const found = named(broken(`${atSchema(69)} ALTER TABLE instances_config ADD COLUMN who TEXT;`));

  expect(found).toContainEqual(['note', 'foreign-schema', ['column instances_config.who']]);
  expect(found.map(([, detail]) => detail)).not.toContain('column-in-the-way');
});

describe('local.db', () => {
  const inLocal = (sql: string): [string, string, readonly string[]][] =>
    named(
      broken('', (one) => {
        one.sourceLocalSql = sql;
      }),
    );
  const patches = (...names: string[]): string =>
    names.map((name) => `INSERT INTO patches (name, applied_at) VALUES ('${name}', 0);`).join(' ');
  const first = migrationRules().patches_in_order.slice(0, 14);

  test.each([
    [
      'a table and a column of somebody else',
      'CREATE TABLE backup_of_config (x TEXT); ALTER TABLE patches ADD COLUMN who TEXT;',
      ['note', 'local-foreign-schema', ['table backup_of_config', 'column patches.who']],
    ],
    [
      'a table that Incus makes itself',
      'CREATE TABLE Config_new (x TEXT);',
      ['blocker', 'local-schema', ['table Config_new']],
    ],
    [
      'a column in the table that Incus copies whole',
      'ALTER TABLE config ADD COLUMN who TEXT;',
      ['blocker', 'local-schema', ['column config.who']],
    ],
    [
      'a table that is missing',
      'DROP TABLE certificates;',
      ['blocker', 'local-schema', ['local.db: table certificates is missing']],
    ],
    [
      'a number that Incus does not know',
      'INSERT INTO schema (version, updated_at) VALUES (43, 0), (44, 0);',
      ['blocker', 'local-schema', ['local.db: schema 44, and Incus takes 42 to 43']],
    ],
    [
      'no number at all',
      'DELETE FROM schema;',
      ['blocker', 'local-schema', ['local.db: schema unknown, and Incus takes 42 to 43']],
    ],
    [
      'a hole in the record of its updates',
      'INSERT INTO schema (version, updated_at) VALUES (40, 0);',
      ['blocker', 'local-schema', ['local.db: updates are missing between schema 40 and 42']],
    ],
    [
      'updates of LXD that it does not record',
      patches(...first.filter((name) => !['db_nodes_autoinc', 'thinpool_typo_fix'].includes(name))),
      ['note', 'patches-missing', ['patch thinpool_typo_fix', 'patch db_nodes_autoinc']],
    ],
  ] as const)('%s is named', (_what, sql, found) => {
    expect(inLocal(sql)).toEqual([found]);
  });

  test.each([
    ['one of LXD 5.0.2', patches(...first)],
    [
      'one whose table of settings was copied already',
      'INSERT INTO schema (version, updated_at) VALUES (43, 0); ALTER TABLE config ADD COLUMN who TEXT;',
    ],
  ])('%s has no blocker', (_what, sql) => {
    expect(inLocal(sql).filter(([severity]) => severity === 'blocker')).toEqual([]);
  });

  test.each(databaseFixtures.filter((name) => /^lxd-5\.0\.2-(?!to)/.test(name)))(
    'that of %s has nothing of the kind',
    (fixture) => {
      const folder = fs.mkdtempSync(join(tmpdir(), 'local-'));
      onTestFinished(() => fs.rmSync(folder, { recursive: true }));
      const { database } = unpackDatabaseFixture(fixture, folder);
      const local = new Database(fs.readFileSync(join(database, 'local.db')));
      onTestFinished(() => void local.close());

      expect(checkLocalSchema(local)).toEqual([]);
    },
  );
});

test('names that only Incus 7.0.1 and later refuse are named for such a target', () => {
  const sql = "INSERT INTO profiles VALUES (9, 'with blank', '', 1), (10, 'p_', '', 1);";

  expect(named(broken(sql))).toEqual([]);
  expect(
    named(
      broken(sql, (one) => {
        one.context = { targetVersion: '7.0.1' };
      }),
    ),
  ).toEqual([['note', 'name', ['profile default/p_', 'profile default/with blank']]]);
});

test('tens of thousands of rows take no more than a moment', () => {
  const one = situation();
  one.sourceSql = `${server}
    WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 2010)
      INSERT INTO instances (id, node_id, name, architecture, type, project_id, creation_date, description) SELECT i, 1, 'm' || i, 2, 0, 1, 0, '' FROM n;
    INSERT INTO instances_profiles (instance_id, profile_id) SELECT id, 1 FROM instances WHERE id >= 10;
    INSERT INTO instances_config (instance_id, key, value) SELECT id, 'volatile.uuid', 'u' || id FROM instances WHERE id >= 10;
    INSERT INTO storage_volumes (id, name, storage_pool_id, node_id, type, description, project_id) SELECT id, name, 1, 1, 0, '', 1 FROM instances WHERE id >= 10;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
      INSERT INTO instances_snapshots (id, instance_id, name, creation_date, description) SELECT i, 1, 's' || i, 0, '' FROM n;
    INSERT INTO storage_volumes_snapshots SELECT 100000 + id, 1, name, '', NULL FROM instances_snapshots;`;
  const processor = process.cpuUsage();

  const found = findingsOf(one).filter(({ id }) => id.startsWith('broken-before:'));

  expect(found).toEqual([]);
  // Processor time, not the clock: a busy machine makes it no longer. A query in rows times rows takes minutes.
  expect(process.cpuUsage(processor).user / 1e6).toBeLessThan(20);
});

describe('files', () => {
  const folders = [
    'containers/c1',
    'containers/c2',
    'virtual-machines',
    'images',
    'storage-pools/p/containers/c1/rootfs',
    'storage-pools/p/containers/c2/rootfs',
    'storage-pools/p/images',
    'storage-pools/p/custom',
    'storage-pools/p/virtual-machines',
  ];
  const withFiles =
    (change: (at: (path: string) => string) => void) =>
    (one: Situation): void => {
      const at = (path: string): string => one.host.path(join('/var/lib/lxd', path));
      for (const folder of folders) fs.mkdirSync(at(folder), { recursive: true });
      change(at);
    };
  const remove =
    (path: string) =>
    (at: (path: string) => string): void =>
      fs.rmSync(at(path), { recursive: true });
  const make =
    (path: string) =>
    (at: (path: string) => string): void =>
      void fs.mkdirSync(at(path), { recursive: true });

  test('that are all there are no finding', () => {
    expect(
      broken(
        '',
        withFiles(() => {}),
      ),
    ).toEqual([]);
  });

  test.each([
    [
      'an instance without its folder',
      '',
      remove('storage-pools/p/containers/c2'),
      'files-missing',
      'container volume p/default/c2: storage-pools/p/containers/c2',
    ],
    [
      'an instance without its root',
      '',
      remove('storage-pools/p/containers/c2/rootfs'),
      'files-missing',
      'container volume p/default/c2: storage-pools/p/containers/c2/rootfs',
    ],
    [
      'an instance without its link',
      '',
      remove('containers/c2'),
      'files-missing',
      'instance default/c2: containers/c2',
    ],
    [
      'a volume without its folder',
      "INSERT INTO storage_volumes VALUES (3, 'data', 1, 1, 2, '', 1, 0);",
      make('storage-pools/p/custom/default_other'),
      'files-missing',
      'volume p/default/data: storage-pools/p/custom/default_data',
    ],
    [
      'an image without its file',
      "INSERT INTO images (id, fingerprint, filename, size, architecture, upload_date, project_id) VALUES (1, 'd0c0', '', 1, 2, 0, 1); INSERT INTO images_nodes VALUES (1, 1, 1);",
      () => {},
      'files-missing',
      'image default/d0c0: images/d0c0',
    ],
    [
      'a snapshot without its folder',
      "INSERT INTO instances_snapshots VALUES (1, 1, 's0', 0, 0, '', NULL); INSERT INTO storage_volumes_snapshots VALUES (9, 1, 's0', '', NULL);",
      make('storage-pools/p/containers-snapshots/c1'),
      'files-missing',
      'container volume p/default/c1/s0: storage-pools/p/containers-snapshots/c1/s0',
    ],
    [
      'a backup without its file',
      "INSERT INTO instances_backups VALUES (1, 1, 'c1/b0', 0, 0, 0, 0);",
      make('backups/instances/c1'),
      'files-missing',
      'instance backup default/c1/b0: backups/instances/c1/b0',
    ],
    [
      'a folder without a volume',
      '',
      make('storage-pools/p/containers/ghost'),
      'files-without-row',
      'files of a volume: storage-pools/p/containers/ghost',
    ],
    [
      'a link without an instance',
      '',
      make('containers/ghost'),
      'files-without-row',
      'link of an instance: containers/ghost',
    ],
    ['a file without an image', '', make('images/feed'), 'files-without-row', 'image file: images/feed'],
    [
      'a snapshot without a row',
      "INSERT INTO instances_snapshots VALUES (1, 1, 's0', 0, 0, '', NULL); INSERT INTO storage_volumes_snapshots VALUES (9, 1, 's0', '', NULL);",
      (at: (path: string) => string) => {
        make('storage-pools/p/containers-snapshots/c1/s0')(at);
        make('storage-pools/p/containers-snapshots/c1/s1')(at);
      },
      'files-without-row',
      'files of a snapshot: storage-pools/p/containers-snapshots/c1/s1',
    ],
  ] as const)('%s is named', (_what, sql, change, detail, object) => {
    const found = named(broken(sql, withFiles(change))).find(([, id]) => id === detail);

    expect(found).toEqual(['note', detail, [object]]);
  });

  test('the other half of an image belongs to it', () => {
    const image =
      "INSERT INTO images (id, fingerprint, filename, size, architecture, upload_date, project_id) VALUES (1, 'd0c0', '', 1, 2, 0, 1); INSERT INTO images_nodes VALUES (1, 1, 1);";

    const found = broken(
      image,
      withFiles((at) => {
        make('images/d0c0')(at);
        make('images/d0c0.rootfs')(at);
      }),
    );

    expect(found).toEqual([]);
  });

  test('of a pool that is not mounted, or of a copy of the database alone, nothing is said', () => {
    const unmounted = broken(
      '',
      withFiles((at) => {
        remove('storage-pools/p')(at);
        make('storage-pools/p')(at);
      }),
    );
    const copied = broken('', (one) => {
      withFiles(remove('containers/c2'))(one);
      one.context = { sourceIsWhole: false };
    });

    expect([unmounted, copied]).toEqual([[], []]);
  });

  test('a name that leads out of the pool is not followed', () => {
    const one = situation();
    one.sourceSql = `${server} INSERT INTO storage_volumes VALUES (3, '..', 1, 1, 0, '', 1, 0); INSERT INTO storage_volumes_snapshots VALUES (9, 3, 'x', '', NULL);`;
    withFiles(() => {})(one);

    expect(finding(one, 'broken-before:files-missing')?.objects).toEqual([
      'container volume p/default/..: storage-pools/p/containers/..',
    ]);
  });
});
