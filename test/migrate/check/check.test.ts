// Every finding of check: what makes it appear, and what does not.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { MountInfo } from '../../../src/core/host.ts';
import { isOpen, mergeFindings } from '../../../src/migrate/model/finding.ts';
import type { FakeHost } from '../../fakes/fake-host.ts';
import { config, instance } from '../convert/converted.ts';
import { ask, atSchema, lxdDatabase } from '../lxd-database.ts';
import { finding, findingsOf, idsOf, type Situation, situation } from './checked.ts';

const bridge = `INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0);`;
const pool = (driver: string): string => `INSERT INTO storage_pools VALUES (1, 'p', '${driver}', '', 1);`;

test('a server on which nothing stands in the way has no finding', () => {
  expect(findingsOf(situation())).toEqual([]);
});

interface Appearance {
  readonly id: string;
  readonly severity: 'blocker' | 'loss' | 'change' | 'note';
  /** What brings it about, by name; with the objects that it must name. */
  readonly from: Readonly<Record<string, { make: (one: Situation) => void; objects?: unknown }>>;
  /** What looks alike and does not. */
  readonly not?: Readonly<Record<string, (one: Situation) => void>>;
}

const sourceRows =
  (sql: string) =>
  (one: Situation): void => {
    one.sourceSql += sql;
  };
const targetRows =
  (sql: string | undefined) =>
  (one: Situation): void => {
    one.targetSql = sql;
  };
const inContext =
  (part: Situation['context']) =>
  (one: Situation): void => {
    one.context = { ...one.context, ...part };
  };
const mount =
  (...paths: string[]) =>
  (one: Situation): void => {
    for (const path of paths)
      one.host.machine.mounts.push({ path, type: 'ext4', device: '/dev/sdb', root: '/' });
  };
const mounts =
  (...found: Partial<MountInfo>[]) =>
  (one: Situation): void => {
    for (const part of found)
      one.host.machine.mounts.push({ path: '', type: 'ext4', device: '/dev/sdb', root: '/', ...part });
  };
const together =
  (...parts: ((one: Situation) => void)[]) =>
  (one: Situation): void => {
    for (const part of parts) part(one);
  };
const replaceInstallation =
  (role: 'source' | 'target', part: Partial<Situation['source']>) =>
  (one: Situation): void =>
    inContext({ [role]: { ...one[role], ...part } })(one);

const fingerprint = 'a'.repeat(64);
const image = `INSERT INTO images (id, fingerprint, filename, size, public, architecture, upload_date, project_id, type) VALUES (1, '${fingerprint}', 'x', 1, 0, 2, 0, 1, 0);`;

const localRows =
  (values: Readonly<Record<string, string>>) =>
  (one: Situation): void => {
    for (const [key, value] of Object.entries(values))
      one.sourceLocalSql += `INSERT INTO config (key, value) VALUES ('${key}', '${value}');`;
  };

/** An LXD that runs and listens there; beside it other sockets of its own, and of others. */
const listens =
  (address: string, port: number) =>
  ({ host }: Situation): void => {
    host.machine.processes = [
      {
        pid: 40,
        parent: 1,
        argv: ['/usr/bin/lxd', '--group', 'lxd'],
        program: '/usr/bin/lxd',
        sameMountNamespace: true,
        samePidNamespace: true,
      },
    ];
    host.writeFile('/proc/40/environ', 'PATH=/bin\0');
    host.machine.ports = [
      { protocol: 'tcp', address, port, pid: 40 },
      { protocol: 'udp', address, port: 9999, pid: 40 },
      { protocol: 'tcp', address, port: 25, pid: 41 },
      { protocol: 'tcp', address, port: 26, pid: undefined },
    ];
  };

const daemonLink =
  (folder: string) =>
  ({ host }: Situation): void => {
    fs.mkdirSync(host.path('/var/lib/lxd'), { recursive: true });
    fs.symlinkSync(
      '/var/lib/lxd/storage-pools/fast/custom/default_pictures',
      host.path(join('/var/lib/lxd', folder)),
    );
  };

/** A server without its local.db. */
const withoutLocal = {
  get db() {
    return new Database(
      lxdDatabase("INSERT INTO config (key, value) VALUES ('images.auto_update_interval', '0');"),
    );
  },
  local: undefined,
  servers: [{ id: 1n, address: '1' }],
};

const idmap = (start: number, size: number): string =>
  JSON.stringify([
    { Isuid: true, Isgid: false, Hostid: start, Nsid: 0, Maprange: size },
    { Isuid: false, Isgid: true, Hostid: start, Nsid: 0, Maprange: size },
  ]);
const mapped = (start: number, size: number) =>
  sourceRows(
    `${instance(1, 'c1')} ${config('instances_config', 1, { 'volatile.last_state.idmap': idmap(start, size) })}`,
  );
/** A container of which LXD has put one id elsewhere; LXD writes that entry twice. */
const withRawMap = sourceRows(
  `${instance(1, 'c1')} ${config('instances_config', 1, {
    'raw.idmap': 'both 1000 1000',
    ...Object.fromEntries(
      ['volatile.last_state.idmap', 'volatile.idmap.next'].map((key) => [
        key,
        JSON.stringify([
          { Isuid: true, Isgid: false, Hostid: 1_000_000, Nsid: 0, Maprange: 1000 },
          { Isuid: true, Isgid: true, Hostid: 1000, Nsid: 1000, Maprange: 1 },
          { Isuid: true, Isgid: false, Hostid: 1_001_001, Nsid: 1001, Maprange: 999_998_999 },
          { Isuid: false, Isgid: true, Hostid: 1_000_000, Nsid: 0, Maprange: 1000 },
          { Isuid: true, Isgid: true, Hostid: 1000, Nsid: 1000, Maprange: 1 },
          { Isuid: false, Isgid: true, Hostid: 1_001_001, Nsid: 1001, Maprange: 999_998_999 },
        ]),
      ]),
    ),
  })}`,
);
const idFiles =
  (subuid: string | undefined, subgid = subuid) =>
  (one: Situation): void => {
    for (const [name, text] of [
      ['subuid', subuid],
      ['subgid', subgid],
    ] as const) {
      if (text === undefined) fs.rmSync(one.host.path(`/etc/${name}`));
      else one.host.writeFile(`/etc/${name}`, text);
    }
  };

/** A folder of the fake machine that lies on another file system than the rest. */
const elsewhere = (one: Situation): void => fs.symlinkSync('/proc', one.host.path('/elsewhere'));

const initialised = `
INSERT INTO storage_pools VALUES (1, 'default', 'dir'); INSERT INTO networks VALUES (1, 'incusbr0');
INSERT INTO profiles_devices VALUES (1, 1, 'root'), (2, 1, 'eth0');
`;

const targetUnits = replaceInstallation('target', {
  service: {
    kind: 'systemd',
    units: ['incus-startup.service', 'incus.socket', 'incus.service'],
    start: ['incus.socket', 'incus.service', 'incus-startup.service'],
  },
});

function mask(host: FakeHost, unit: string): void {
  fs.mkdirSync(host.path('/etc/systemd/system'), { recursive: true });
  fs.symlinkSync('/dev/null', host.path(`/etc/systemd/system/${unit}`));
}

const appearances: readonly Appearance[] = [
  // --- the database ---
  {
    id: 'schema-unknown',
    severity: 'blocker',
    from: {
      'an older schema': { make: sourceRows('UPDATE schema SET version = 59;'), objects: ['schema 59'] },
      'an older schema without the tables of today': {
        make: sourceRows(
          'UPDATE schema SET version = 30; ALTER TABLE networks DROP COLUMN type; DROP TABLE networks_acls;',
        ),
      },
      'a newer schema': { make: sourceRows('UPDATE schema SET version = 73;'), objects: ['schema 73'] },
      'the tables of a newer one under a number that we know': {
        make: sourceRows(`${atSchema(69)} CREATE TABLE identities (id INTEGER PRIMARY KEY);`),
        objects: ['table identities'],
      },
      'a table of a later schema': {
        make: sourceRows('CREATE TABLE storage_buckets (x TEXT);'),
        objects: ['table storage_buckets'],
      },
      'a table that is not there': {
        make: sourceRows('DROP TABLE instances_backups;'),
        objects: ['table instances_backups'],
      },
      'a column that is not there': {
        make: sourceRows('ALTER TABLE images_aliases DROP COLUMN description;'),
        objects: ['table images_aliases, column description'],
      },
      'a view that is not there': {
        make: sourceRows('DROP VIEW storage_volumes_all;'),
        objects: ['view storage_volumes_all'],
      },
      'a table that the number promises': {
        make: sourceRows(`${atSchema(64)} DROP TABLE storage_buckets_keys;`),
        objects: ['table storage_buckets_keys'],
      },
      'no number at all': { make: sourceRows('DELETE FROM schema;'), objects: ['schema 0'] },
    },
    not: { 'the last one that both share': sourceRows(atSchema(69)) },
  },
  {
    id: 'cluster-member:source',
    severity: 'blocker',
    from: {
      'several servers in the raft configuration': {
        make: (one) => {
          one.sourceServers = ['1', '1'];
        },
        objects: ['2 servers in the raft configuration'],
      },
      'a raft address of a cluster': {
        make: (one) => {
          one.sourceServers = ['10.0.0.1:8443'];
        },
        objects: ['raft address 10.0.0.1:8443'],
      },
      'rows in raft_nodes': {
        make: (one) => {
          one.sourceLocalSql = `INSERT INTO raft_nodes VALUES (1, '10.0.0.1:8443', 0, 'm1');`;
        },
        objects: ['1 row(s) in raft_nodes'],
      },
      'a cluster address': {
        make: (one) => {
          one.sourceLocalSql = `INSERT INTO config VALUES (1, 'cluster.https_address', '10.0.0.1:8443');`;
        },
        objects: ['cluster.https_address is set'],
      },
      'a second member': {
        make: sourceRows(`INSERT INTO nodes VALUES (2, 'm2', '', '10.0.0.2', 60, 318, 0, 0, 2, NULL);`),
        objects: ['2 members'],
      },
    },
    not: {
      'an empty cluster address': (one) => {
        one.sourceLocalSql = `INSERT INTO config VALUES (1, 'cluster.https_address', '');`;
      },
    },
  },
  {
    id: 'cluster-member:target',
    severity: 'blocker',
    from: {
      'an Incus that is one of several': {
        make: (one) => {
          one.targetServers = ['1', '10.0.0.2:8443'];
        },
        objects: ['2 servers in the raft configuration', 'raft address 10.0.0.2:8443'],
      },
      'a cluster address of Incus': {
        make: (one) => {
          one.targetLocalSql = `INSERT INTO config VALUES (1, 'cluster.https_address', '10.0.0.1:8443');`;
        },
      },
    },
    not: { 'an Incus that was never started': targetRows(undefined) },
  },
  {
    id: 'source-empty',
    severity: 'blocker',
    from: {
      'only what a first start makes': {
        make: sourceRows(
          'DELETE FROM config; DELETE FROM projects WHERE id = 2; DELETE FROM projects_config WHERE project_id = 2;',
        ),
      },
    },
    not: {
      'one setting': sourceRows(
        'DELETE FROM projects WHERE id = 2; DELETE FROM projects_config WHERE project_id = 2;',
      ),
      'one project': sourceRows('DELETE FROM config;'),
      'one image': sourceRows(
        `DELETE FROM config; DELETE FROM projects WHERE id = 2; DELETE FROM projects_config WHERE project_id = 2;
         INSERT INTO images VALUES (1, 'f', 'f', 1, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0);`,
      ),
    },
  },
  {
    id: 'database-damaged',
    severity: 'blocker',
    from: {
      'an index without its rows': {
        make: (one) => {
          one.sourceSql = instance(1, 'c1');
          one.damage = (image) => {
            const sql = "SELECT rootpage FROM sqlite_master WHERE name = 'instances_project_id_idx'";
            const page = Number(ask(image, sql)[0]?.['rootpage']);
            // Bytes 3 and 4 of a page of an index count its entries (SQLite file format, section 1.6).
            image.writeUInt16BE(0, (page - 1) * 4096 + 3);
            return image;
          };
        },
      },
    },
  },
  {
    id: 'reference-broken',
    severity: 'blocker',
    from: {
      'an instance of a project that is gone': { make: sourceRows(instance(1, 'c1', { project: 9 })) },
      'a setting of a member that is gone, beside rows that can be left out': {
        make: sourceRows(`
          ${pool('dir')} INSERT INTO storage_pools_config VALUES (1, 1, 77, 'source', 'x'), (2, 99, 1, 'source', 'y');
        `),
        objects: ['storage_pools_config row 1 refers to a row of nodes that does not exist'],
      },
      'a device whose instance is gone, beside its own settings': {
        make: sourceRows(
          `INSERT INTO instances_devices VALUES (1, 99, 'd', 0); ${config('instances_devices_config', 1, { a: 'b' })}`,
        ),
        objects: ['instances_devices row 1 refers to a row of instances that does not exist'],
      },
    },
    not: {
      'settings of an object that is gone': sourceRows(
        `INSERT INTO instances_config VALUES (1, 99, 'a', 'b');`,
      ),
    },
  },
  {
    id: 'orphaned-rows',
    severity: 'change',
    from: {
      'settings of an object that is gone': {
        make: sourceRows(`INSERT INTO instances_config VALUES (1, 99, 'a', 'b'), (2, 99, 'c', 'd');`),
        objects: ['2 row(s) of instances_config belong to nothing'],
      },
    },
  },
  // --- the target ---
  {
    id: 'no-incus',
    severity: 'blocker',
    from: {
      'no installation': { make: inContext({ target: undefined }) },
      'a package that was removed': { make: replaceInstallation('target', { program: undefined }) },
    },
  },
  {
    id: 'target-version-unknown',
    severity: 'blocker',
    from: {
      'a daemon that does not say it': {
        make: inContext({ targetVersion: undefined }),
        objects: ['/usr/libexec/incus/incusd'],
      },
    },
  },
  {
    id: 'target-not-empty',
    severity: 'blocker',
    from: {
      'an instance': {
        make: targetRows(`INSERT INTO instances VALUES (1, 'mine');`),
        objects: ['1 instance(s) (mine)'],
      },
      'a second pool beside the defaults': {
        make: targetRows(`${initialised} INSERT INTO storage_pools VALUES (2, 'fast', 'dir');`),
      },
      'a custom volume in the default pool': {
        make: targetRows(`${initialised} INSERT INTO storage_volumes VALUES (1, 'v', 2);`),
      },
      'a trusted certificate': { make: targetRows(`INSERT INTO certificates VALUES (1, 'abcdef');`) },
      'a setting': { make: targetRows(`INSERT INTO config VALUES (1, 'images.default_architecture', 'x');`) },
      'a profile': {
        make: targetRows(`INSERT INTO profiles VALUES (2, 'web', 1);`),
        objects: ['1 profile(s) (web)'],
      },
      'files where there is no database': {
        make: together(targetRows(undefined), (one) => one.host.writeFile('/var/lib/incus/disks/p.img', 'x')),
        objects: ['files in /var/lib/incus/disks'],
      },
    },
    not: {
      'what the daemon writes by itself': targetRows(`INSERT INTO config VALUES (1, 'volatile.uuid', 'x');`),
      'a setting that is empty': targetRows(`INSERT INTO config VALUES (1, 'core.proxy_http', '');`),
      'folders without files': together(targetRows(undefined), (one) => {
        fs.mkdirSync(one.host.path('/var/lib/incus/disks'), { recursive: true });
      }),
    },
  },
  {
    id: 'target-has-defaults',
    severity: 'blocker',
    from: { 'what "incus admin init" makes': { make: targetRows(initialised) } },
    not: { 'nothing at all': targetRows('') },
  },
  {
    id: 'target-not-startable',
    severity: 'blocker',
    from: {
      'no service manager': {
        make: replaceInstallation('target', { service: { kind: 'none' } }),
        objects: ['/var/lib/incus'],
      },
    },
    not: {
      'commands of the user': replaceInstallation('target', {
        service: { kind: 'commands', start: [['start']], stop: [['stop']] },
      }),
    },
  },
  // --- files ---
  {
    id: 'source-is-database-only',
    severity: 'blocker',
    from: {
      'a copy of a database': { make: inContext({ sourceIsWhole: false }), objects: ['/var/lib/lxd'] },
    },
  },
  ...(['source', 'target'] as const).flatMap((role): Appearance[] => {
    const directory = role === 'source' ? '/var/lib/lxd' : '/var/lib/incus';
    return [
      {
        id: `${role}-is-link`,
        severity: 'blocker',
        from: {
          'a link to the real directory': {
            make: ({ host }) => {
              fs.renameSync(host.path(directory), host.path('/srv-of-mine'));
              fs.symlinkSync('/srv-of-mine', host.path(directory));
            },
            objects: [`${directory} → /srv-of-mine`],
          },
        },
      },
      {
        id: `${role}-is-mount`,
        severity: 'blocker',
        from: {
          'mounted on demand': { make: mounts({ path: directory, type: 'autofs' }), objects: [directory] },
          'two file systems, one over the other': {
            make: mounts({ path: directory, device: '/dev/sdb' }, { path: directory, device: '/dev/sdc' }),
            objects: [directory],
          },
          'bound onto itself': {
            make: mounts(
              { path: '/var', device: '/dev/sdb', root: '/v' },
              { path: directory, device: '/dev/sdb', root: `/v${directory.slice(4)}` },
            ),
            objects: [directory],
          },
        },
        not: {
          'a file system of its own': mount(directory),
          'a folder that is bound there': mounts({ path: directory, device: '/dev/sda', root: '/srv/data' }),
          'a neighbour with one': mount(`${directory}-data`),
        },
      },
    ];
  }),
  {
    id: 'mount-inside-source',
    severity: 'blocker',
    from: {
      'images on a file system of their own': {
        make: mount('/var/lib/lxd/images'),
        objects: ['/var/lib/lxd/images'],
      },
      'a pool that fstab mounts': {
        make: ({ host }) =>
          host.writeFile('/etc/fstab', '/dev/sdb\t/var/lib/lxd/storage-pools/p  ext4 defaults 0 2\n'),
        objects: ['/var/lib/lxd/storage-pools/p'],
      },
      'a folder inside the files of a container': {
        make: together(
          sourceRows(pool('dir')),
          mount('/var/lib/lxd/storage-pools/p/containers/c1/rootfs/mnt'),
        ),
        objects: ['/var/lib/lxd/storage-pools/p/containers/c1/rootfs/mnt'],
      },
      'a volume': { make: mount('/var/lib/lxd/storage-pools/p/custom/default_v') },
      'a container': { make: mount('/var/lib/lxd/containers/c1') },
    },
    not: {
      'what LXD mounts by itself': together(
        sourceRows(pool('btrfs')),
        sourceRows("INSERT INTO storage_pools_config VALUES (1, 1, 1, 'source', '/dev/sdb');"),
        mounts(
          { path: '/var/lib/lxd/devlxd', type: 'tmpfs' },
          { path: '/var/lib/lxd/shmounts', type: 'tmpfs' },
          { path: '/var/lib/lxd/storage-pools/p', type: 'btrfs' },
          { path: '/var/lib/lxd/devices/c1/disk.x' },
        ),
      ),
      'a mount of a neighbour': mount('/var/lib/lxd-data/images'),
      'a line of fstab that is a comment, and one for elsewhere': ({ host }) =>
        host.writeFile(
          '/etc/fstab',
          '# /dev/sdb /var/lib/lxd/disks ext4\n/dev/sdc /var/lib/lxd-data/x ext4\n\nproc\n',
        ),
    },
  },
  {
    id: 'mount-inside-target',
    severity: 'blocker',
    from: {
      'a folder of the Incus that is set aside': {
        make: mount('/var/lib/incus/backups'),
        objects: ['/var/lib/incus/backups'],
      },
    },
    not: { "Incus's own": mounts({ path: '/var/lib/incus/guestapi', type: 'tmpfs' }) },
  },
  {
    id: 'file-in-use-inside-source',
    severity: 'blocker',
    from: {
      'a loop device on a file in a container': {
        make: inContext({
          loops: [{ device: '/dev/loop7', backingFile: '/var/lib/lxd/containers/c1/disk.img' }],
        }),
        objects: ['/var/lib/lxd/containers/c1/disk.img (loop device /dev/loop7)'],
      },
      'swap space': {
        make: ({ host }) =>
          host.writeFile('/proc/swaps', 'Filename Type Size Used Priority\n/var/lib/lxd/swap file 1 0 -2\n'),
        objects: ['/var/lib/lxd/swap (swap space)'],
      },
    },
    not: {
      'the file of a pool': together(
        sourceRows(pool('btrfs')),
        inContext({ loops: [{ device: '/dev/loop7', backingFile: '/var/lib/lxd/disks/p.img' }] }),
      ),
    },
  },
  {
    id: 'file-in-use-inside-target',
    severity: 'blocker',
    from: {
      'a loop device': {
        make: inContext({ loops: [{ device: '/dev/loop7', backingFile: '/var/lib/incus/disk.img' }] }),
      },
    },
  },
  {
    id: 'mount-from-source',
    severity: 'blocker',
    from: {
      'a line of fstab that binds a folder of a container': {
        make: ({ host }) =>
          host.writeFile('/etc/fstab', '/var/lib/lxd/containers/c1/rootfs/www /srv/www none bind 0 0\n'),
        objects: ['/var/lib/lxd/containers/c1/rootfs/www (/etc/fstab)'],
      },
      'a folder of a pool on a loop device, which would stay in use': {
        make: together(
          sourceRows(pool('btrfs')),
          inContext({ loops: [{ device: '/dev/loop7', backingFile: '/var/lib/lxd/disks/p.img' }] }),
          ({ host }) =>
            host.writeFile(
              '/proc/self/mountinfo',
              '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:44 /custom/default_v /srv/www rw - btrfs /dev/loop7 rw\n',
            ),
        ),
        objects: ['/dev/loop7, /custom/default_v on /srv/www'],
      },
    },
    not: {
      'a line for a neighbour': ({ host }) =>
        host.writeFile('/etc/fstab', '/var/lib/lxd-data/www /srv/www none bind 0 0\n'),
    },
  },
  {
    id: 'mount-from-source',
    severity: 'note',
    from: {
      'a folder of a container that is bound elsewhere by hand': {
        make: ({ host }) =>
          host.writeFile(
            '/proc/self/mountinfo',
            '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:1 /var/lib/lxd/containers/c1 /srv/www rw - ext4 /dev/sda1 rw\n',
          ),
        objects: ['/dev/sda1, /var/lib/lxd/containers/c1 on /srv/www'],
      },
    },
    not: {
      'the same path on another file system': ({ host }) =>
        host.writeFile(
          '/proc/self/mountinfo',
          '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 /var/lib/lxd/containers/c1 /srv/www rw - ext4 /dev/sdb rw\n',
        ),
    },
  },
  {
    id: 'source-is-mount',
    severity: 'blocker',
    from: {
      'a dataset of ZFS': { make: mounts({ path: '/var/lib/lxd', type: 'zfs', device: 'tank/lxd' }) },
      'several lines of fstab': {
        make: together(mount('/var/lib/lxd'), ({ host }) =>
          host.writeFile('/etc/fstab', '/dev/sdb /var/lib/lxd ext4\n/dev/sdc /var/lib/lxd/ ext4 noauto\n'),
        ),
      },
    },
  },
  {
    id: 'target-is-mount',
    severity: 'blocker',
    from: {
      'a line of fstab that is not mounted now': {
        make: ({ host }) => host.writeFile('/etc/fstab', 'LABEL=x /var/lib/incus ext4 noauto 0 0\n'),
      },
    },
  },
  {
    id: 'source-mount-moves',
    severity: 'change',
    from: {
      'a file system of its own': { make: mount('/var/lib/lxd'), objects: ['/var/lib/lxd → /var/lib/incus'] },
    },
    not: { 'one of Incus, which is filled': together(mount('/var/lib/lxd'), mount('/var/lib/incus')) },
  },
  {
    id: 'directory-copied',
    severity: 'change',
    from: {
      'an Incus directory on another file system': {
        make: together(elsewhere, (one) =>
          replaceInstallation('target', { dataDirectory: '/elsewhere/incus' })(one),
        ),
        objects: ['/var/lib/lxd → /elsewhere/incus: 0 B'],
      },
      'an Incus directory that is a mount point': {
        make: together(mount('/var/lib/incus'), inContext({ copy: { bytes: 2 ** 20, subvolumes: [] } })),
        objects: ['/var/lib/lxd → /var/lib/incus: 1.0 MiB'],
      },
    },
    not: { 'one file system': () => {} },
  },
  {
    id: 'subvolumes-to-copy',
    severity: 'blocker',
    from: {
      'a pool of subvolumes': {
        make: together(
          mount('/var/lib/incus'),
          inContext({ copy: { bytes: 1, subvolumes: ['/var/lib/lxd/storage-pools/b'] } }),
        ),
        objects: ['/var/lib/lxd/storage-pools/b'],
      },
    },
    not: { none: together(mount('/var/lib/incus'), inContext({ copy: { bytes: 1, subvolumes: [] } })) },
  },
  {
    id: 'too-little-space',
    severity: 'blocker',
    from: {
      'a database that is larger than the disk': { make: inContext({ imageBytes: 2 ** 60 }) },
      'data that is to be copied and larger than the disk': {
        make: together(mount('/var/lib/incus'), inContext({ copy: { bytes: 2 ** 60, subvolumes: [] } })),
      },
    },
    not: { 'the same data where it is renamed': inContext({ copy: { bytes: 2 ** 60, subvolumes: [] } }) },
  },
  // --- instances ---
  {
    id: 'instance-ephemeral',
    severity: 'loss',
    from: {
      'an ephemeral instance': {
        make: sourceRows(
          `${instance(1, 'c1', { project: 1 })} ${instance(2, 'c2')} UPDATE instances SET ephemeral = 1 WHERE id = 1;`,
        ),
        objects: ['instance default/c1'],
      },
    },
    not: { 'one that is not': sourceRows(instance(1, 'c1')) },
  },
  {
    id: 'saved-state',
    severity: 'loss',
    from: {
      'an instance with one': {
        make: sourceRows(`${instance(1, 'c1')} UPDATE instances SET stateful = 1;`),
        objects: ['instance default/c1'],
      },
      'a snapshot with one': {
        make: sourceRows(
          `${instance(1, 'c1')} INSERT INTO instances_snapshots VALUES (1, 1, 's0', 0, 1, '', NULL), (2, 1, 's1', 0, 0, '', NULL);`,
        ),
        objects: ['instance snapshot default/c1/s0'],
      },
    },
    not: {
      'a snapshot without': sourceRows(
        `${instance(1, 'c1')} INSERT INTO instances_snapshots VALUES (1, 1, 's0', 0, 0, '', NULL);`,
      ),
    },
  },
  {
    id: 'virtual-machine',
    severity: 'loss',
    from: {
      'a virtual machine': {
        make: sourceRows(instance(1, 'v1', { type: 1 })),
        objects: ['instance default/v1'],
      },
    },
    not: { 'a container': sourceRows(instance(1, 'c1')) },
  },
  {
    id: 'dns-name-without-project',
    severity: 'note',
    from: {
      'an instance of another project': {
        make: sourceRows(instance(1, 'c1', { project: 2 })),
        objects: ['instance dev/c1'],
      },
    },
    not: { 'one of project default': sourceRows(instance(1, 'c1')) },
  },
  {
    id: 'device-name',
    severity: 'blocker',
    from: Object.fromEntries(
      ['my device', 'a/b', 'a+b', "it's", '-first', 'last-', 'ü', 'x'.repeat(65), `a${'ü'.repeat(32)}z`].map(
        (name) => [
          `the name ${name} for Incus 7.0.1`,
          {
            make: together(
              sourceRows(
                `${instance(1, 'c1')} INSERT INTO instances_devices VALUES (1, 1, '${name.replaceAll("'", "''")}', 2);`,
              ),
              inContext({ targetVersion: '7.0.1' }),
            ),
            objects: [`instance default/c1, device ${name}`],
          },
        ],
      ),
    ),
    not: {
      'the same name for an Incus that takes it': together(
        sourceRows(`${instance(1, 'c1')} INSERT INTO instances_devices VALUES (1, 1, 'my device', 2);`),
        inContext({ targetVersion: '7.0.0' }),
      ),
      'names that are good': together(
        sourceRows(
          `${instance(1, 'c1')} INSERT INTO instances_devices VALUES (1, 1, 'eth0', 1), (2, 1, 'a', 1), (3, 1, 'a.b_c-d:e', 1), (4, 1, '${'x'.repeat(64)}', 1);`,
        ),
        inContext({ targetVersion: '7.0.2' }),
      ),
    },
  },
  // --- what the target must be able to do ---
  {
    id: 'storage-driver:zfs',
    severity: 'blocker',
    from: { 'a pool of ZFS': { make: sourceRows(pool('zfs')), objects: ['storage pool p'] } },
    not: { 'a pool of btrfs': sourceRows(pool('btrfs')), 'a pool of folders': sourceRows(pool('dir')) },
  },
  ...['lvm', 'ceph', 'cephfs', 'cephobject', 'powerflex', 'pure', 'alletra', 'powerstore', 'brand-new'].map(
    (driver): Appearance => ({
      id: `storage-driver:${driver}`,
      severity: 'blocker',
      from: { [`a pool of ${driver}`]: { make: sourceRows(pool(driver)), objects: ['storage pool p'] } },
    }),
  ),
  {
    id: 'network-ovn',
    severity: 'blocker',
    from: {
      'a network of OVN': {
        make: sourceRows(`INSERT INTO networks VALUES (1, 1, 'ovn1', '', 1, 3);`),
        objects: ['network default/ovn1'],
      },
    },
    not: { 'a bridge': sourceRows(bridge) },
  },
  {
    id: 'command-missing',
    severity: 'blocker',
    from: {
      'what incusd needs to start at all': {
        make: ({ host }) => host.machine.commands.delete('setfattr'),
        objects: ['setfattr'],
      },
      'what a bridge needs': {
        make: together(sourceRows(bridge), ({ host }) => host.machine.commands.delete('dnsmasq')),
        objects: ['dnsmasq'],
      },
      'a firewall for a bridge': {
        make: together(sourceRows(bridge), ({ host }) => host.machine.commands.delete('nft')),
        objects: ['nft or iptables'],
      },
      'nftables for Incus 7, which has no other firewall': {
        make: together(sourceRows(bridge), inContext({ targetVersion: '7.0.0' }), ({ host }) => {
          host.machine.commands.delete('nft');
          host.machine.commands.set('iptables', '/usr/sbin/iptables');
        }),
        objects: ['nft'],
      },
      'the tools of a pool': {
        make: together(sourceRows(pool('btrfs')), ({ host }) => host.machine.commands.delete('btrfs')),
        objects: ['btrfs'],
      },
    },
    not: {
      'what nothing here needs': ({ host }) => {
        for (const command of ['btrfs', 'dnsmasq', 'nft']) host.machine.commands.delete(command);
      },
      'another firewall': together(sourceRows(bridge), ({ host }) => {
        host.machine.commands.delete('nft');
        host.machine.commands.set('iptables', '/usr/sbin/iptables');
      }),
    },
  },
  {
    id: 'no-lxcfs',
    severity: 'note',
    from: {
      'a container without it': {
        make: together(sourceRows(instance(1, 'c1')), ({ host }) => {
          host.machine.mounts = [];
        }),
      },
    },
    not: {
      'nobody who would miss it': ({ host }) => {
        host.machine.mounts = [];
      },
      'one that Incus brings': together(sourceRows(instance(1, 'c1')), ({ host }) => {
        host.machine.mounts = [
          { path: '/var/lib/incus-lxcfs', type: 'fuse.lxcfs', device: 'lxcfs', root: '/' },
        ];
      }),
    },
  },
  {
    id: 'kernel-old',
    severity: 'note',
    from: {
      'Incus 7 on an older kernel': {
        make: together(inContext({ targetVersion: '7.0.2' }), ({ host }) =>
          host.writeFile('/proc/sys/kernel/osrelease', '6.1.0-44-amd64\n'),
        ),
        objects: ['6.1.0-44-amd64'],
      },
    },
    not: {
      'Incus 6 on it': ({ host }) => host.writeFile('/proc/sys/kernel/osrelease', '6.1.0-44-amd64\n'),
      'Incus 7 on a newer one': together(inContext({ targetVersion: '7.0.2' }), ({ host }) =>
        host.writeFile('/proc/sys/kernel/osrelease', '6.12.48+deb13-amd64\n'),
      ),
      'a kernel that nobody can ask': inContext({ targetVersion: '7.0.2' }),
    },
  },
  {
    id: 'source-not-startable',
    severity: 'loss',
    from: {
      'an LXD that runs, and that nothing can start': {
        make: together(replaceInstallation('source', { service: { kind: 'none' } }), (one) =>
          one.host.machine.listeners.set('/var/lib/lxd/unix.socket', 7),
        ),
        objects: ['/var/lib/lxd'],
      },
      'an LXD that runs although its service is masked': {
        make: (one) => {
          one.host.machine.listeners.set('/var/lib/lxd/unix.socket', 7);
          mask(one.host, 'lxd.service');
        },
        objects: ['lxd.service'],
      },
    },
    not: {
      'one that does not run': replaceInstallation('source', { service: { kind: 'none' } }),
      'one that commands start': together(
        replaceInstallation('source', { service: { kind: 'commands', start: [['a']], stop: [['b']] } }),
        (one) => one.host.machine.listeners.set('/var/lib/lxd/unix.socket', 7),
      ),
    },
  },
  {
    id: 'not-readable',
    severity: 'note',
    from: {
      'databases that this user may not read': {
        make: together(inContext({ unreadable: ['/var/lib/incus'] }), (one) => {
          one.host.machine.userId = 1000;
        }),
        objects: ['/var/lib/incus'],
      },
    },
  },
  {
    id: 'not-readable',
    severity: 'blocker',
    from: {
      'databases that not even root may read': {
        make: inContext({ unreadable: ['/var/lib/lxd/database/local.db'] }),
        objects: ['/var/lib/lxd/database/local.db'],
      },
    },
  },
  {
    id: 'target-masked',
    severity: 'blocker',
    from: {
      'a service that is masked': {
        make: together(targetUnits, ({ host }) => mask(host, 'incus.service')),
        objects: ['incus.service'],
      },
      'a socket that is an empty file': {
        make: together(targetUnits, ({ host }) => host.writeFile('/etc/systemd/system/incus.socket', '')),
        objects: ['incus.socket'],
      },
    },
    not: {
      'a check at boot that is masked: it stays so': together(targetUnits, ({ host }) =>
        mask(host, 'incus-startup.service'),
      ),
      'no mask': targetUnits,
    },
  },
  {
    id: 'service-manager-offline',
    severity: 'blocker',
    from: {
      'an Incus whose units nothing can start': {
        make: replaceInstallation('target', {
          service: { kind: 'none', offline: 'not booted\nwith systemd' },
        }),
        objects: ['/var/lib/incus'],
      },
      'an LXD that runs, and whose units nothing can stop': {
        make: together(
          replaceInstallation('source', { service: { kind: 'none', offline: 'not booted' } }),
          (one) => one.host.machine.listeners.set('/var/lib/lxd/unix.socket', 7),
        ),
        objects: ['/var/lib/lxd'],
      },
    },
    not: {
      'an LXD that does not run': replaceInstallation('source', {
        service: { kind: 'none', offline: 'not booted' },
      }),
      'commands of the user': replaceInstallation('target', {
        service: { kind: 'commands', start: [['start']], stop: [['stop']] },
      }),
    },
  },
  {
    id: 'source-may-come-back',
    severity: 'note',
    from: {
      'an LXD that no unit starts': {
        make: replaceInstallation('source', { service: { kind: 'none' } }),
        objects: ['/var/lib/lxd'],
      },
    },
  },
  {
    id: 'unit-not-maskable',
    severity: 'blocker',
    from: {
      'a unit file where the mask would be': {
        make: ({ host }) => host.writeFile('/etc/systemd/system/lxd.service', '[Unit]\n'),
        objects: ['/etc/systemd/system/lxd.service'],
      },
    },
    not: {
      'a unit that is masked already': ({ host }) => {
        fs.mkdirSync(host.path('/etc/systemd/system'), { recursive: true });
        fs.symlinkSync('/dev/null', host.path('/etc/systemd/system/lxd.service'));
      },
      'a unit that is linked from elsewhere: the link gives way': ({ host }) => {
        fs.mkdirSync(host.path('/etc/systemd/system'), { recursive: true });
        host.writeFile('/opt/lxd/lxd.service', '[Unit]\n');
        fs.symlinkSync(host.path('/opt/lxd/lxd.service'), host.path('/etc/systemd/system/lxd.service'));
      },
    },
  },
  {
    id: 'database-cell',
    severity: 'blocker',
    from: {
      'bytes for a name': {
        make: sourceRows(`${instance(1, 'c1')} UPDATE instances SET name = x'00ff';`),
        objects: ['instances.name: 1 cell(s) that are no text'],
      },
      'bytes for a value and for a key': {
        make: sourceRows("INSERT INTO config (key, value) VALUES ('core.trust_ca', x'31'), (x'6b', 'v');"),
        objects: ['config.key: 1 cell(s) that are no text', 'config.value: 1 cell(s) that are no text'],
      },
      'a word for a number': {
        make: sourceRows(`${instance(1, 'c1')} UPDATE instances SET type = 'container';`),
        objects: ['instances.type: 1 cell(s) that are no integer'],
      },
    },
    not: {
      'JSON as bytes, which is how LXD writes it': sourceRows(
        "INSERT INTO networks_acls (name, project_id, description, ingress, egress) VALUES ('a', 1, '', x'5b5d', x'5b5d');",
      ),
      'bytes in a table of somebody else': sourceRows(
        "CREATE TABLE mine (a TEXT); INSERT INTO mine VALUES (x'00');",
      ),
    },
  },
  {
    id: 'local-database-missing',
    severity: 'blocker',
    from: {
      'a data directory without it': {
        make: (one) => inContext({ sourceDatabase: withoutLocal })(one),
        objects: ['/var/lib/lxd/database/local.db'],
      },
    },
    not: {
      'a copy of the database alone': (one) =>
        inContext({ sourceDatabase: withoutLocal, sourceIsWhole: false })(one),
      'one that may not be read': (one) =>
        inContext({
          sourceDatabase: withoutLocal,
          unreadable: [one.host.path('/var/lib/lxd/database/local.db')],
        })(one),
    },
  },
  {
    id: 'member-config-lost:core.https_address',
    severity: 'loss',
    from: {
      'a daemon that listens where its database says nothing': {
        make: listens('::', 8443),
        objects: ['core.https_address = [::]:8443'],
      },
      'a daemon that listens elsewhere than its database says': {
        make: together(listens('127.0.0.1', 9443), localRows({ 'core.https_address': ':8443' })),
        objects: ['core.https_address = 127.0.0.1:9443'],
      },
    },
    not: {
      'an address that is set': together(
        listens('0.0.0.0', 8443),
        localRows({ 'core.https_address': '0.0.0.0:8443' }),
      ),
      'an address without a port': together(listens('::', 8443), localRows({ 'core.https_address': '[::]' })),
      'a socket of another process': together(listens('0.0.0.0', 8443), ({ host }) => {
        host.machine.ports = host.machine.ports.filter(({ pid }) => pid !== 40);
      }),
      'an LXD on another directory': together(listens('0.0.0.0', 8443), ({ host }) => {
        host.writeFile('/proc/40/environ', 'LXD_DIR=/srv/lxd\0');
      }),
      'a copy of the database alone': together(listens('0.0.0.0', 8443), inContext({ sourceIsWhole: false })),
    },
  },
  {
    id: 'member-config-lost:core.storage_buckets_address',
    severity: 'loss',
    from: {
      'the port of buckets, beside an API that is set': {
        make: together(listens('::', 9000), localRows({ 'core.https_address': ':8443' })),
        objects: ['core.storage_buckets_address = [::]:9000'],
      },
    },
    not: {
      'one that is set without a port': together(
        listens('::', 9000),
        localRows({ 'core.storage_buckets_address': '[::]' }),
      ),
      'a port that the API is told to have': together(
        listens('::', 9000),
        localRows({ 'core.https_address': ':9000' }),
      ),
    },
  },
  {
    id: 'member-config-lost:core.debug_address',
    severity: 'loss',
    from: {
      'the port of debugging': {
        make: together(listens('127.0.0.1', 8080), localRows({ 'core.https_address': ':8443' })),
        objects: ['core.debug_address = 127.0.0.1:8080'],
      },
    },
    not: { 'another port': together(listens('::', 8443), localRows({ 'core.https_address': ':8443' })) },
  },
  {
    id: 'member-config-lost:address',
    severity: 'loss',
    from: {
      'a port that tells nothing, of an LXD whose API is where it should be': {
        make: together(listens('::', 8443), localRows({ 'core.https_address': ':8443' }), ({ host }) => {
          const [own] = host.machine.ports;
          if (own !== undefined) host.machine.ports = [own, { ...own, port: 7777 }];
        }),
        objects: ['[::]:7777'],
      },
      'a port that tells nothing, beside that of an API of which the address is lost too': {
        make: together(listens('::', 8443), ({ host }) => {
          const [own] = host.machine.ports;
          if (own !== undefined) host.machine.ports = [own, { ...own, port: 9101 }];
        }),
        objects: ['[::]:9101'],
      },
      'two ports that tell nothing': {
        make: together(listens('::', 7777), ({ host }) => {
          const [own] = host.machine.ports;
          if (own !== undefined) host.machine.ports = [own, { ...own, port: 7778 }];
        }),
        // The first of two; both are merged into one for a user.
        objects: ['[::]:7777'],
      },
    },
    not: {
      'an LXD that listens elsewhere than it is told': together(
        listens('127.0.0.1', 7777),
        localRows({ 'core.https_address': ':8443' }),
      ),
    },
  },
  {
    id: 'member-config-lost:core.syslog_socket',
    severity: 'loss',
    from: {
      'a socket that LXD takes lines from': {
        make: ({ host }) =>
          host.writeFile('/proc/net/unix', 'Num\nff 2 0 0 2 1 4 /var/lib/lxd/syslog.socket\n'),
        objects: ['core.syslog_socket = true'],
      },
    },
    not: {
      'one that is set': together(
        ({ host }) => host.writeFile('/proc/net/unix', 'Num\nff 2 0 0 2 1 4 /var/lib/lxd/syslog.socket\n'),
        localRows({ 'core.syslog_socket': 'true' }),
      ),
      'a socket of another directory': ({ host }) =>
        host.writeFile('/proc/net/unix', 'Num\nff 2 0 0 2 1 4 /srv/lxd/syslog.socket\n'),
    },
  },
  {
    id: 'member-config-lost:core.metrics_address',
    severity: 'loss',
    from: {
      'the port of metrics': {
        make: together(listens('0.0.0.0', 9100), localRows({ 'core.https_address': ':8443' })),
        objects: ['core.metrics_address = 0.0.0.0:9100'],
      },
    },
    not: {
      'one that is set': together(
        listens('0.0.0.0', 9100),
        localRows({ 'core.metrics_address': '0.0.0.0:9100' }),
      ),
    },
  },
  {
    id: 'member-config-lost:storage.images_volume',
    severity: 'blocker',
    from: {
      'a link of LXD to a volume': {
        make: daemonLink('images'),
        objects: ['storage.images_volume = fast/pictures', '/var/lib/lxd/images'],
      },
      'images whose files are on a volume, and an empty folder': {
        make: together(sourceRows(image), ({ host }) => {
          fs.mkdirSync(host.path('/var/lib/lxd/images'), { recursive: true });
          host.writeFile(`/var/lib/lxd/storage-pools/fast/custom/default_pictures/${fingerprint}`, '');
        }),
        objects: ['storage.images_volume = fast/pictures', '/var/lib/lxd/images'],
      },
    },
    not: {
      'a volume that is set': together(
        daemonLink('images'),
        localRows({ 'storage.images_volume': 'fast/pictures' }),
      ),
      "a link of the administrator's": ({ host }) => {
        fs.mkdirSync(host.path('/var/lib/lxd'), { recursive: true });
        fs.symlinkSync('/srv/images', host.path('/var/lib/lxd/images'));
      },
      'images in their folder': together(sourceRows(image), ({ host }) => {
        host.writeFile(`/var/lib/lxd/images/${fingerprint}`, '');
        host.writeFile(`/var/lib/lxd/storage-pools/fast/custom/default_copy/${fingerprint}`, '');
      }),
      'images that are nowhere': sourceRows(image),
    },
  },
  {
    id: 'member-config-lost:storage.backups_volume',
    severity: 'blocker',
    from: {
      'a link of LXD to a volume': {
        make: daemonLink('backups'),
        objects: ['storage.backups_volume = fast/pictures', '/var/lib/lxd/backups'],
      },
    },
    not: { 'a folder': ({ host }) => host.writeFile('/var/lib/lxd/backups/instances/x', '') },
  },
  {
    id: 'daemon-volume-folder:images',
    severity: 'blocker',
    from: {
      'a volume that is set, and a folder with files': {
        make: together(localRows({ 'storage.images_volume': 'fast/pictures' }), ({ host }) =>
          host.writeFile(`/var/lib/lxd/images/${fingerprint}`, ''),
        ),
        objects: ['/var/lib/lxd/images'],
      },
    },
    not: {
      'an empty folder': together(localRows({ 'storage.images_volume': 'fast/pictures' }), ({ host }) => {
        fs.mkdirSync(host.path('/var/lib/lxd/images'), { recursive: true });
      }),
      'a folder, and no volume': ({ host }) => host.writeFile(`/var/lib/lxd/images/${fingerprint}`, ''),
    },
  },
  {
    id: 'id-range-added',
    severity: 'change',
    from: {
      'no range of root': {
        make: together(sourceRows(instance(1, 'c1')), idFiles('lxd:1000000:1000000000\n')),
        objects: ['/etc/subuid: root:1000000:1000000000', '/etc/subgid: root:1000000:1000000000'],
      },
      'a range of root that is too small, in one file': {
        make: together(sourceRows(instance(1, 'c1')), idFiles('root:1000000:1000000000\n', 'root:1000:1\n')),
        objects: ['/etc/subgid: root:1000000:1000000000'],
      },
      'empty files': { make: together(sourceRows(instance(1, 'c1')), idFiles('')) },
      'a range that was lost, and files that lie in it': {
        make: together(mapped(100_000, 10_000_001), idFiles('lxd:100000:10000001\n')),
        objects: ['/etc/subuid: root:100000:10000001', '/etc/subgid: root:100000:10000001'],
      },
      'a range with a blank behind it': {
        make: together(mapped(100_000, 65_536), idFiles('root:100000:65536 \n')),
        objects: ['/etc/subuid: root:100000:65536', '/etc/subgid: root:100000:65536'],
      },
      'a range of more than 32 bits': {
        make: together(mapped(1_000_000, 1_000_000_000), idFiles('root:1000000:4294967296\n')),
        objects: ['/etc/subuid: root:1000000:1000000000', '/etc/subgid: root:1000000:1000000000'],
      },
      'a range by number that is another one': {
        make: together(mapped(1_000_000, 1_000_000_000), idFiles('0:100000:65536\n')),
        objects: ['/etc/subuid: root:1000000:1000000000', '/etc/subgid: root:1000000:1000000000'],
      },
      'an id of raw.idmap that newuidmap would not grant': {
        make: together(withRawMap, idFiles('root:1000000:1000000000\n')),
        objects: ['/etc/subuid: root:1000:1', '/etc/subgid: root:1000:1'],
      },
    },
    not: {
      'no files at all, where Incus takes its default': together(
        sourceRows(instance(1, 'c1')),
        idFiles(undefined),
      ),
      'a range by number': together(sourceRows(instance(1, 'c1')), idFiles('0:1000000:65536\n')),
      'nobody who needs one': together(sourceRows(instance(1, 'v1', { type: 1 })), idFiles('')),
      'containers that are all privileged': together(
        sourceRows(
          `${instance(1, 'c1')} ${config('instances_config', 1, { 'security.privileged': 'true' })}`,
        ),
        idFiles(''),
      ),
      'an id of raw.idmap that has its line': together(
        withRawMap,
        idFiles('root:1000000:1000000000\nroot:1000:1\n'),
      ),
      'no tool that would refuse an id of raw.idmap': together(withRawMap, ({ host }) => {
        host.machine.commands.delete('newuidmap');
      }),
    },
  },
  {
    id: 'id-range-too-small',
    severity: 'blocker',
    from: {
      'files below the range': { make: mapped(100_000, 65_536), objects: ['instance default/c1'] },
      'files that end beyond the range': {
        make: together(mapped(1_000_000, 65_537), idFiles('root:1000000:65536\n')),
      },
      'groups beyond their own range': {
        make: together(
          mapped(1_000_000, 1_000_000),
          idFiles('root:1000000:1000000000\n', 'root:1000000:65536\n'),
        ),
      },
      'a map that lies in two ranges': {
        make: together(mapped(1_000_000, 131_072), idFiles('root:1000000:65536\nroot:2000000:65536\n')),
      },
      'a range that was lost, of which somebody else has a part by now': {
        make: together(mapped(100_000, 10_000_001), idFiles('alice:165536:65536\n')),
        objects: ['instance default/c1'],
      },
      'a range that was lost, among the ids of the system': {
        make: together(mapped(1000, 65_536), idFiles('')),
      },
      'a range that was lost in one file, beside another one in the other': {
        make: together(mapped(1_000_000, 1_000_000_000), idFiles('', 'root:100000:65536\n')),
      },
      'no tools of shadow, without which Incus does not read the files': {
        make: together(mapped(100_000, 65_536), idFiles('root:100000:65536\n'), ({ host }) => {
          host.machine.commands.delete('newgidmap');
        }),
      },
      'raw.idmap, for which Incus makes the map anew, in a range that was widened': {
        make: together(withRawMap, idFiles('root:1000000:1000000001\nroot:1000:1\n')),
        objects: ['instance default/c1'],
      },
      'a line too long to be read before that of root': {
        make: together(
          mapped(1_000_000, 65_536),
          idFiles(`#${'x'.repeat(65_536)}\nroot:1000000:1000000000\n`),
        ),
      },
    },
    not: {
      'files inside': mapped(1_000_000, 1_000_000_000),
      'files in a second range': together(
        mapped(2_000_000, 65_536),
        idFiles('root:1000000:65536\nroot:2000000:65536\n'),
      ),
      'an idmapped mount': sourceRows(
        `${instance(1, 'c1')} ${config('instances_config', 1, { 'volatile.last_state.idmap': '[]' })}`,
      ),
      'a map that cannot be read': sourceRows(
        `${instance(1, 'c1')} ${config('instances_config', 1, { 'volatile.last_state.idmap': 'none' })}`,
      ),
      'a container that is privileged by its profile': together(
        mapped(100_000, 65_536),
        sourceRows(
          `${config('profiles_config', 1, { 'security.privileged': 'true' })} INSERT INTO instances_profiles (instance_id, profile_id, apply_order) VALUES (1, 1, 0);`,
        ),
      ),
      'no files at all': together(mapped(1_000_000, 1_000_000_000), idFiles(undefined)),
      'raw.idmap in the range of before': withRawMap,
    },
  },
  {
    id: 'id-range-not-granted',
    severity: 'blocker',
    from: {
      'a name in another case': {
        make: together(mapped(100_000, 65_536), idFiles('Root:100000:65536\n')),
        objects: ['instance default/c1'],
      },
      'lines of Windows': { make: together(mapped(100_000, 65_536), idFiles('root:100000:65536\r\n')) },
      'a fourth field': { make: together(mapped(100_000, 65_536), idFiles('root:100000:65536:x\n')) },
      'no files at all': { make: together(mapped(1_000_000, 65_536), idFiles(undefined)) },
    },
    not: {
      'a plain line': together(mapped(100_000, 65_536), idFiles('root:100000:65536')),
      'tools that are not there': together(mapped(1_000_000, 65_536), idFiles(undefined), ({ host }) => {
        host.machine.commands.delete('newuidmap');
      }),
    },
  },
  {
    id: 'id-map-file-unreadable',
    severity: 'blocker',
    from: {
      'a line without two colons': {
        make: together(mapped(1_000_000, 65_536), idFiles('root:1000000:1000000000\nlxd\n')),
        objects: ['/etc/subuid, line 2: "lxd"', '/etc/subgid, line 2: "lxd"'],
      },
      'a line that holds nothing but a blank': {
        make: together(sourceRows(instance(1, 'c1')), idFiles(' \nroot:1000000:1000000000\n')),
        objects: [
          '/etc/subuid, line 1: " ": byte 1 is a blank (20); remove the line',
          '/etc/subgid, line 1: " ": byte 1 is a blank (20); remove the line',
        ],
      },
      'a line whose fields a tab divides': {
        make: together(mapped(1_000_000, 65_536), idFiles('root\t1000000\t1000000000\n')),
        objects: [
          '/etc/subuid, line 1: "root\\t1000000\\t1000000000": byte 5 is a tab (09); write the line as root:1000000:1000000000',
          '/etc/subgid, line 1: "root\\t1000000\\t1000000000": byte 5 is a tab (09); write the line as root:1000000:1000000000',
        ],
      },
      'a pipe': {
        make: ({ host }) => {
          fs.rmSync(host.path('/etc/subuid'));
          execFileSync('mkfifo', [host.path('/etc/subuid')]);
        },
        objects: ['/etc/subuid: A file is expected here, and this is a named pipe.'],
      },
      'a folder': {
        make: ({ host }) => {
          fs.rmSync(host.path('/etc/subgid'));
          fs.mkdirSync(host.path('/etc/subgid'));
        },
        objects: ['/etc/subgid: A file is expected here, and this is a folder.'],
      },
      'a link that leads nowhere': {
        make: ({ host }) => {
          fs.rmSync(host.path('/etc/subgid'));
          fs.symlinkSync('none', host.path('/etc/subgid'));
        },
        objects: ['/etc/subgid: it is a link that leads nowhere'],
      },
      'a link onto itself': {
        make: ({ host }) => {
          fs.rmSync(host.path('/etc/subgid'));
          fs.symlinkSync('subgid', host.path('/etc/subgid'));
        },
        objects: ['/etc/subgid: ELOOP'],
      },
      'a file without an end': {
        make: ({ host }) => fs.truncateSync(host.path('/etc/subuid'), 2 ** 40),
        objects: ['/etc/subuid: This file has 1.0 TiB; no more than 16.0 MiB are read.'],
      },
    },
    not: {
      'a line without two colons where no container needs ids': together(
        sourceRows(instance(1, 'v1', { type: 1 })),
        idFiles('lxd\n'),
      ),
      'a link to a file': ({ host }) => {
        fs.renameSync(host.path('/etc/subgid'), host.path('/etc/other'));
        fs.symlinkSync('other', host.path('/etc/subgid'));
      },
      'bytes that are no text': together(
        mapped(1_000_000, 65_536),
        idFiles('\u0000\u0001\ufffd:1:2\nroot:1000000:1000000000\n'),
      ),
    },
  },
  {
    id: 'id-range-several',
    severity: 'loss',
    from: {
      'two large ranges of root': {
        make: together(
          mapped(2_000_000, 65_536),
          idFiles('root:1000000:65536\nroot:2000000:65536\n', 'root:2000000:65536\n'),
        ),
        objects: ['/etc/subuid: root:1000000:65536, root:2000000:65536'],
      },
    },
    not: {
      'a second one for a single id': together(
        mapped(1_000_000, 65_536),
        idFiles('root:1000000:65536\nroot:1000:1\n'),
      ),
      'one by name and one by number': together(
        mapped(1_000_000, 65_536),
        idFiles('root:1000000:65536\n0:2000000:65536\n'),
      ),
    },
  },
  {
    id: 'id-range-other',
    severity: 'change',
    from: {
      'a container with mapped mounts, and a range elsewhere': {
        make: together(
          sourceRows(
            `${instance(1, 'c1')} ${config('instances_config', 1, { 'volatile.last_state.idmap': '[]', 'volatile.idmap.next': idmap(1_000_000, 1_000_000_000) })}`,
          ),
          idFiles('root:100000:65536\n'),
        ),
        objects: ['instance default/c1'],
      },
    },
    not: { 'the same range': mapped(1_000_000, 1_000_000_000) },
  },
  {
    id: 'id-range-differs',
    severity: 'change',
    from: {
      'a range by number, which LXD does not know': {
        make: together(sourceRows(instance(1, 'c1')), idFiles('0:2000000:65536\n')),
        objects: ['/etc/subuid', '/etc/subgid'],
      },
    },
    not: {
      'a range by name': mapped(1_000_000, 65_536),
      'the range that LXD takes without a line': together(sourceRows(instance(1, 'c1')), idFiles('')),
    },
  },
  {
    id: 'id-map-line-odd',
    severity: 'note',
    from: {
      'a blank behind a range': {
        make: together(
          mapped(1_000_000, 65_536),
          idFiles('root:1000000:65536\nroot:5:1 \n', 'root:1000000:65536\n'),
        ),
        objects: [
          '/etc/subuid, line 2: "root:5:1 ": there is a blank beside a number, so LXD and Incus skip the line (byte 9 is a blank (20); write the line as root:5:1)',
        ],
      },
      'a byte order mark before a range': {
        make: together(
          mapped(1_000_000, 65_536),
          idFiles('\ufeffroot:5:1\nroot:1000000:65536\n', 'root:1000000:65536\n'),
        ),
        objects: [
          '/etc/subuid, line 1: "\\xef\\xbb\\xbfroot:5:1": nobody takes it for root\'s (byte 1 is a byte order mark (ef bb bf); write the line as root:5:1)',
        ],
      },
      'a line that is too long': {
        make: together(
          mapped(1_000_000, 65_536),
          idFiles(`root:1000000:65536\n#${'x'.repeat(65_536)}\n`, 'root:1000000:65536\n'),
        ),
        objects: ['/etc/subuid, line 2: too long, so LXD and Incus read nothing from here on'],
      },
    },
    not: { 'plain lines': together(mapped(1_000_000, 65_536), idFiles('# mine\n\nroot:1000000:65536\n')) },
  },
];

describe.each(appearances)('$id', ({ id, severity, from, not }) => {
  test.each(Object.entries(from))('appears with %s', (_what, { make, objects }) => {
    const one = situation();

    make(one);
    const found = finding(one, id);

    expect(found).toMatchObject({ id, severity, ...(objects === undefined ? {} : { objects }) });
    expect(found?.objects.length).toBeGreaterThan(0);
    expect(found?.what).toMatch(/\.$/);
    expect(found?.action).toMatch(/\.$/);
  });

  test.each(Object.entries(not ?? {}))('does not appear with %s', (_what, make) => {
    const one = situation();

    make(one);

    expect(idsOf(one)).not.toContain(id);
  });
});

test('a database of an unknown schema is not looked into: its tables may mean something else', () => {
  const one = situation();
  one.sourceSql = `UPDATE schema SET version = 30; DROP TABLE instances; DROP TABLE storage_pools; DROP TABLE networks;`;

  expect(idsOf(one)).toEqual(['schema-unknown']);
});

describe('an answer', () => {
  const loss = { id: 'x', severity: 'loss', objects: [], what: '', action: '', answers: ['accept'] } as const;
  const defaults = { ...loss, id: 'y', severity: 'blocker', answers: ['fix'] } as const;
  const blocker = { id: 'z', severity: 'blocker', objects: [], what: '', action: '' } as const;
  const none = { accept: new Set<string>(), fix: false };

  test('is needed for losses and blockers only', () => {
    expect(isOpen(loss, none)).toBe(true);
    expect(isOpen(blocker, none)).toBe(true);
    expect(isOpen({ ...blocker, severity: 'change' }, none)).toBe(false);
    expect(isOpen({ ...blocker, severity: 'note' }, none)).toBe(false);
  });

  test('counts for the finding that it names, and where the finding takes such an answer', () => {
    expect(isOpen(loss, { accept: new Set(['x']), fix: false })).toBe(false);
    expect(isOpen(loss, { accept: new Set(['other']), fix: true })).toBe(true);
    expect(isOpen(defaults, { accept: new Set(['y']), fix: false })).toBe(true);
    expect(isOpen(defaults, { accept: new Set(), fix: true })).toBe(false);
    expect(isOpen(blocker, { accept: new Set(['z']), fix: true })).toBe(true);
  });
});

test('findings of one id become one with the objects of all; the gravest come first', () => {
  const make = (id: string, severity: 'blocker' | 'loss' | 'change' | 'note', ...objects: string[]) => ({
    id,
    severity,
    objects,
    what: '',
    action: '',
  });

  const merged = mergeFindings([
    make('n', 'note', 'a'),
    make('l', 'loss', 'b', 'c'),
    make('b2', 'blocker'),
    make('l', 'loss', 'c', 'd'),
    make('b1', 'blocker'),
    make('c', 'change'),
  ]);

  expect(merged.map(({ id }) => id)).toEqual(['b1', 'b2', 'l', 'c', 'n']);
  expect(merged[2]?.objects).toEqual(['b', 'c', 'd']);
});

describe('no Incus: the command that installs it', () => {
  test.each([
    [
      'ID=debian\nVERSION_CODENAME=bookworm\n',
      'apt-get install -t bookworm-backports incus-base incus-client',
    ],
    ['ID=debian\nVERSION_CODENAME=trixie\n', 'Install it: apt-get install incus-base incus-client.'],
    ['NAME=x\nID="fedora"\n', 'Install it: dnf install incus.'],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'Install it: apt-get install incus-base incus-client.'],
    ['ID=other\n', 'with the package manager of this distribution'],
  ])('on %j', (release, command) => {
    const one = situation();
    one.host.writeFile('/etc/os-release', release);
    one.context = { target: undefined };

    expect(finding(one, 'no-incus')?.action).toContain(command);
  });
});

describe('a line of root that an unseen byte spoils stands in the way, with the byte and the line as it should be', () => {
  const spoilt = 'A byte keeps a line of root from being read: /etc/subuid, line 2: ';

  test.each([
    [
      'a byte order mark',
      'id-range-too-small',
      'daemon:1:1\n\ufeffroot:100000:65536\n',
      'byte 1 is a byte order mark (ef bb bf); write the line as root:100000:65536',
    ],
    [
      'a tab behind the name',
      'id-range-too-small',
      'daemon:1:1\nroot\t:100000:65536\n',
      'byte 5 is a tab (09); write the line as root:100000:65536',
    ],
    [
      'a line end of Windows',
      'id-range-not-granted',
      'daemon:1:1\nroot:100000:65536\r\n',
      'byte 18 is a line end of Windows (0d); write the line as root:100000:65536',
    ],
  ])('%s', (_what, id, text, says) => {
    const one = situation();
    together(mapped(100_000, 65_536), idFiles(text, 'root:100000:65536\n'))(one);

    const found = finding(one, id);

    expect(found).toMatchObject({ severity: 'blocker', action: `${spoilt}${says}. Then plan again.` });
  });

  test('and nothing is said of it where the range is too small, and that line is read', () => {
    const one = situation();
    together(mapped(1_000_000, 65_537), idFiles('root:1000000:65536\r\n'))(one);

    const found = finding(one, 'id-range-too-small');

    expect(found?.action).toContain('Widen the one range of root');
  });
});
