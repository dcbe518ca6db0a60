// A machine with an LXD and an Incus on which nothing stands in the way, and what check finds once a test changed it.
import * as fs from 'node:fs';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { type CheckContext, check } from '../../../src/migrate/check/index.ts';
import type { Finding } from '../../../src/migrate/model/finding.ts';
import type { Installation } from '../../../src/migrate/model/installation.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { databaseOf, localDatabase, lxdDatabase } from '../lxd-database.ts';

export const commands = [
  'ip',
  'rsync',
  'setfattr',
  'tar',
  'unsquashfs',
  'xz',
  'dnsmasq',
  'nft',
  'btrfs',
  'apt-get',
  'newuidmap',
  'newgidmap',
];

export interface Situation {
  readonly host: FakeHost;
  readonly source: Installation;
  readonly target: Installation;
  /** Rows beyond those of an empty server, and one setting so that it is not empty. */
  sourceSql: string;
  sourceLocalSql: string;
  /** Spoils the bytes of the source's database. */
  damage: (image: Buffer) => Buffer;
  /** Statements on the database of a fresh Incus; undefined: it has never been started. */
  targetSql: string | undefined;
  targetLocalSql: string;
  /** Addresses in the raft configurations. */
  sourceServers: string[];
  targetServers: string[];
  context: Partial<CheckContext>;
}

export function situation(): Situation {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  for (const command of commands) host.machine.commands.set(command, `/usr/bin/${command}`);
  host.machine.mounts = [{ path: '/var/lib/lxcfs', type: 'fuse.lxcfs', device: 'lxcfs', root: '/' }];
  for (const folder of ['/var/lib/lxd/database', '/var/lib/incus', '/etc', '/lib/systemd/system'])
    fs.mkdirSync(host.path(folder), { recursive: true });
  for (const unit of ['lxd.service', 'lxd.socket']) host.writeFile(`/lib/systemd/system/${unit}`, '[Unit]\n');
  for (const file of ['/etc/subuid', '/etc/subgid']) host.writeFile(file, 'root:1000000:1000000000\n');
  return {
    host,
    source: {
      role: 'source',
      name: 'deb',
      evidence: [],
      dataDirectory: '/var/lib/lxd',
      sockets: ['/var/lib/lxd/unix.socket'],
      runtimeDirectory: undefined,
      service: {
        kind: 'systemd',
        units: ['lxd.socket', 'lxd.service'],
        start: ['lxd.socket', 'lxd.service'],
      },
      program: '/usr/bin/lxd',
    },
    target: {
      role: 'target',
      name: 'deb',
      evidence: [],
      dataDirectory: '/var/lib/incus',
      sockets: ['/run/incus/unix.socket'],
      runtimeDirectory: '/run/incus',
      service: { kind: 'systemd', units: ['incus.service'], start: ['incus.service'] },
      program: '/usr/libexec/incus/incusd',
    },
    sourceSql: '',
    sourceLocalSql: '',
    damage: (image) => image,
    targetSql: '',
    targetLocalSql: '',
    sourceServers: ['1'],
    targetServers: ['1'],
    context: {},
  };
}

/** Everything that check looks at in the database of an Incus. */
const freshIncus = `
CREATE TABLE schema (id INTEGER PRIMARY KEY, version INTEGER); INSERT INTO schema VALUES (1, 73);
CREATE TABLE config (id INTEGER PRIMARY KEY, key TEXT, value TEXT);
CREATE TABLE nodes (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO nodes VALUES (1, 'none');
CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO projects VALUES (1, 'default');
CREATE TABLE profiles (id INTEGER PRIMARY KEY, name TEXT, project_id INTEGER); INSERT INTO profiles VALUES (1, 'default', 1);
CREATE TABLE profiles_config (id INTEGER PRIMARY KEY, profile_id INTEGER, key TEXT, value TEXT);
CREATE TABLE profiles_devices (id INTEGER PRIMARY KEY, profile_id INTEGER, name TEXT);
CREATE TABLE instances (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE images (id INTEGER PRIMARY KEY, fingerprint TEXT);
CREATE TABLE storage_pools (id INTEGER PRIMARY KEY, name TEXT, driver TEXT);
CREATE TABLE storage_pools_config (id INTEGER PRIMARY KEY, storage_pool_id INTEGER, key TEXT, value TEXT);
CREATE TABLE storage_volumes (id INTEGER PRIMARY KEY, name TEXT, type INTEGER);
CREATE TABLE storage_buckets (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE networks (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE networks_acls (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE networks_zones (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE certificates (id INTEGER PRIMARY KEY, fingerprint TEXT);
`;

function servers(addresses: readonly string[]): { id: bigint; address: string }[] {
  return addresses.map((address, index) => ({ id: BigInt(index + 1), address }));
}

export function findingsOf(situation: Situation): Finding[] {
  const { host, source, target, context } = situation;
  const opened: Database.Database[] = [];
  const open = (image: Buffer): Database.Database => {
    const db = new Database(image);
    opened.push(db);
    return db;
  };
  try {
    return check({
      host,
      source,
      target,
      targetVersion: '6.0.4',
      sourceIsWhole: true,
      sourceDatabase: {
        db: open(
          situation.damage(
            lxdDatabase(
              `INSERT INTO config (key, value) VALUES ('images.auto_update_interval', '0'); ${situation.sourceSql}`,
            ),
          ),
        ),
        local: open(localDatabase(situation.sourceLocalSql)),
        servers: servers(situation.sourceServers),
      },
      targetDatabase:
        situation.targetSql === undefined
          ? undefined
          : {
              db: open(databaseOf(`${freshIncus}${situation.targetSql}`)),
              local: open(localDatabase(situation.targetLocalSql)),
              servers: servers(situation.targetServers),
            },
      unreadable: [],
      state: '/var/lib/lxd-to-incus',
      imageBytes: 1_000_000,
      ...context,
    });
  } finally {
    for (const db of opened) db.close();
  }
}

export function idsOf(one: Situation): string[] {
  return findingsOf(one)
    .map(({ id }) => id)
    .sort();
}

/** The finding of an id; undefined where there is none. */
export function finding(one: Situation, id: string): Finding | undefined {
  return findingsOf(one).find((found) => found.id === id);
}
