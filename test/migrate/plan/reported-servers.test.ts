// Servers as people have reported them: what each of their oddities is for a plan, and what becomes of it in the copy.
import { describe, expect, test } from 'vitest';
import type { PlanMaterial } from '../../../src/migrate/plan/plan-material.ts';
import { ask, localDatabase, populatedDatabase } from '../lxd-database.ts';
import { machineWith, planOf, writeDatabase } from './planned.ts';

interface Reported {
  /** Changes of the populated server. */
  readonly sql: string;
  readonly local?: string;
}

async function planned({ sql, local = '' }: Reported, version = '6.0.4'): Promise<PlanMaterial> {
  const image = populatedDatabase(sql);
  const host = machineWith(image, { version });
  writeDatabase(host, '/var/lib/lxd', image, localDatabase(local));
  return planOf(host);
}

const usual = new Map<string, PlanMaterial>();

/** The plan of the server without an oddity. */
async function usualPlan(version = '6.0.4'): Promise<PlanMaterial> {
  const known = usual.get(version) ?? (await planned({ sql: '' }, version));
  usual.set(version, known);
  return known;
}

/** What the plan finds and does not find on the server without the oddity, as `SEVERITY ID`. */
async function found({ plan }: PlanMaterial): Promise<string[]> {
  const { plan: without } = await usualPlan(plan.target?.version);
  const known = new Set(without.findings.map(({ id }) => id));
  return plan.findings
    .filter(({ id }) => !known.has(id))
    .map(({ severity, id }) => `${severity} ${id}`)
    .sort();
}

function objectsOf({ plan }: PlanMaterial, id: string): readonly string[] {
  return plan.findings.find((finding) => finding.id === id)?.objects ?? [];
}

/** What a table of settings holds of one owner, by key. */
function settings(image: Buffer, table: string, owner: string): Record<string, unknown> {
  const rows = ask(image, `SELECT key, value FROM "${table}" WHERE ${owner} ORDER BY key`);
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

describe('proxy devices named by a deployment tool, with a colon or a digit first', () => {
  const sql = `
    INSERT INTO instances_devices VALUES (71, 1, 'web-proxy-8080:80', 8), (72, 1, '443-in', 8);
    INSERT INTO instances_devices_config (instance_device_id, key, value) VALUES
      (71, 'listen', 'tcp:127.0.0.1:8080'), (71, 'connect', 'tcp:127.0.0.1:80'),
      (72, 'listen', 'tcp:127.0.0.1:8443'), (72, 'connect', 'tcp:127.0.0.1:443');`;

  test.each(['6.0.4', '7.0.2'])('are no finding for Incus %s, and go over as they are', async (version) => {
    const material = await planned({ sql }, version);

    expect(await found(material)).toEqual([]);
    expect(ask(material.convertedImage, 'SELECT name FROM instances_devices WHERE id > 70')).toEqual([
      { name: 'web-proxy-8080:80' },
      { name: '443-in' },
    ]);
    expect(settings(material.convertedImage, 'instances_devices_config', 'instance_device_id = 71')).toEqual({
      listen: 'tcp:127.0.0.1:8080',
      connect: 'tcp:127.0.0.1:80',
    });
  });
});

test('values that are NULL become empty, and odd words for yes stay as they are', async () => {
  const sql = `
    INSERT INTO instances_config (instance_id, key, value) VALUES
      (2, 'security.nesting', '1'), (2, 'security.privileged', 'yes'), (3, 'boot.autostart', 'on'),
      (3, 'limits.memory', ''), (3, 'limits.cpu.allowance', NULL);`;

  const material = await planned({ sql });

  expect(await found(material)).toEqual([]);
  expect(
    ask(material.convertedImage, 'SELECT count(*) AS n FROM instances_config WHERE value IS NULL'),
  ).toEqual([{ n: 0 }]);
  expect(settings(material.convertedImage, 'instances_config', 'instance_id = 2')).toMatchObject({
    'security.nesting': '1',
    'security.privileged': 'yes',
  });
  expect(settings(material.convertedImage, 'instances_config', 'instance_id = 3')).toMatchObject({
    'limits.memory': '',
    'limits.cpu.allowance': '',
  });
});

test('keys of LXD 2 that Incus lacks are losses to be accepted, each by name; those that it still reads stay', async () => {
  const sql = `
    INSERT INTO instances_config (instance_id, key, value) VALUES
      (1, 'security.syscalls.blacklist_default', 'true'), (2, 'security.syscalls.blacklist', 'keyctl errno 38'),
      (2, 'limits.network.priority', '5'), (3, 'boot.debug_edk2', 'true'), (3, 'user.network_mode', 'dhcp');
    INSERT INTO config (key, value) VALUES
      ('core.trust_password', 'x'), ('storage.zfs_pool_name', 'tank'), ('core.macaroon.endpoint', 'https://m'), ('maas.machine', 'm1');`;

  const material = await planned({ sql });

  expect(await found(material)).toEqual(['loss key-lost:maas.machine', 'loss key-unknown']);
  expect(objectsOf(material, 'key-unknown')).toEqual([
    'server: core.macaroon.endpoint',
    'instance dev/c3: boot.debug_edk2',
  ]);
  for (const { answers } of material.plan.findings.filter(({ severity }) => severity === 'loss'))
    expect(answers).toEqual(['accept']);
  const image = material.convertedImage;
  expect(settings(image, 'instances_config', 'instance_id IN (1, 2, 3)')).toMatchObject({
    'user.network_mode': 'dhcp',
    'security.syscalls.blacklist': 'keyctl errno 38',
    'security.syscalls.blacklist_default': 'true',
  });
  expect(ask(image, "SELECT key FROM instances_config WHERE key LIKE 'boot.debug%'")).toEqual([]);
  expect(settings(image, 'config', "key LIKE 'maas.%' OR key LIKE 'core.macaroon%'")).toEqual({});
});

test('pools of drivers that this version does not move are blockers, each with its reason', async () => {
  const sql = `
    INSERT INTO storage_pools VALUES (11, 'tank', 'zfs', '', 1), (12, 'vg', 'lvm', '', 1), (13, 'rbd', 'ceph', '', 1), (14, 'cfs', 'cephfs', '', 1);
    INSERT INTO storage_pools_nodes VALUES (11, 11, 1, 1), (12, 12, 1, 1), (13, 13, 1, 1), (14, 14, 1, 1);`;

  const material = await planned({ sql });

  const drivers = material.plan.findings.filter(({ id }) => id.startsWith('storage-driver:'));
  expect(drivers.map(({ severity, id, objects }) => [severity, id, objects])).toEqual([
    ['blocker', 'storage-driver:ceph', ['storage pool rbd']],
    ['blocker', 'storage-driver:cephfs', ['storage pool cfs']],
    ['blocker', 'storage-driver:lvm', ['storage pool vg']],
    ['blocker', 'storage-driver:zfs', ['storage pool tank']],
  ]);
  expect(new Set(drivers.map(({ what }) => what)).size).toBe(4);
});

test('volumes for images and backups of the server keep their settings', async () => {
  const rows = { 'storage.backups_volume': 'bt/backups', 'storage.images_volume': 'bt/images' };
  const local = Object.entries(rows)
    .map(([key, value]) => `INSERT INTO config (key, value) VALUES ('${key}', '${value}');`)
    .join(' ');
  const material = await planned({ sql: '', local });

  expect(await found(material)).toEqual([]);
  expect(settings(material.convertedLocal ?? Buffer.of(), 'config', "key LIKE 'storage.%'")).toEqual(rows);
});

test('a record with a row for every schema update is like one with the last alone', async () => {
  const sql =
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 59) INSERT INTO schema (version, updated_at) SELECT i, 1500000000 + i FROM n;';

  const material = await planned({ sql });

  expect(await found(material)).toEqual([]);
  expect(material.plan.changes).toEqual((await usualPlan()).plan.changes);
});

test('a schema that is too old is refused by its number', async () => {
  const material = await planned({ sql: 'UPDATE schema SET version = 30;' });

  expect(await found(material)).toContain('blocker schema-unknown');
  expect(objectsOf(material, 'schema-unknown')).toEqual(['schema 30']);
  expect(material.plan.steps).toEqual([]);
});

test('tables that somebody made for another tool are named, and not the number', async () => {
  const sql =
    'CREATE TABLE identities (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE identities_projects (id INTEGER);';

  const material = await planned({ sql });

  const finding = material.plan.findings.find(({ id }) => id === 'schema-unknown');
  expect(finding?.objects).toEqual(['table identities', 'table identities_projects']);
  expect(finding?.what).not.toContain('60 to 69');
  expect(finding?.action).toContain('DROP TABLE identities; DROP TABLE identities_projects');
});

test('one server that was made a cluster is refused as one', async () => {
  const material = await planned({
    sql: "UPDATE nodes SET name = 'alpha', address = '10.4.4.4:8443';",
    local:
      "INSERT INTO raft_nodes (address, role, name) VALUES ('10.4.4.4:8443', 0, 'alpha'); INSERT INTO config (key, value) VALUES ('cluster.https_address', '10.4.4.4:8443');",
  });

  expect(await found(material)).toContain('blocker cluster-member:source');
  expect(objectsOf(material, 'cluster-member:source')).toEqual(
    expect.arrayContaining(['1 row(s) in raft_nodes', 'cluster.https_address is set']),
  );
});

test('8 MB of user data and 30,000 keys of one container are moved as they are', async () => {
  const sql = `
    INSERT INTO instances_config (instance_id, key, value) VALUES (1, 'user.user-data', hex(randomblob(4000000))), (1, 'user.vendor-data', NULL);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
      INSERT INTO instances_config (instance_id, key, value) SELECT 2, 'user.tag.' || i, 'v' || i FROM n;`;

  const material = await planned({ sql });

  expect(await found(material)).toEqual([]);
  const sizes =
    "SELECT count(*) AS keys, sum(length(value)) AS size FROM instances_config WHERE key LIKE 'user.%'";
  const [{ keys, size } = {}] = ask(material.convertedImage, sizes);
  // What the user's own data holds is random, and its size is not.
  expect(ask(populatedDatabase(sql), sizes)).toEqual([{ keys, size }]);
  expect(Number(size)).toBeGreaterThan(8_000_000);
});

test('control characters in values stay, and a NUL is named, since both daemons cut there', async () => {
  const sql = `
    INSERT INTO instances_config (instance_id, key, value) VALUES (1, 'user.evil', char(27) || '[2J' || char(7) || 'red' || char(0) || 'x');
    UPDATE instances SET description = char(27) || ']0;title' || char(7) || 'bell' WHERE id = 1;
    INSERT INTO profiles VALUES (9, 'prof' || char(10) || 'newline', char(8) || 'back', 1);`;

  const material = await planned({ sql });

  expect(await found(material)).toEqual(['note broken-before:nul-in-value']);
  expect(
    ask(material.convertedImage, "SELECT hex(value) AS bytes FROM instances_config WHERE key = 'user.evil'"),
  ).toEqual([{ bytes: '1B5B324A077265640078' }]);
  expect(ask(material.convertedImage, 'SELECT name FROM profiles WHERE id = 9')).toEqual([
    { name: 'prof\nnewline' },
  ]);
});
