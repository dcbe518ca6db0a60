// local.db: keys of this member, and which of incusd's patches count as done.
import { describe, expect, test } from 'vitest';
import { migrationRules } from '../../../src/migrate/rules/migration-rules.ts';
import { ask, atSchema, localDatabase, lxdDatabase } from '../lxd-database.ts';
import { convertImage } from './converted.ts';

const now = new Date('2026-11-24T12:00:00.900Z');

function convertLocalOf(sql: string, serverSql = '') {
  return convertImage(lxdDatabase(serverSql), { local: localDatabase(sql), now });
}

function patches(image: Buffer | undefined): unknown[] {
  return ask(image ?? Buffer.alloc(0), 'SELECT name FROM patches ORDER BY id').map(({ name }) => name);
}

const marked = migrationRules().patches.map(({ name }) => name);

describe('patches', () => {
  test('of the rules are recorded as done, with the time in seconds, each on record', () => {
    const { local, localChanges } = convertLocalOf('');

    expect(patches(local)).toEqual(marked);
    expect(ask(local ?? Buffer.alloc(0), 'SELECT DISTINCT applied_at FROM patches')).toEqual([
      { applied_at: Math.floor(now.getTime() / 1000) },
    ]);
    expect(localChanges.map(({ what, after }) => [what, after])).toEqual(
      marked.map((name) => [name, 'done']),
    );
  });

  test('that LXD has recorded stay as they are', () => {
    const { local } = convertLocalOf(
      `INSERT INTO patches VALUES (1, 'snapshots_rename', 7), (2, 'of_lxd_only', 8);`,
    );

    expect(patches(local)).toEqual([
      'snapshots_rename',
      'of_lxd_only',
      ...marked.filter((name) => name !== 'snapshots_rename'),
    ]);
    expect(ask(local ?? Buffer.alloc(0), 'SELECT applied_at FROM patches WHERE id = 1')).toEqual([
      { applied_at: 7 },
    ]);
  });

  test('with work to do are left to incusd: on ZFS, and with buckets', () => {
    const zfs = convertLocalOf('', `INSERT INTO storage_pools VALUES (1, 'p', 'zfs', '', 1);`);
    const buckets = convertLocalOf(
      '',
      `${atSchema(64)} INSERT INTO storage_pools VALUES (1, 'p', 'dir', '', 1);
       INSERT INTO storage_buckets VALUES (1, 'b', 1, 1, '', 1);`,
    );

    expect(patches(zfs.local)).toEqual(
      marked.filter((name) => name !== 'storage_zfs_drop_block_volume_filesystem_extension'),
    );
    expect(patches(buckets.local)).toEqual(
      marked.filter((name) => name !== 'storage_prefix_bucket_names_with_project'),
    );
  });
});

describe('keys of this member', () => {
  test('that Incus does not know are dropped, and losses are said', () => {
    const { local, localChanges, findings } = convertLocalOf(`
      INSERT INTO config VALUES (1, 'maas.machine', 'm'), (2, 'core.https_address', ':8443'), (3, 'storage.images_volume', 'p/v');
    `);

    expect(ask(local ?? Buffer.alloc(0), 'SELECT key, value FROM config ORDER BY id')).toEqual([
      { key: 'core.https_address', value: ':8443' },
      { key: 'storage.images_volume', value: 'p/v' },
    ]);
    expect(localChanges).toContainEqual(
      expect.objectContaining({ object: 'server (local)', what: 'maas.machine', before: 'm', after: null }),
    );
    expect(findings).toMatchObject([
      { id: 'key-lost:maas.machine', severity: 'loss', objects: ['server (local)'], answers: ['accept'] },
    ]);
  });

  test('that are named by a pattern are dropped too', () => {
    const { local } = convertLocalOf(
      `INSERT INTO config VALUES (1, 'storage.project.dev.images_volume', 'p/v');`,
    );

    expect(ask(local ?? Buffer.alloc(0), 'SELECT * FROM config')).toEqual([]);
  });

  test('with NULL become empty', () => {
    const { local, localChanges } = convertLocalOf(
      `INSERT INTO config VALUES (1, 'core.https_address', NULL);`,
    );

    expect(ask(local ?? Buffer.alloc(0), 'SELECT value FROM config')).toEqual([{ value: '' }]);
    expect(localChanges).toContainEqual(
      expect.objectContaining({ what: 'core.https_address', before: null, after: '' }),
    );
  });
});

test('what is given is not changed, and the same comes out each time', () => {
  const local = localDatabase(`INSERT INTO config VALUES (1, 'maas.machine', 'm');`);
  const before = Buffer.from(local);

  const first = convertImage(lxdDatabase(), { local, now });
  const second = convertImage(lxdDatabase(), { local, now });

  expect(local.equals(before)).toBe(true);
  expect(first.local?.equals(second.local ?? Buffer.alloc(0))).toBe(true);
});

test('without a local.db there is none afterwards', () => {
  const { local, localChanges } = convertImage(lxdDatabase());

  expect(local).toBeUndefined();
  expect(localChanges).toEqual([]);
});
