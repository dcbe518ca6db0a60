// What an inventory holds for a given database.
import { expect, test } from 'vitest';
import { readInventory } from '../../../../src/migrate/inventory/database/read-inventory.ts';
import { image, smallServer } from '../small-server.ts';

test('an instance is read with its configuration, devices, profiles in order, snapshots and backups', () => {
  const { instances } = readInventory(smallServer());

  expect(instances[0]).toEqual({
    project: 'default',
    name: 'c1',
    type: 'container',
    architecture: 'x86_64',
    member: 'none',
    description: 'first',
    ephemeral: false,
    stateful: false,
    created: '2026-11-23T15:23:28.261613816Z',
    lastUsed: '2026-11-23T15:23:28.427671626Z',
    expires: '2027-01-01T00:00:00Z',
    config: { 'limits.cpu': '', 'user.user-data': 'top secret', 'volatile.uuid': 'befe0134' },
    devices: { home: { path: '/mnt/x', source: '/var/lib/lxd/containers', type: 'disk' } },
    profiles: ['default', 'web'],
    snapshots: [
      {
        name: 'snap0',
        description: 'before',
        created: '2026-11-23T15:23:28.889057094Z',
        expires: null,
        stateful: false,
        config: { 'volatile.uuid': 'befe0134' },
        devices: {},
      },
    ],
    backups: [
      {
        name: 'backup0',
        created: '2026-11-23T15:23:28Z',
        expires: null,
        withoutSnapshots: true,
        optimized: false,
      },
    ],
    status: undefined,
  });
});

test('objects stand by project, then name, whatever their rows say', () => {
  const { instances } = readInventory(smallServer());

  expect(instances.map(({ project, name }) => `${project}/${name}`)).toEqual([
    'default/c1',
    'default/c2',
    'dev/a3',
  ]);
});

test('numbers become the names that the API gives', () => {
  const { instances, networks, volumes, certificates } = readInventory(smallServer());

  expect(instances[2]).toMatchObject({
    type: 'virtual-machine',
    architecture: 'aarch64',
    ephemeral: true,
    stateful: true,
  });
  expect(networks.map(({ type }) => type)).toEqual(['bridge', 'ovn']);
  expect(volumes[0]?.contentType).toBe('block');
  expect(certificates[0]).toEqual({
    fingerprint: '3beed192',
    name: 'cli1',
    type: 'client',
    restricted: true,
    description: undefined,
    projects: ['dev'],
  });
});

test("a pool and a network have their member's rows and its state, where there is one member", () => {
  const { pools, networks } = readInventory(smallServer());

  expect(pools[0]).toMatchObject({
    config: { 'rsync.bwlimit': '1MB', source: '/var/lib/lxd/storage-pools/default' },
    memberConfig: undefined,
    state: 'Created',
  });
  expect(networks.map(({ state }) => state)).toEqual(['Created', 'Errored']);
});

test('in a cluster, rows of members stand beside the shared ones', () => {
  const inventory = readInventory(
    smallServer(`INSERT INTO nodes VALUES (2, 'm2', '', '10.0.0.2:8443', 60, 318, 2, NULL);
                 INSERT INTO storage_pools_config VALUES (3, 1, 2, 'source', '/elsewhere');`),
  );

  expect(inventory.pools[0]?.config).toEqual({ 'rsync.bwlimit': '1MB' });
  expect(inventory.pools[0]?.memberConfig).toEqual({
    none: { source: '/var/lib/lxd/storage-pools/default' },
    m2: { source: '/elsewhere' },
  });
  expect(inventory.members?.map(({ name, address }) => [name, address])).toEqual([
    ['m2', '10.0.0.2:8443'],
    ['none', '0.0.0.0'],
  ]);
});

test('volumes of people and of instances stand apart, both with their snapshots', () => {
  const { volumes, internalVolumes } = readInventory(smallServer());

  expect(volumes).toMatchObject([
    {
      pool: 'default',
      project: 'default',
      name: 'data',
      description: 'mine',
      config: { size: '10MiB' },
      snapshots: [{ name: 's0', description: 'kept', expires: '2027-01-01T00:00:00Z' }],
    },
  ]);
  expect(internalVolumes).toMatchObject([
    { type: 'container', name: 'c1', snapshots: [{ name: 'snap0', config: {} }] },
  ]);
});

test('rules, ports and entries are parsed from text and from blobs, without their empty fields', () => {
  const { acls, forwards, zones } = readInventory(smallServer());

  expect(acls[0]?.ingress).toEqual([
    { action: 'allow', destination_port: '80', protocol: 'tcp', state: 'enabled' },
  ]);
  expect(acls[0]?.egress).toEqual([]);
  expect(forwards[0]).toMatchObject({
    network: 'lxdbr0',
    listenAddress: '10.77.0.50',
    config: { target_address: '10.77.0.2' },
    ports: [{ listen_port: '80', protocol: 'tcp', target_address: '10.77.0.2' }],
  });
  expect(zones[0]?.records[0]?.entries).toEqual([{ ttl: '3600', type: 'A', value: '10.0.0.1' }]);
});

test('JSON that cannot be read is shown as it is and stops nothing', () => {
  const { acls } = readInventory(
    smallServer("UPDATE networks_acls SET ingress = '[{', egress = '{\"a\":1}'"),
  );

  expect(acls[0]?.ingress).toEqual([{ unreadable: '[{' }]);
  expect(acls[0]?.egress).toEqual([{ unreadable: '{"a":1}' }]);
});

test('a peer names its target whether the other side has agreed or not', () => {
  const { peers } = readInventory(smallServer());

  expect(peers.map(({ name, targetProject, targetNetwork }) => [name, targetProject, targetNetwork])).toEqual(
    [
      ['asked', 'dev', 'far'],
      ['linked', 'default', 'lxdbr0'],
    ],
  );
});

test('an image is read with its aliases, properties and source', () => {
  const { images } = readInventory(smallServer());

  expect(images[0]).toMatchObject({
    fingerprint: 'd0c0aad8',
    cached: true,
    public: false,
    autoUpdate: true,
    created: '2023-11-14T22:13:20Z',
    expires: null,
    lastUsed: null,
    properties: { os: 'busybox' },
    aliases: [{ name: 'tiny', description: '' }],
    source: { server: 'https://images.example.net', protocol: 'simplestreams', alias: 'tiny/1' },
  });
});

test("the member's own configuration is merged and told apart, where local.db is at hand", () => {
  const local = image(
    "CREATE TABLE config (id INTEGER PRIMARY KEY, key TEXT, value TEXT); INSERT INTO config VALUES (1, 'core.https_address', ':8443');",
  );

  const inventory = readInventory(smallServer(), { localDatabase: local });

  expect(inventory.server).toEqual({
    config: {
      'core.https_address': ':8443',
      'core.trust_password': 'hunter2',
      'images.auto_update_interval': '0',
    },
    memberKeys: ['core.https_address'],
  });
  expect(readInventory(smallServer()).server.memberKeys).toBeUndefined();
});

test('secrets of bucket keys never enter the inventory', () => {
  const inventory = readInventory(
    smallServer(`CREATE TABLE storage_buckets (id INTEGER, name TEXT, storage_pool_id INTEGER, node_id INTEGER, description TEXT, project_id INTEGER);
      CREATE TABLE storage_buckets_keys (id INTEGER, storage_bucket_id INTEGER, name TEXT, description TEXT, access_key TEXT, secret_key TEXT, role TEXT);
      INSERT INTO storage_buckets VALUES (1, 'b1', 1, 1, '', 1);
      INSERT INTO storage_buckets_keys VALUES (1, 1, 'admin', '', 'AKIAexample', 'wJalrexample', 'admin');`),
  );

  expect(inventory.buckets[0]?.keys[0]).toMatchObject({ name: 'admin', role: 'admin' });
  expect(JSON.stringify(inventory)).not.toMatch(/AKIAexample|wJalrexample/);
});

test('a table or column that this schema does not have is empty or unknown, not an error', () => {
  const bare = image(
    'CREATE TABLE instances (id INTEGER, name TEXT); INSERT INTO instances VALUES (1, NULL);',
  );

  const inventory = readInventory(bare);

  expect(inventory.schema).toBeUndefined();
  expect(inventory.instances).toMatchObject([{ project: 'default', name: '', config: {}, created: null }]);
  expect(inventory.zones).toEqual([]);
});

test('rows of tables that the inventory does not know are counted, not left out', () => {
  const { otherTables } = readInventory(
    smallServer(
      'CREATE TABLE identities (id INTEGER); INSERT INTO identities VALUES (1), (2); CREATE TABLE empty (id INTEGER);',
    ),
  );

  expect(otherTables).toEqual([{ table: 'identities', rows: 2 }]);
});

test('a key called __proto__ is a key like any other', () => {
  const { instances } = readInventory(
    smallServer("INSERT INTO instances_config VALUES (9, 2, '__proto__', 'x')"),
  );

  expect(Object.entries(instances[1]?.config ?? {})).toEqual([['__proto__', 'x']]);
});

test('a view in the place of a table is not run', () => {
  const bomb = image(
    'CREATE VIEW instances AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id, id AS name FROM n;',
  );

  expect(readInventory(bomb).instances).toEqual([]);
});

test('an image has the profiles of its own project, whatever other projects may use it', () => {
  // Project 2 has no images of its own; each project with profiles gives the image a row for its default profile.
  const inventory = readInventory(
    smallServer(`
      CREATE TABLE images_profiles (image_id INTEGER, profile_id INTEGER);
      UPDATE projects_config SET value = 'true' WHERE id = 2;
      INSERT INTO profiles VALUES (3, 'default', '', 2);
      INSERT INTO images_profiles VALUES (1, 3), (1, 1);`),
  );

  expect(inventory.images.map(({ project, profiles }) => [project, profiles])).toEqual([
    ['default', ['default']],
  ]);
});

test('an image of a project without profiles has those of project default', () => {
  const inventory = readInventory(
    smallServer(`
      CREATE TABLE images_profiles (image_id INTEGER, profile_id INTEGER);
      INSERT INTO projects_config VALUES (3, 2, 'features.images', 'true');
      UPDATE images SET project_id = 2;
      INSERT INTO images_profiles VALUES (1, 2), (1, 1);`),
  );

  expect(inventory.images.map(({ project, profiles }) => [project, profiles])).toEqual([
    ['dev', ['default', 'web']],
  ]);
});

test('rows of a project that shows those of project default are shown by nobody', () => {
  const inventory = readInventory(
    smallServer(`
      INSERT INTO profiles VALUES (3, 'unseen', '', 2);
      INSERT INTO networks VALUES (3, 2, 'unseen', '', 1, 0);
      INSERT INTO networks_acls VALUES (2, 2, 'unseen', '', '', '');
      INSERT INTO images SELECT 2, 'unseen', filename, size, public, architecture, creation_date, expiry_date, upload_date,
        cached, last_use_date, auto_update, 2, type FROM images WHERE id = 1;`),
  );

  expect(JSON.stringify(inventory)).not.toContain('unseen');
});

test('identities of LXD 5.21 that are no certificates are counted among the other tables', () => {
  const inventory = readInventory(
    smallServer(`
      DROP TABLE certificates; DROP TABLE certificates_projects;
      CREATE TABLE identities (id INTEGER, auth_method INTEGER, type INTEGER, identifier TEXT, name TEXT, metadata TEXT);
      CREATE TABLE identities_projects (id INTEGER, identity_id INTEGER, project_id INTEGER);
      INSERT INTO identities VALUES (1, 1, 1, '3beed192', 'cli1', '{}'), (2, 2, 5, 'alice@example.net', 'Alice', '{}');
      INSERT INTO identities_projects VALUES (1, 1, 2);`),
  );

  expect(inventory.certificates).toEqual([
    {
      fingerprint: '3beed192',
      name: 'cli1',
      type: 'client',
      restricted: true,
      description: undefined,
      projects: ['dev'],
    },
  ]);
  expect(inventory.otherTables).toContainEqual({ table: 'identities', rows: 1 });
});

test.each([
  ['networks', 60, 'features.networks', []],
  ['networks', 60, 'features.networks.zones', ['unseen']],
  ['zones of its own', 69, 'features.networks', ['unseen']],
  ['zones of its own', 69, 'features.networks.zones', []],
] as const)('zones of a project with %s in schema %i', (_what, schema, feature, unseen) => {
  const inventory = readInventory(
    smallServer(`
      UPDATE schema SET version = ${schema};
      INSERT INTO projects_config VALUES (3, 2, '${feature}', 'true');
      INSERT INTO networks_zones VALUES (2, 2, 'dev.example.net', '');`),
  );

  const seen = inventory.zones.map(({ name }) => name);

  expect(seen).toEqual(unseen.length === 0 ? ['lxd.example.net', 'dev.example.net'] : ['lxd.example.net']);
});

test('volumes of a project that shows those of project default are shown by nobody, those of its instances are', () => {
  const inventory = readInventory(
    smallServer(
      "INSERT INTO storage_volumes VALUES (5, 'unseen', 1, 1, 2, '', 2, 0), (6, 'a3', 1, 1, 0, '', 2, 0);",
    ),
  );

  expect(inventory.volumes.map(({ name }) => name)).toEqual(['data']);
  expect(inventory.internalVolumes.map(({ project, name }) => `${project}/${name}`)).toEqual([
    'default/c1',
    'dev/a3',
  ]);
});

test('a pool without a row for this member, and an architecture without a name, are what a daemon says of them', () => {
  const inventory = readInventory(
    smallServer('DELETE FROM storage_pools_nodes; UPDATE instances SET architecture = 99 WHERE id = 1;'),
  );

  expect(inventory.pools[0]?.state).toBe('Unknown');
  expect(inventory.instances[0]?.architecture).toBe('unknown');
});
