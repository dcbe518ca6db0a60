// Reads everything that a server has from an image of its database.
import Database from 'better-sqlite3';
import type { Config, Inventory, OtherTable, ServerConfig } from '../../model/inventory.ts';
import { sortBy, sortKeys } from '../order.ts';
import { readCertificates } from './read-certificates.ts';
import { readImages } from './read-images.ts';
import { readInstances } from './read-instances.ts';
import { readClusterGroups, readMembers } from './read-members.ts';
import { readNames } from './read-names.ts';
import { readNetworks } from './read-networks.ts';
import { readProfiles, readProjects } from './read-projects.ts';
import { readBuckets, readPools, readVolumes } from './read-storage.ts';
import { number, openTables, type Tables, toConfig } from './rows.ts';

/** Tables of SQLite and of both daemons' schema versions, which hold nothing of the server. */
const ownTables = new Set(['schema', 'sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4']);

/**
 * Reads LXD's and Incus's databases alike: what a schema does not have yet is empty or unknown, and whether a schema can be
 * moved is for others to say.
 * @param image a whole SQLite file in rollback-journal mode
 */
export function readInventory(image: Buffer, options: { readonly localDatabase?: Buffer } = {}): Inventory {
  const db = new Database(image);
  try {
    return inventoryOf(openTables(db), options.localDatabase);
  } finally {
    db.close();
  }
}

function inventoryOf(tables: Tables, localDatabase: Buffer | undefined): Inventory {
  const names = readNames(tables);
  const { certificates, otherIdentities } = readCertificates(tables, names);
  const inventory = {
    origin: 'database' as const,
    schema: readSchema(tables),
    server: readServerConfig(tables, localDatabase),
    projects: readProjects(tables),
    profiles: readProfiles(tables, names),
    instances: readInstances(tables, names),
    pools: readPools(tables, names),
    ...readVolumes(tables, names),
    buckets: readBuckets(tables, names),
    ...readNetworks(tables, names),
    images: readImages(tables, names),
    certificates,
    members: readMembers(tables),
    clusterGroups: readClusterGroups(tables, names),
    operations: tables.count('operations'),
    warnings: tables.count('warnings'),
  };
  const otherTables = sortBy([...readOtherTables(tables), ...otherIdentities], ({ table }) => table);
  return { ...inventory, otherTables };
}

function readSchema(tables: Tables): number | undefined {
  const versions = tables.rows('schema', ['version']).map((row) => number(row['version']));
  return versions.length === 0 ? undefined : Math.max(...versions);
}

function readServerConfig(tables: Tables, localDatabase: Buffer | undefined): ServerConfig {
  const config = toConfig(tables.rows('config', ['key', 'value']));
  if (localDatabase === undefined) return { config, memberKeys: undefined };
  const own = readLocalConfig(localDatabase);
  return { config: sortKeys({ ...config, ...own }), memberKeys: Object.keys(own) };
}

function readLocalConfig(localDatabase: Buffer): Config {
  const db = new Database(localDatabase);
  try {
    return toConfig(openTables(db).rows('config', ['key', 'value']));
  } finally {
    db.close();
  }
}

/** Must come last: it looks at what nobody has asked for. */
function readOtherTables(tables: Tables): OtherTable[] {
  return tables
    .unread()
    .filter((table) => !ownTables.has(table))
    .map((table) => ({ table, rows: tables.count(table) }))
    .filter(({ rows }) => rows > 0);
}
