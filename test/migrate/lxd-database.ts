// Databases of LXD for tests: the schema that a real LXD 5.0.2 made, with just the rows that a test needs.
import Database from 'better-sqlite3';
import { readFixtureDump } from '../../src/dev/database-fixture.ts';

/** What every server has from its first start on: one member, the project and the profile `default`. */
const firstStart = `
INSERT INTO schema VALUES (1, 60, 1795447407);
INSERT INTO nodes VALUES (1, 'none', '', '0.0.0.0', 60, 318, '2026-11-23 15:23:27', 0, 2, NULL);
INSERT INTO projects VALUES (1, 'default', 'Default LXD project'), (2, 'dev', '');
INSERT INTO projects_config VALUES (1, 1, 'features.networks', 'true'), (2, 2, 'features.profiles', 'false');
INSERT INTO profiles VALUES (1, 'default', 'Default LXD profile', 1);
`;

interface Trigger {
  readonly name: string;
  readonly sql: string;
}

let empty: Buffer | undefined;

/** A server of schema 60 as after its first start (and a project `dev`), changed by `sql`. */
export function lxdDatabase(sql = ''): Buffer {
  empty ??= built(new Database(':memory:'), `${schemaOfLxd()}${firstStart}`);
  return sql === '' ? Buffer.from(empty) : built(new Database(empty), sql);
}

/** The statements that make the tables of a real LXD 5.0.2, without rows. */
function schemaOfLxd(): string {
  return readFixtureDump('lxd-5.0.2-clean')
    .split('\n')
    .filter((line) => !line.startsWith('INSERT'))
    .join('\n');
}

/** The whole database of the real server of that fixture, changed by `sql`. */
export function populatedDatabase(sql = ''): Buffer {
  return built(new Database(':memory:'), `${readFixtureDump('lxd-5.0.2-clean')}${sql}`);
}

function built(db: Database.Database, sql: string): Buffer {
  try {
    db.pragma('foreign_keys = OFF');
    // Two triggers of the schema quote a text with double quotes, which this build of SQLite takes for a column.
    const triggers = db
      .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
      .all() as Trigger[];
    for (const { name } of triggers) db.exec(`DROP TRIGGER "${name}"`);
    db.exec(sql);
    for (const trigger of triggers) db.exec(trigger.sql);
    return db.serialize();
  } finally {
    db.close();
  }
}

/** An image, changed by `sql`. */
export function changedDatabase(image: Buffer, sql: string): Buffer {
  return built(new Database(image), sql);
}

/** What LXD's schema updates 61 to 69 add to the tables (db/cluster/update.go), without what they change in them. */
const schemaUpdates: Readonly<Record<number, string>> = {
  61: `
CREATE TABLE networks_load_balancers (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, network_id INTEGER NOT NULL, node_id INTEGER, listen_address TEXT NOT NULL, description TEXT NOT NULL, backends TEXT NOT NULL, ports TEXT NOT NULL, FOREIGN KEY (network_id) REFERENCES networks (id) ON DELETE CASCADE);
CREATE TABLE networks_load_balancers_config (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, network_load_balancer_id INTEGER NOT NULL, key TEXT NOT NULL, value TEXT, FOREIGN KEY (network_load_balancer_id) REFERENCES networks_load_balancers (id) ON DELETE CASCADE);`,
  64: `
CREATE TABLE storage_buckets (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, storage_pool_id INTEGER NOT NULL, node_id INTEGER, description TEXT NOT NULL, project_id INTEGER NOT NULL, FOREIGN KEY (storage_pool_id) REFERENCES storage_pools (id) ON DELETE CASCADE);
CREATE TABLE storage_buckets_config (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, storage_bucket_id INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, FOREIGN KEY (storage_bucket_id) REFERENCES storage_buckets (id) ON DELETE CASCADE);
CREATE TABLE storage_buckets_keys (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, storage_bucket_id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, access_key TEXT NOT NULL, secret_key TEXT NOT NULL, role TEXT NOT NULL, FOREIGN KEY (storage_bucket_id) REFERENCES storage_buckets (id) ON DELETE CASCADE);`,
  65: 'DROP TABLE nodes_cluster_groups; CREATE TABLE nodes_cluster_groups (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, node_id INTEGER NOT NULL, group_id INTEGER NOT NULL);',
  67: `
ALTER TABLE storage_volumes ADD COLUMN creation_date DATETIME NOT NULL DEFAULT '0001-01-01T00:00:00Z';
ALTER TABLE storage_volumes_snapshots ADD COLUMN creation_date DATETIME NOT NULL DEFAULT '0001-01-01T00:00:00Z';`,
};

/** Statements that bring a server of schema 60 to a later one. */
export function atSchema(version: number): string {
  const updates = Array.from({ length: version - 60 }, (_, index) => 61 + index);
  return updates
    .map(
      (update) =>
        `INSERT INTO schema (version, updated_at) VALUES (${update}, 0); ${schemaUpdates[update] ?? ''}`,
    )
    .join('\n');
}

/** Any SQLite database. */
export function databaseOf(sql: string): Buffer {
  return built(new Database(':memory:'), sql);
}

/** local.db of schema 42, with the patches that are given. */
export function localDatabase(sql = ''): Buffer {
  return built(
    new Database(':memory:'),
    `
CREATE TABLE schema (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, version INTEGER NOT NULL, updated_at DATETIME NOT NULL, UNIQUE (version));
CREATE TABLE config (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, key VARCHAR(255) NOT NULL, value TEXT, UNIQUE (key));
CREATE TABLE patches (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name VARCHAR(255) NOT NULL, applied_at DATETIME NOT NULL, UNIQUE (name));
CREATE TABLE raft_nodes (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, address TEXT NOT NULL, role INTEGER NOT NULL DEFAULT 0, name TEXT NOT NULL DEFAULT '', UNIQUE (address));
CREATE TABLE certificates (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, fingerprint TEXT NOT NULL, type INTEGER NOT NULL, name TEXT NOT NULL, certificate TEXT NOT NULL, UNIQUE (fingerprint));
INSERT INTO schema VALUES (1, 42, 1795447407);
${sql}`,
  );
}

export type Row = Readonly<Record<string, unknown>>;

/** Asks an image. */
export function ask(image: Buffer, sql: string, ...parameters: unknown[]): Row[] {
  const db = new Database(image);
  try {
    return db.prepare(sql).all(...parameters) as Row[];
  } finally {
    db.close();
  }
}

/** Every row of every table, in an order of their own; blobs as text, since LXD stores either in columns of JSON. */
export function allRows(image: Buffer): Record<string, string[]> {
  const db = new Database(image);
  try {
    const objects = db
      .prepare("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
      .all() as { type: string; name: string; sql: string }[];
    const rows: Record<string, string[]> = {
      sqlite_master: objects.map(({ name, sql }) => `${name}: ${sql}`),
    };
    for (const { type, name } of objects) {
      if (type !== 'table') continue;
      const found = db.prepare(`SELECT * FROM "${name}"`).all() as Row[];
      rows[name] = found.map((row) => JSON.stringify(row, plainBlob)).sort();
    }
    return rows;
  } finally {
    db.close();
  }
}

function plainBlob(_key: string, value: unknown): unknown {
  const blob = value as { type?: unknown; data?: unknown } | null;
  return typeof blob === 'object' && blob?.type === 'Buffer'
    ? Buffer.from(blob.data as number[]).toString('utf8')
    : value;
}
