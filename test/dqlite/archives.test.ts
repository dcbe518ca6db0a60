// Every database that a real daemon or library wrote gives exactly the dump that its own program gave.
import { describe, expect, it } from 'vitest';
import { databaseFixtures, readFixtureDump, unpackDatabaseFixture } from '../../src/dev/database-fixture.ts';
import { raftPosition, readDatabase } from '../../src/dqlite/index.ts';
import { dumpDatabase } from './dump.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();

const expected = {
  'dqlite-1.11.1-killed-lz4': { lastIndex: 1027, lastTerm: 1, snapshot: 1024, servers: 1, notices: [] },
  'dqlite-1.18.6-killed': { lastIndex: 457, lastTerm: 1, snapshot: 448, servers: 1, notices: [] },
  'incus-6.0.4-running': { lastIndex: 11, lastTerm: 1, snapshot: undefined, servers: 1, notices: [] },
  'lxd-4.0.13-clean': { lastIndex: 423, lastTerm: 1, snapshot: undefined, servers: 1, notices: [] },
  'lxd-4.0.13-to-5.0.2git-to-5.21.7-to-6.9-clean': {
    lastIndex: 633,
    lastTerm: 1,
    snapshot: undefined,
    servers: 1,
    notices: [],
  },
  'lxd-5.0.2-2001-instances': { lastIndex: 14176, lastTerm: 1, snapshot: 13312, servers: 1, notices: [] },
  'lxd-5.0.2-clean': { lastIndex: 131, lastTerm: 1, snapshot: undefined, servers: 1, notices: [] },
  // Members log entries after their dump, while the others leave.
  'lxd-5.0.2-cluster-m1': {
    lastIndex: 168,
    lastTerm: 3,
    snapshot: undefined,
    servers: 3,
    notices: ['dump-differs'],
  },
  'lxd-5.0.2-cluster-m2': {
    lastIndex: 168,
    lastTerm: 3,
    snapshot: undefined,
    servers: 3,
    notices: ['dump-differs'],
  },
  'lxd-5.0.2-cluster-m3': {
    lastIndex: 168,
    lastTerm: 3,
    snapshot: undefined,
    servers: 3,
    notices: ['dump-differs'],
  },
  'lxd-5.0.2-killed': { lastIndex: 116, lastTerm: 1, snapshot: undefined, servers: 1, notices: [] },
  'lxd-5.0.2-rich-killed': { lastIndex: 415, lastTerm: 1, snapshot: undefined, servers: 1, notices: [] },
  'lxd-5.0.2-to-5.21.7-clean': { lastIndex: 534, lastTerm: 1, snapshot: undefined, servers: 1, notices: [] },
  'lxd-5.21.7-clean': { lastIndex: 576, lastTerm: 1, snapshot: undefined, servers: 1, notices: [] },
  'lxd-6.9-cluster-clean': { lastIndex: 970, lastTerm: 1, snapshot: undefined, servers: 1, notices: [] },
  'lxd-6.9-killed': { lastIndex: 800, lastTerm: 1, snapshot: undefined, servers: 1, notices: [] },
  'lxd-6.9-ovn-clean': { lastIndex: 1209, lastTerm: 1, snapshot: 1024, servers: 1, notices: [] },
} as const;

describe('databases written by real daemons and libraries', () => {
  it.each(databaseFixtures)('%s gives its dump, its position and its configuration', (name) => {
    const { global } = unpackDatabaseFixture(name, folder);

    const database = readDatabase(global);
    const position = raftPosition(global);

    expect(dumpDatabase(database.bytes) === readFixtureDump(name)).toBe(true);
    const { lastIndex, lastTerm } = expected[name];
    expect(position).toEqual({ lastIndex, lastTerm });
    expect({
      lastIndex: database.lastIndex,
      lastTerm: database.lastTerm,
      snapshot: database.statistics.snapshot?.index,
      servers: database.configuration.servers.filter(({ role }) => role === 'voter').length,
      notices: database.notices.map(({ code }) => code),
    }).toEqual(expected[name]);
  });
});
