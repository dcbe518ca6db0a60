// A converted local.db for tests.
import { convertLocal } from '../../../src/migrate/convert/local.ts';
import { migrationRules } from '../../../src/migrate/rules/migration-rules.ts';
import { databaseOf } from '../lxd-database.ts';

/** @param sql rows beyond those of an empty one */
export function localDatabase(sql = ''): Buffer {
  const image = databaseOf(
    `CREATE TABLE config (id INTEGER PRIMARY KEY, key VARCHAR NOT NULL, value TEXT, UNIQUE (key));
     CREATE TABLE patches (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, applied_at DATETIME NOT NULL, UNIQUE (name));
     CREATE TABLE raft_nodes (id INTEGER PRIMARY KEY, address TEXT NOT NULL, role INTEGER NOT NULL DEFAULT 0, name TEXT NOT NULL DEFAULT '', UNIQUE (address));
     ${sql}`,
  );
  return convertLocal(image, migrationRules(), { zfs: false, buckets: false }, new Date(0)).image;
}
