// What changed in a server between two readings: everything that a person did, nothing that stopping it does.
import { describe, expect, test } from 'vitest';
import { drift, driftSince } from '../../../src/migrate/plan/drift.ts';
import { config, instance } from '../convert/converted.ts';
import { lxdDatabase } from '../lxd-database.ts';

const before = `
  ${instance(1, 'c1')} ${config('instances_config', 1, { 'limits.cpu': '1', 'user.token': 'SECRET-1', 'volatile.last_state.power': 'RUNNING' })}
  INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0);
  INSERT INTO networks_acls VALUES (1, 1, 'acl', '', X'5b5d', X'5b5d');
  INSERT INTO images VALUES (1, 'abc', 'f', 1, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0);
  INSERT INTO storage_pools VALUES (1, 'p', 'dir', '', 1);
  INSERT INTO storage_volumes VALUES (1, 'v', 1, 1, 2, '', 1, 0);
  INSERT INTO certificates VALUES (1, 'fff', 1, 'cli', 'PEM', 0);
`;

function driftAfter(sql: string): string[] {
  return drift(lxdDatabase(before), lxdDatabase(`${before}${sql}`));
}

test('of a server that nobody touched is empty', () => {
  expect(driftAfter('')).toEqual([]);
});

test.each([
  ['an instance', instance(2, 'c2'), ['instance default/c2 is new']],
  [
    'a snapshot',
    `INSERT INTO instances_snapshots VALUES (1, 1, 's0', 0, 0, '', NULL);`,
    ['instance snapshot default/c1/s0 is new'],
  ],
  [
    'an instance that is gone',
    `DELETE FROM instances_config; DELETE FROM instances;`,
    [
      'instance default/c1 is gone',
      'instance default/c1, limits.cpu is gone',
      'instance default/c1, user.token is gone',
    ],
  ],
  ['a project', `INSERT INTO projects VALUES (9, 'x', '');`, ['project x is new']],
  ['a profile', `INSERT INTO profiles VALUES (9, 'x', '', 1);`, ['profile default/x is new']],
  ['a pool', `INSERT INTO storage_pools VALUES (9, 'x', 'dir', '', 1);`, ['storage pool x is new']],
  [
    'a volume',
    `INSERT INTO storage_volumes VALUES (9, 'x', 1, 1, 2, '', 1, 0);`,
    ['volume p/default/2/x is new'],
  ],
  [
    'a snapshot of a volume',
    `INSERT INTO storage_volumes_snapshots VALUES (9, 1, 's', '', NULL);`,
    ['volume snapshot default/2/v/s is new'],
  ],
  ['a network', `INSERT INTO networks VALUES (9, 1, 'x', '', 1, 0);`, ['network default/x is new']],
  [
    'a rule of an ACL',
    `UPDATE networks_acls SET ingress = X'5b7b7d5d';`,
    ['network ACL default/acl changed from "[][]" to "[{}][]"'],
  ],
  ['a zone', `INSERT INTO networks_zones VALUES (9, 1, 'x', '');`, ['network zone x is new']],
  [
    'a forward',
    `INSERT INTO networks_forwards VALUES (9, 1, 1, '10.0.0.9', '', '[]');`,
    ['network forward lxdbr0/10.0.0.9 is new'],
  ],
  ['an image', `UPDATE images SET public = 1;`, ['image default/abc changed from "0" to "1"']],
  [
    'an alias',
    `INSERT INTO images_aliases VALUES (1, 'tiny', 1, '', 1);`,
    ['image alias default/tiny is new'],
  ],
  [
    'a certificate',
    `UPDATE certificates SET restricted = 1;`,
    ['certificate fff changed from "cli0" to "cli1"'],
  ],
  [
    'a setting',
    `UPDATE instances_config SET value = '2' WHERE key = 'limits.cpu';`,
    ['instance default/c1, limits.cpu changed from "1" to "2"'],
  ],
  [
    'a volatile key that no stop writes',
    config('instances_config', 1, { 'volatile.eth0.hwaddr': '00:16:3e:00:00:01' }),
    ['instance default/c1, volatile.eth0.hwaddr is new'],
  ],
  [
    'the profiles of an instance',
    `INSERT INTO instances_profiles VALUES (1, 1, 1, 0);`,
    ['profiles of instance default/c1 is new'],
  ],
  [
    'a device without settings',
    `INSERT INTO instances_devices VALUES (9, 1, 'eth9', 1);`,
    ['device default/c1/eth9 is new'],
  ],
  [
    'a device of a profile without settings',
    `INSERT INTO profiles_devices VALUES (9, 1, 'eth9', 1);`,
    ['device of profile default/default/eth9 is new'],
  ],
  [
    'a peer of a network',
    `INSERT INTO networks_peers VALUES (9, 1, 'x', '', 'dev', 'far', NULL);`,
    ['network peer default/lxdbr0/x is new'],
  ],
  [
    'a record of a zone',
    `INSERT INTO networks_zones VALUES (9, 1, 'z', ''); INSERT INTO networks_zones_records VALUES (9, 9, 'www', '', '[]');`,
    ['network zone record z/www is new', 'network zone z is new'],
  ],
  [
    'a bucket',
    `CREATE TABLE storage_buckets (id, name, storage_pool_id, node_id, description, project_id); INSERT INTO storage_buckets VALUES (1, 'b', 1, 1, '', 1);`,
    ['storage bucket p/default/b is new'],
  ],
  [
    'the projects of a certificate',
    `INSERT INTO certificates_projects VALUES (1, 2);`,
    ['projects of certificate fff is new'],
  ],
  [
    'the kind of content of a volume',
    `UPDATE storage_volumes SET content_type = 1;`,
    ['volume p/default/2/v changed from "0 " to "1 "'],
  ],
  [
    'what only links objects',
    `INSERT INTO images_profiles VALUES (1, 1);`,
    ['rows of table images_profiles changed'],
  ],
  [
    'a column that is not shown',
    `UPDATE instances SET architecture = 9;`,
    ['rows of table instances changed'],
  ],
])('names %s', (_what, sql, lines) => {
  expect(driftAfter(sql)).toEqual(lines);
});

describe('leaves out', () => {
  test('what daemons write when instances stop', () => {
    expect(
      driftAfter(`
        UPDATE instances_config SET value = 'STOPPED' WHERE key = 'volatile.last_state.power';
        ${config('instances_config', 1, { 'volatile.eth0.host_name': 'veth1', 'volatile.last_state.ready': 'false' })}
        UPDATE instances SET last_use_date = 'now'; UPDATE nodes SET heartbeat = 'now';
        INSERT INTO operations VALUES (1, 'u', '1', 1, NULL);
      `),
    ).toEqual([]);
  });

  test('an ephemeral instance that LXD deleted when it stopped, with its volume, devices and profiles', () => {
    const ephemeral = `
      ${instance(2, 'e1')} UPDATE instances SET ephemeral = 1 WHERE id = 2;
      ${config('instances_config', 2, { 'limits.cpu': '1' })}
      INSERT INTO instances_profiles VALUES (1, 2, 1, 0);
      INSERT INTO storage_volumes VALUES (2, 'e1', 1, 1, 0, '', 1, 0);
    `;

    expect(drift(lxdDatabase(`${before}${ephemeral}`), lxdDatabase(before))).toEqual([]);
    // One that was made in between, and one that is not ephemeral, are not LXD's doing.
    expect(drift(lxdDatabase(before), lxdDatabase(`${before}${ephemeral}`))).toContain(
      'instance default/e1 is new',
    );
  });

  test('confidential values, of which only that they changed is said', () => {
    const lines = driftAfter(`UPDATE instances_config SET value = 'SECRET-2' WHERE key = 'user.token';`);

    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^instance default\/c1, user\.token changed from \(8 bytes, .*\) to \(8 bytes, .*\)$/,
    );
    expect(lines[0]).not.toContain('SECRET');
  });
});

test('several looks at one server each find what a single one would', () => {
  const ephemeral = `${instance(7, 'e1')} UPDATE instances SET ephemeral = 1 WHERE id = 7;`;
  const was = lxdDatabase(`${before}${ephemeral}`);
  const looks = [`${before}${ephemeral}`, before, `${before}${ephemeral}${instance(2, 'c2')}`, before];
  const looksAgain = driftSince(was);
  looksAgain.prepare();

  for (const sql of looks) expect(looksAgain.since(lxdDatabase(sql))).toEqual(drift(was, lxdDatabase(sql)));
});
