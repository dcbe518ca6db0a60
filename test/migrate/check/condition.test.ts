// Findings about what does not work in LXD already.
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkCondition, poolsNeeded } from '../../../src/migrate/check/condition.ts';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import type { Condition } from '../../../src/migrate/model/condition.ts';
import { type Finding, mergeFindings } from '../../../src/migrate/model/finding.ts';
import { migrationRules } from '../../../src/migrate/rules/migration-rules.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { localDatabase, lxdDatabase } from '../lxd-database.ts';

const server = `
  INSERT INTO storage_pools VALUES (1, 'ext', 'dir', '', 1), (2, 'bt', 'btrfs', '', 1), (3, 'by-uuid', 'btrfs', '', 1);
  INSERT INTO storage_pools_config VALUES
    (1, 1, 1, 'source', '/srv/extern'), (2, 2, 1, 'source', '/var/lib/lxd/disks/bt.img'),
    (3, 3, 1, 'source', '0d1bb5a2-ff3c-4d6e-9a3f-6a2d3a6a0001');
  INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0);
  INSERT INTO instances VALUES (1, 1, 'c1', 0, 0, 0, '2026-01-01', 0, '2026-01-01', '', 1, NULL);
  INSERT INTO instances_devices VALUES (1, 1, 'eth0', 1);
  INSERT INTO instances_devices_config VALUES (1, 1, 'network', 'lxdbr0');
  INSERT INTO storage_volumes VALUES (1, 'c1', 1, 1, 0, '', 1, 0);
`;

const good: Condition = {
  asked: true,
  pools: [
    { name: 'ext', status: 'Created' },
    { name: 'bt', status: 'Created' },
    { name: 'by-uuid', status: 'Created' },
  ],
  networks: [{ project: 'default', name: 'lxdbr0', status: 'Created' }],
  instances: [],
  addresses: [],
  images: [],
};
const pools = (ext: string | null): Pick<Condition, 'pools'> => ({
  pools: [...good.pools.filter(({ name }) => name !== 'ext'), { name: 'ext', status: ext }],
});

interface Server {
  readonly host: FakeHost;
  readonly condition: Condition;
  running: readonly string[];
}

/** All that the pools come from is there. */
function withSources(condition: Partial<Condition> = {}): Server {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.writeFile('/var/lib/lxd/disks/bt.img', '');
  host.writeFile('/dev/disk/by-uuid/0d1bb5a2-ff3c-4d6e-9a3f-6a2d3a6a0001', '');
  fs.mkdirSync(host.path('/srv/extern'), { recursive: true });
  return { host, condition: { ...good, ...condition }, running: [] };
}

function found({ host, condition, running }: Server): string[] {
  const source = { dataDirectory: '/var/lib/lxd' };
  const inventory = readInventory(lxdDatabase(server));
  return mergeFindings(checkCondition({ host, source, running }, condition, inventory)).map(
    ({ severity, id, objects, answers }) => [severity, id, ...(answers ?? []), ...objects].join(' | '),
  );
}

test('a server on which all works has none', () => {
  expect(found(withSources())).toEqual([]);
});

describe('a pool', () => {
  test.each(['Unavailable', 'Pending', 'Errored'])(
    'that LXD calls %s is named with what hangs on it',
    (status) => {
      expect(found(withSources(pools(status)))).toEqual([
        `loss | pool-unavailable | accept | storage pool ext (dir): ${status}; used by instance default/c1`,
      ]);
    },
  );

  test('is named with what is gone', () => {
    const one = withSources(pools('Unavailable'));
    fs.rmdirSync(one.host.path('/srv/extern'));

    expect(found(one)).toEqual([
      'loss | pool-unavailable | accept | storage pool ext (dir): Unavailable, /srv/extern does not exist; used by instance default/c1',
    ]);
  });

  test.each([
    ['a folder', '/srv/extern', 'ext (dir)', '; used by instance default/c1'],
    ['a file', '/var/lib/lxd/disks/bt.img', 'bt (btrfs)', ''],
    ['a disk', '/dev/disk/by-uuid/0d1bb5a2-ff3c-4d6e-9a3f-6a2d3a6a0001', 'by-uuid (btrfs)', ''],
  ])('that LXD uses and whose source, %s, is gone stands in the way', (_what, path, name, users) => {
    const one = withSources();
    fs.rmSync(one.host.path(path), { recursive: true });

    expect(found(one)).toEqual([
      `blocker | pool-not-mountable | storage pool ${name}: ${path} does not exist${users}`,
    ]);
  });

  test('that LXD does not have, while an instance on it runs, stands in the way', () => {
    const one = withSources(pools('Unavailable'));
    one.running = ['default/c1'];

    expect(found(one)).toEqual([
      'blocker | pool-not-mountable | storage pool ext (dir): Unavailable; used by instance default/c1',
    ]);
  });

  describe('of an LXD that does not run', () => {
    const offline = { ...good, asked: false, pools: good.pools.map(({ name }) => ({ name, status: null })) };

    test('is known as far as its source tells', () => {
      const one = withSources(offline);
      fs.rmdirSync(one.host.path('/srv/extern'));

      const [first, ...more] = found(one);

      expect(first).toBe(
        'loss | pool-unavailable | accept | storage pool ext (dir): /srv/extern does not exist; used by instance default/c1',
      );
      expect(more.map((line) => line.split(' | ')[1])).toEqual(['condition-not-known']);
    });

    test('stands in the way where it is mounted still', () => {
      const one = withSources(offline);
      fs.rmdirSync(one.host.path('/srv/extern'));
      one.host.machine.mounts.push({
        path: '/var/lib/lxd/storage-pools/ext',
        type: 'ext4',
        device: '/dev/sda1',
        root: '/srv/extern',
      });

      expect(found(one).map((line) => line.split(' | ')[1])).toContain('pool-not-mountable');
    });
  });
});

test('a network that is down is named with what hangs on it', () => {
  const one = withSources({ networks: [{ project: 'default', name: 'lxdbr0', status: 'Unavailable' }] });

  expect(found(one)).toEqual([
    'loss | network-down | accept | network default/lxdbr0: Unavailable; used by instance default/c1',
  ]);
});

test('an instance in error is named', () => {
  const one = withSources({ instances: [{ project: 'default', name: 'c1', status: 'Error' }] });

  expect(found(one)).toEqual(['loss | instance-in-error | accept | instance default/c1: Error']);
});

describe('an address', () => {
  const address = (key: string, holder: 'daemon' | 'nobody' | 'other', asked = true): Partial<Condition> => ({
    asked,
    addresses: [{ key, value: ':1', holder, who: holder === 'other' ? 'process 7 (nc)' : '' }],
  });

  test.each([
    [
      'core.https_address',
      'other',
      'loss | address-not-served:core.https_address | accept | core.https_address :1: held by process 7 (nc)',
    ],
    [
      'core.https_address',
      'nobody',
      'loss | address-not-served:core.https_address | accept | core.https_address :1: LXD does not listen there',
    ],
    [
      'core.metrics_address',
      'other',
      'blocker | address-not-free:core.metrics_address | core.metrics_address :1: held by process 7 (nc)',
    ],
    [
      'core.bgp_address',
      'nobody',
      'blocker | address-not-free:core.bgp_address | core.bgp_address :1: LXD does not listen there',
    ],
  ] as const)('%s that is held by %s', (key, holder, line) => {
    expect(found(withSources(address(key, holder)))).toEqual([line]);
  });

  test('of an LXD that does not run is held by nobody, as it should be', () => {
    const lines = found(withSources(address('core.https_address', 'nobody', false)));

    expect(lines.map((line) => line.split(' | ')[1])).toEqual(['condition-not-known']);
  });

  test('of an LXD that does not run may be held by somebody', () => {
    const lines = found(withSources(address('core.https_address', 'other', false)));

    expect(lines).toContain(
      'loss | address-not-served:core.https_address | accept | core.https_address :1: held by process 7 (nc)',
    );
  });
});

describe('a pool without which Incus does not start', () => {
  const done = (names: readonly string[]): Buffer =>
    localDatabase(
      names.map((name) => `INSERT INTO patches (name, applied_at) VALUES ('${name}', 0);`).join('\n'),
    );
  const all = migrationRules().patches_on_every_pool;
  const away: Condition = { ...good, ...pools('Unavailable') };
  const withVolume = (value: string) =>
    readInventory(lxdDatabase(server), {
      localDatabase: localDatabase(
        `INSERT INTO config (key, value) VALUES ('storage.images_volume', '${value}');`,
      ),
    });
  const objects = (findings: readonly Finding[]): readonly string[] =>
    findings.flatMap((finding) => (finding.severity === 'blocker' ? finding.objects : []));

  test('is one with a volume of the server on it', () => {
    expect(objects(poolsNeeded(away, withVolume('ext/images'), done(all)))).toEqual([
      'storage.images_volume ext/images',
    ]);
    expect(poolsNeeded(away, withVolume('bt/images'), done(all))).toEqual([]);
  });

  test('is any one where a patch that works on all is left to do', () => {
    const left = all.filter((name) => name !== 'storage_lvm_skipactivation');

    expect(objects(poolsNeeded(away, readInventory(lxdDatabase(server)), done(left)))).toEqual([
      'patch storage_lvm_skipactivation: storage pool ext',
    ]);
  });

  test('is none where all pools are there, or nobody knows', () => {
    const inventory = withVolume('ext/images');

    expect(poolsNeeded(good, inventory, done([]))).toEqual([]);
    expect(poolsNeeded({ ...good, ...pools(null) }, inventory, done([]))).toEqual([]);
    expect(poolsNeeded(undefined, inventory, done([]))).toEqual([]);
  });
});

test('what the conversion leaves to do of these patches is none on a server that LXD 5.0 has started', () => {
  const { patches, patches_on_every_pool: needed } = migrationRules();
  const byTool = new Set(patches.map(({ name }) => name));

  // LXD has done this one itself since 4.0.2.
  expect(needed.filter((name) => !byTool.has(name))).toEqual(['storage_lvm_skipactivation']);
});
