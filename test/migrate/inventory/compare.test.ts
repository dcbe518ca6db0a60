// Which differences between two inventories are found, and which are accepted.
import { expect, test } from 'vitest';
import { convert } from '../../../src/migrate/convert/index.ts';
import { inventoryFromApi } from '../../../src/migrate/inventory/api/from-api.ts';
import { compareInventories, describeDifference } from '../../../src/migrate/inventory/compare.ts';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import type { Inventory } from '../../../src/migrate/model/inventory.ts';
import { type AcceptedDifference, migrationRules } from '../../../src/migrate/rules/migration-rules.ts';
import { recordedDaemon } from '../../fakes/recorded-daemon.ts';
import { smallServer } from './small-server.ts';

const server = readInventory(smallServer());
const rules = migrationRules().accepted_differences;

/** Differences, each as the line that a person reads, after `sql` has changed the small server. */
function after(sql: string, accepted: readonly AcceptedDifference[] = []): string[] {
  return compareInventories(server, readInventory(smallServer(sql)), accepted).map(describeDifference);
}

test('an inventory does not differ from itself', () => {
  expect(compareInventories(server, server, [])).toEqual([]);
});

test.each([
  ["DELETE FROM instances WHERE name = 'c2'", 'instance default/c2 is missing'],
  ["UPDATE instances SET name = 'c9' WHERE name = 'c2'", 'instance default/c9 was not expected'],
  ["DELETE FROM instances_snapshots WHERE name = 'snap0'", 'instance snapshot default/c1/snap0 is missing'],
  ['DELETE FROM instances_backups', 'instance backup default/c1/backup0 is missing'],
  [
    "UPDATE instances SET description = 'x' WHERE name = 'c2'",
    'instance default/c2: description is "x" (expected "")',
  ],
  [
    'UPDATE instances_profiles SET apply_order = 3 - apply_order',
    'instance default/c1: profiles is "[\\"web\\",\\"default\\"]" (expected "[\\"default\\",\\"web\\"]")',
  ],
  [
    "DELETE FROM instances_config WHERE key = 'volatile.uuid'",
    'instance default/c1: config.volatile.uuid is missing (expected "befe0134")',
  ],
  [
    "UPDATE instances_devices_config SET value = '/etc' WHERE key = 'source'",
    'instance default/c1: devices.home.source is "/etc" (expected "/var/lib/lxd/containers")',
  ],
  [
    'UPDATE storage_pools_nodes SET state = 2',
    'storage pool default: state is "Errored" (expected "Created")',
  ],
  [
    "DELETE FROM storage_volumes_snapshots WHERE name = 's0'",
    'volume snapshot default/default/data/s0 is missing',
  ],
  ["DELETE FROM storage_volumes WHERE name = 'c1'", 'container volume default/default/c1 is missing'],
  ["UPDATE networks_acls SET ingress = '[]'", /^network ACL default\/web-acl: ingress\.1 is missing/],
  ['DELETE FROM images_aliases', 'image default/d0c0aad8: aliases.tiny is missing (expected "")'],
  ['DELETE FROM certificates_projects', 'certificate 3beed192: projects is "[]" (expected "[\\"dev\\"]")'],
  ['DELETE FROM networks_zones_records', 'network zone record default/lxd.example.net/www is missing'],
  ['DELETE FROM projects_config WHERE project_id = 2', /^project dev: config\.features\.profiles is missing/],
  ['DELETE FROM profiles_devices', /^profile default\/default: devices\.root\.path is missing/],
])('%s is found', (sql, line) => {
  expect(after(sql)).toContainEqual(typeof line === 'string' ? line : expect.stringMatching(line));
});

/** Every text of an inventory that is no name by which an object is found, with a way to change it. */
function leaves(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value === 'string') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]));
}

function changedAt(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return `${String(value)}~`;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === key ? changedAt(item, rest) : item));
  const record = value as Readonly<Record<string, unknown>>;
  return { ...record, [key]: changedAt(record[key], rest) };
}

/** One path of every kind: numbers of list items do not make another kind. */
function kindsOfLeaf(inventory: Inventory): (readonly string[])[] {
  const kinds = new Map(
    leaves(inventory).map((path) => [path.join('/').replace(/(^|\/)\d+(?=\/|$)/g, '$1n'), path]),
  );
  return [...kinds.values()];
}

const everything = smallServer(`
  INSERT INTO nodes VALUES (2, 'm2', 'second', '10.0.0.2:8443', 60, 318, 2, NULL);
  INSERT INTO storage_pools_config VALUES (3, 1, 2, 'source', '/elsewhere');
  CREATE TABLE storage_buckets (id INTEGER, name TEXT, storage_pool_id INTEGER, node_id INTEGER, description TEXT, project_id INTEGER);
  CREATE TABLE storage_buckets_keys (id INTEGER, storage_bucket_id INTEGER, name TEXT, description TEXT, access_key TEXT, secret_key TEXT, role TEXT);
  INSERT INTO storage_buckets VALUES (1, 'b1', 1, 1, 'bucket', 1);
  INSERT INTO storage_buckets_keys VALUES (1, 1, 'admin', '', 'access', 'secret', 'admin');
  CREATE TABLE networks_load_balancers (id INTEGER, network_id INTEGER, node_id INTEGER, listen_address TEXT, description TEXT, backends TEXT, ports TEXT);
  INSERT INTO networks_load_balancers VALUES (1, 2, NULL, '10.0.0.9', '', '[{"name":"b"}]', '[{"listen_port":"80"}]');
  CREATE TABLE cluster_groups (id INTEGER, name TEXT, description TEXT);
  CREATE TABLE nodes_cluster_groups (node_id INTEGER, group_id INTEGER);
  INSERT INTO cluster_groups VALUES (1, 'default', '');
  INSERT INTO nodes_cluster_groups VALUES (1, 1);
`);

test.each([
  ['a recorded server', recordedDaemon('lxd-5.0.2').image],
  ['a server with a bit of everything', everything],
])('%s: whatever text changes, the change is found', (_, image) => {
  const whole = readInventory(image);
  // Where the inventory comes from is no part of the server.
  const kinds = kindsOfLeaf(whole).filter(([part]) => part !== 'origin');

  const unseen = kinds.filter(
    (path) => compareInventories(whole, changedAt(whole, path) as Inventory, []).length === 0,
  );

  expect(kinds.length).toBeGreaterThan(100);
  expect(unseen).toEqual([]);
});

test('what one of the two does not know is not compared', () => {
  const withoutBackups: Inventory = {
    ...server,
    members: undefined,
    clusterGroups: undefined,
    instances: server.instances.map((instance) => ({ ...instance, expires: undefined, backups: undefined })),
  };

  expect(compareInventories(server, withoutBackups, [])).toEqual([]);
  expect(compareInventories(withoutBackups, server, [])).toEqual([]);
});

test('confidential values never enter a difference', () => {
  const differences = compareInventories(
    server,
    readInventory(
      smallServer("UPDATE instances_config SET value = 'other secret' WHERE key = 'user.user-data'"),
    ),
    [],
  );

  expect(differences).toHaveLength(1);
  expect(JSON.stringify(differences)).not.toMatch(/top secret|other secret/);
  expect(differences[0]?.field).toBe('config.user.user-data');
  expect(differences[0]?.expected).not.toBe(differences[0]?.actual);
});

test('a rule accepts what it names and nothing else', () => {
  const rule: AcceptedDifference = {
    objects: ['instance'],
    fields: ['config.volatile.*.host_name'],
    change: 'extra',
    because: 'test',
  };
  const add = (key: string): string => `INSERT INTO instances_config VALUES (9, 2, '${key}', 'veth1')`;

  expect(after(add('volatile.eth0.host_name'), [rule])).toEqual([]);
  expect(after(add('volatile.eth0.hwaddr'), [rule])).toHaveLength(1);
  expect(after("UPDATE instances SET description = 'x'", [rule])).toHaveLength(3);
  expect(after(add('xvolatile.eth0.host_name'), [rule])).toHaveLength(1);
});

test('a rule can be bound to values, to their truth and to a field beside', () => {
  const isolated = `INSERT INTO instances_config VALUES (10, 2, 'security.idmap.isolated', 'true')`;
  const base = `INSERT INTO instances_config VALUES (11, 2, 'security.idmap.base', '5000000')`;
  const unset = "UPDATE instances_config SET value = 'false' WHERE key = 'security.idmap.isolated'";
  const compare = (before: string, now: string): number =>
    compareInventories(readInventory(smallServer(before)), readInventory(smallServer(now)), rules).length;

  expect(compare(`${isolated};${base}`, `${isolated};${base};${unset}`)).toBe(0);
  expect(compare(isolated, `${isolated};${unset}`)).toBe(1);

  const flag = (value: string): string =>
    `INSERT INTO config VALUES (3, 'core.trust_ca_certificates', '${value}')`;
  expect(compare(flag('1'), flag('true'))).toBe(0);
  expect(compare(flag('1'), flag('false'))).toBe(1);
  expect(compare(flag('false'), '')).toBe(0);
  expect(compare(flag('true'), '')).toBe(1);
});

test('every rule says why and can accept something', () => {
  for (const rule of rules) {
    expect(rule.because.length).toBeGreaterThan(10);
    expect(rule.objects.length).toBeGreaterThan(0);
    expect((rule.fields ?? Object.keys(rule.values ?? {})).length).toBeGreaterThan(0);
  }
});

test('a real server after its move differs only in an id map that the host changed meanwhile', async () => {
  const lxd = recordedDaemon('lxd-5.0.2');
  const { image, local } = convert({
    image: lxd.image,
    local: lxd.localDatabase,
    sourceDirectory: '/var/lib/lxd',
    targetDirectory: '/var/lib/incus',
    targetVersion: '6.0.4',
    pinsFromHost: new Map(),
    power: {
      running: new Set(['default/c1', 'default/iso1', 'default/p1', 'default/raw1', 'dev/c4']),
      frozen: new Set(),
    },
    now: new Date('2026-11-24T04:07:00Z'),
  });
  const expected = readInventory(image, local === undefined ? {} : { localDatabase: local });

  const differences = compareInventories(
    expected,
    await inventoryFromApi(recordedDaemon('incus-6.0.4').client),
    rules,
  );

  expect(differences.map(({ object, field }) => [object, field])).toEqual(
    ['current', 'next', 'last_state'].map((key) => [
      'instance default/raw1',
      key === 'last_state' ? 'config.volatile.last_state.idmap' : `config.volatile.idmap.${key}`,
    ]),
  );
});
