// The inventory of a database is what the daemon's API says of the same server, field by field, for every version recorded.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type RecordedFixture,
  readRecording,
  recordedFixtures,
  unpackDatabaseFixture,
} from '../../../../src/dev/database-fixture.ts';
import { readDatabase } from '../../../../src/dqlite/index.ts';
import { inventoryFromApi } from '../../../../src/migrate/inventory/api/from-api.ts';
import { compareInventories, describeDifference } from '../../../../src/migrate/inventory/compare.ts';
import { readInventory } from '../../../../src/migrate/inventory/database/read-inventory.ts';
import type { Inventory } from '../../../../src/migrate/model/inventory.ts';
import type { AcceptedDifference } from '../../../../src/migrate/rules/migration-rules.ts';
import { recordedServer } from '../../../fakes/recorded-server.ts';
import { temporaryFolder } from '../../../temporary-folder.ts';

function read(name: RecordedFixture): Inventory {
  const { global, database } = unpackDatabaseFixture(name, temporaryFolder());
  return readInventory(readDatabase(global).bytes, {
    localDatabase: readFileSync(join(database, 'local.db')),
  });
}

const hidden: readonly AcceptedDifference[] = [
  {
    objects: ['server'],
    fields: ['config.core.trust_password'],
    change: 'different',
    actual: ['true'],
    because: 'The API says only whether there is one.',
  },
];
/** The answers were taken while the daemon ran; a clean stop then changed these rows. */
const changedByTheStop: readonly AcceptedDifference[] = [
  {
    objects: ['instance'],
    fields: ['config.volatile.*.host_name'],
    change: 'extra',
    because: 'The interface of a running instance.',
  },
  {
    objects: ['instance'],
    fields: ['config.volatile.last_state.ready'],
    change: 'missing',
    expected: ['false'],
    because: 'An instance that is stopped is not ready.',
  },
  {
    objects: ['network'],
    fields: ['config.volatile.last_state.created'],
    change: 'extra',
    actual: ['false'],
    because: 'What a physical network is to restore when it stops.',
  },
];
const notYetShown: readonly AcceptedDifference[] = [
  {
    objects: ['volume snapshot'],
    fields: ['expires'],
    change: 'different',
    actual: [''],
    because: 'LXD 4.0 keeps the moment, and its API says null.',
  },
];

function allowed(name: RecordedFixture): readonly AcceptedDifference[] {
  return [
    ...hidden,
    ...(name.endsWith('-clean') ? changedByTheStop : []),
    ...(name === 'lxd-4.0.13-clean' ? notYetShown : []),
  ];
}

test.each(recordedFixtures)('%s: the database and the API give the same inventory', async (name) => {
  const database = read(name);

  const asked = await inventoryFromApi(recordedServer(name));

  expect(asked.instances.length).toBeGreaterThanOrEqual(10);
  expect(compareInventories(database, asked, allowed(name)).map(describeDifference)).toEqual([]);
});

/** Fields that are in no inventory because the daemon works them out when it is asked. */
const workedOut = {
  instances: ['expanded_config', 'expanded_devices', 'state', 'status_code'],
  snapshots: [
    ...['expanded_config', 'expanded_devices', 'size'],
    // Of the instance, as it is.
    ...['architecture', 'ephemeral', 'last_used_at', 'profiles'],
  ],
  backups: ['container_only'],
  profiles: ['used_by'],
  projects: ['used_by', 'replica_mode'],
  images: [],
  pools: ['used_by', 'locations'],
  volumes: ['used_by'],
  volumeSnapshots: ['content_type'],
  volumeBackups: [],
  networks: ['used_by', 'locations'],
  acls: ['used_by'],
  zones: ['used_by'],
  records: [],
  forwards: [],
  loadBalancers: [],
  peers: ['used_by', 'status'],
  // The fingerprint is that of the certificate.
  certificates: ['certificate'],
  members: ['database', 'groups', 'message', 'status'],
  clusterGroups: ['used_by'],
} as const;
type Kind = keyof typeof workedOut;

/** Fields of the answers that `inventoryFromApi` takes, where the kind is asked for. */
const taken: Readonly<Record<Kind, readonly string[]>> = {
  instances: [
    ...[
      'architecture',
      'backups',
      'config',
      'created_at',
      'description',
      'devices',
      'ephemeral',
      'last_used_at',
    ],
    ...['location', 'name', 'profiles', 'project', 'snapshots', 'stateful', 'status', 'type'],
  ],
  snapshots: ['config', 'created_at', 'description', 'devices', 'expires_at', 'name', 'stateful'],
  backups: ['created_at', 'expires_at', 'instance_only', 'name', 'optimized_storage'],
  profiles: ['config', 'description', 'devices', 'name', 'project'],
  projects: ['config', 'description', 'name'],
  images: [
    ...[
      'aliases',
      'architecture',
      'auto_update',
      'cached',
      'created_at',
      'expires_at',
      'filename',
      'fingerprint',
    ],
    ...[
      'last_used_at',
      'profiles',
      'project',
      'properties',
      'public',
      'size',
      'type',
      'update_source',
      'uploaded_at',
    ],
  ],
  pools: ['config', 'description', 'driver', 'name', 'status'],
  volumes: [
    'config',
    'content_type',
    'created_at',
    'description',
    'location',
    'name',
    'pool',
    'project',
    'type',
  ],
  volumeSnapshots: ['config', 'created_at', 'description', 'expires_at', 'name'],
  volumeBackups: ['created_at', 'expires_at', 'name', 'optimized_storage', 'volume_only'],
  networks: ['config', 'description', 'managed', 'name', 'project', 'status', 'type'],
  acls: ['config', 'description', 'egress', 'ingress', 'name', 'project'],
  zones: ['config', 'description', 'name', 'project'],
  records: ['config', 'description', 'entries', 'name'],
  forwards: ['config', 'description', 'listen_address', 'location', 'ports'],
  loadBalancers: ['backends', 'config', 'description', 'listen_address', 'location', 'ports'],
  peers: ['config', 'description', 'name', 'target_network', 'target_project'],
  certificates: ['description', 'fingerprint', 'name', 'projects', 'restricted', 'type'],
  members: ['architecture', 'config', 'description', 'failure_domain', 'roles', 'server_name', 'url'],
  clusterGroups: ['config', 'description', 'members', 'name'],
};

const kindOfPath: readonly (readonly [RegExp, Kind])[] = [
  [/^\/1\.0\/instances$/, 'instances'],
  [/^\/1\.0\/instances\/[^/]+\/snapshots$/, 'snapshots'],
  [/^\/1\.0\/instances\/[^/]+\/backups$/, 'backups'],
  [/^\/1\.0\/profiles$/, 'profiles'],
  [/^\/1\.0\/projects$/, 'projects'],
  [/^\/1\.0\/images$/, 'images'],
  [/^\/1\.0\/storage-pools$/, 'pools'],
  [/^\/1\.0\/storage-pools\/[^/]+\/volumes$/, 'volumes'],
  [/\/volumes\/custom\/[^/]+\/snapshots$/, 'volumeSnapshots'],
  [/\/volumes\/custom\/[^/]+\/backups$/, 'volumeBackups'],
  [/^\/1\.0\/networks$/, 'networks'],
  [/^\/1\.0\/network-acls$/, 'acls'],
  [/^\/1\.0\/network-zones$/, 'zones'],
  [/^\/1\.0\/network-zones\/[^/]+\/records$/, 'records'],
  [/^\/1\.0\/networks\/[^/]+\/forwards$/, 'forwards'],
  [/^\/1\.0\/networks\/[^/]+\/load-balancers$/, 'loadBalancers'],
  [/^\/1\.0\/networks\/[^/]+\/peers$/, 'peers'],
  [/^\/1\.0\/certificates$/, 'certificates'],
  [/^\/1\.0\/cluster\/members$/, 'members'],
  [/^\/1\.0\/cluster\/groups$/, 'clusterGroups'],
];

/** Lists of things that Incus does not have, that end with the daemon, or that another list shows as well. */
const otherLists =
  /^\/1\.0\/(auth\/.*|cluster\/links|images\/aliases|network-allocations|networks\/[^/]+\/load-balancer-pools|operations|placement-groups|replicators|storage-pools\/[^/]+\/buckets|warnings)$/;

test.each(recordedFixtures)(
  '%s: every field that the API shows is compared, or worked out by the daemon',
  (name) => {
    const unknown = new Set<string>();

    for (const [question, answer] of Object.entries(readRecording(name))) {
      const path = question.split('?')[0] ?? '';
      if (!Array.isArray(answer) || answer.length === 0 || otherLists.test(path)) continue;
      const kind = kindOfPath.find(([pattern]) => pattern.test(path))?.[1];
      const known: readonly string[] = kind === undefined ? [] : [...taken[kind], ...workedOut[kind]];
      for (const item of answer as Readonly<Record<string, unknown>>[])
        for (const field of Object.keys(item)) if (!known.includes(field)) unknown.add(`${path}: ${field}`);
    }

    expect([...unknown]).toEqual([]);
  },
);
