// backup.yaml of very many instances: the daemon writes some, the others are written as it wrote those.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { standaloneConfiguration } from '../../../src/dqlite/index.ts';
import { writeFreshDirectory } from '../../../src/dqlite/write-fresh-directory.ts';
import { refreshBackupFiles } from '../../../src/migrate/backup-files/refresh-backup-files.ts';
import { daemonClient } from '../../../src/migrate/daemon/client.ts';
import { errorAnswer, syncAnswer } from '../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { watchFiles } from '../../fakes/watched-files.ts';
import { instance as instanceRow } from '../convert/converted.ts';
import { lxdDatabase } from '../lxd-database.ts';

// Without waiting for the disk.
watchFiles();

const directory = '/var/lib/incus';
const count = 30;
const folderOf = (name: string): string => `${directory}/storage-pools/default/containers/${name}`;
const fileOf = (name: string): string => `${folderOf(name)}/backup.yaml`;
const pool = {
  name: 'default',
  driver: 'dir',
  config: { source: `${directory}/storage-pools/default` },
  used_by: ['/x'],
};
const profile = {
  name: 'default',
  project: 'default',
  config: { 'user.yes': 'yes' },
  devices: {},
  used_by: ['/x'],
};

type Item = Readonly<Record<string, unknown>> & { readonly name: string };
let host: FakeHost;
let instances: Item[];
let volumes: Item[];
let patched: string[];
/** How many each instance has that has any. */
let snapshots: Map<string, number>;

function instance(name: string, more: object = {}): Item {
  return {
    name,
    project: 'default',
    type: 'container',
    location: 'none',
    status: 'Stopped',
    description: '',
    config: { 'user.text': 'a\nb: "c"', 'user.empty': '', 'user.number': '007' },
    expanded_devices: { root: { type: 'disk', path: '/', pool: 'default' } },
    profiles: ['default'],
    created_at: '2026-11-23T15:23:28.26Z',
    ...more,
  };
}

function contentOf(name: string): object {
  return {
    container: instances.find((one) => one.name === name),
    pool: { ...pool, used_by: [] },
    profiles: [{ ...profile, used_by: [] }],
    volume: { ...volumes.find((one) => one.name === name), used_by: [] },
    ...(snapshots.has(name)
      ? {
          snapshots: snapshotsOf(name),
          volume_snapshots: snapshotsOf(name).map((one) => ({
            name: one.name,
            description: 'of the volume',
            content_type: 'filesystem',
            expires_at: '0001-01-01T00:00:00Z',
          })),
        }
      : {}),
  };
}

function snapshotsOf(name: string): { readonly name: string; readonly expires_at: string }[] {
  return Array.from({ length: snapshots.get(name) ?? 0 }, (_, index) => ({
    name: `s${index}`,
    expires_at: '0001-01-01T00:00:00Z',
  }));
}

function addFolder(name: string, content = 'of LXD'): void {
  host.writeFile(fileOf(name), content);
  host.writeFile(`${directory}/containers/.keep`, '');
  fs.symlinkSync(host.path(folderOf(name)), host.path(`${directory}/containers/${name}`));
}

beforeEach(() => {
  host = fakeHost();
  const names = Array.from({ length: count }, (_, index) => `m${index + 10}`);
  instances = names.map((name) => instance(name));
  volumes = names.map((name) => ({
    name,
    type: 'container',
    project: 'default',
    config: {},
    content_type: 'filesystem',
    used_by: ['/x'],
  }));
  patched = [];
  snapshots = new Map();
  for (const name of names) addFolder(name);
  fs.mkdirSync(host.path(`${directory}/database`));
  writeDatabase('');
  host.onRun(([command]) => (command === 'sync' ? {} : undefined));
});
afterEach(() => host.dispose());

function writeDatabase(sql: string): void {
  const folder = host.path(`${directory}/database/global`);
  fs.rmSync(folder, { recursive: true, force: true });
  writeFreshDirectory(folder, lxdDatabase(sql), { configuration: standaloneConfiguration });
}

/** @param writes what the daemon writes of an instance that is updated */
async function refresh(writes: (name: string) => object = contentOf) {
  host.onRequest((_, { method, path }) => {
    const { pathname } = new URL(path, 'http://localhost');
    if (method === 'PATCH') {
      const name = pathname.split('/').at(-1) ?? '';
      patched.push(name);
      fs.rmSync(host.path(fileOf(name)), { force: true });
      host.writeFile(fileOf(name), stringify(writes(name)));
      return syncAnswer(null);
    }
    switch (pathname) {
      case '/1.0':
        return syncAnswer({ api_extensions: ['profiles_all_projects', 'instance_get_full'] });
      case '/1.0/instances':
        return syncAnswer(instances);
      case '/1.0/projects':
        return syncAnswer([{ name: 'default', config: { 'features.profiles': 'true' } }]);
      case '/1.0/profiles':
        return syncAnswer([profile]);
      case '/1.0/storage-pools':
        return syncAnswer([pool]);
      case '/1.0/storage-pools/default/volumes':
        return syncAnswer(volumes);
    }
    const [, ofInstance] = /^\/1\.0\/instances\/([^/]+)$/.exec(pathname) ?? [];
    if (ofInstance !== undefined) return syncAnswer({ name: ofInstance, snapshots: snapshotsOf(ofInstance) });
    const [, ofVolume] = /\/volumes\/container\/([^/]+)\/snapshots$/.exec(pathname) ?? [];
    if (ofVolume === undefined) return errorAnswer(404, path);
    // Incus 6.0 names both.
    return syncAnswer(
      snapshotsOf(ofVolume).map(({ name }) => ({
        name: `${ofVolume}/${name}`,
        description: 'of the volume',
        content_type: '',
        expires_at: null,
      })),
    );
  });
  return refreshBackupFiles(host, daemonClient(host, '/unix.socket'), directory);
}

const written = (name: string): string => fs.readFileSync(host.path(fileOf(name)), 'utf8');

test('some are updated, the files of the others are what the daemon would write, readable by root alone', async () => {
  expect(await refresh()).toEqual([]);

  expect(patched.toSorted()).toEqual(['m10', 'm11', 'm12']);
  for (const { name } of instances) expect(parse(written(name))).toEqual(contentOf(name));
  expect(fs.statSync(host.path(fileOf('m39'))).mode & 0o777).toBe(0o400);
  expect(fs.readdirSync(host.path(folderOf('m39')))).toEqual(['backup.yaml']);
});

test('texts that a reader of YAML 1.1 would take for something else are in quotes', async () => {
  await refresh();

  expect(written('m39')).toContain('user.yes: "yes"');
  expect(written('m39')).toContain('user.number: "007"');
  expect(written('m39')).toContain('created_at: "2026-11-23T15:23:28.26Z"');
});

test('where the daemon writes anything otherwise, it writes all of that kind', async () => {
  expect(await refresh((name) => ({ ...contentOf(name), version: 2 }))).toEqual([]);

  expect(patched).toHaveLength(count);
});

function addWithSnapshots(number: number, ...names: readonly string[]): void {
  for (const name of names) {
    instances = [...instances, instance(name)];
    volumes.push({ name, type: 'container', project: 'default', config: {}, content_type: 'filesystem' });
    addFolder(name);
    snapshots.set(name, number);
  }
  const rows = [...snapshots].map(
    ([name], index) => `${instanceRow(index + 1, name)}
    ${snapshotsOf(name)
      .map(
        (one, at) =>
          `INSERT INTO instances_snapshots (id, instance_id, name, creation_date, description) VALUES (${index * 1000 + at}, ${index + 1}, '${one.name}', '2026-01-01 00:00:00+00:00', '');`,
      )
      .join('\n')}`,
  );
  writeDatabase(rows.join('\n'));
}

test('those with as many snapshots are a kind of their own, of which the daemon writes some', async () => {
  addWithSnapshots(1, 'one-a', 'one-b', 'one-c', 'one-d', 'one-e');
  addWithSnapshots(2, 'two-a', 'two-b', 'two-c', 'two-d');

  expect(await refresh()).toEqual([]);

  const samples = ['m10', 'm11', 'm12', 'one-a', 'one-b', 'one-c', 'two-a', 'two-b', 'two-c'];
  expect(patched.toSorted()).toEqual(samples);
  for (const name of ['one-d', 'one-e', 'two-d']) expect(parse(written(name)), name).toEqual(contentOf(name));
});

test('where the daemon names fewer snapshots than its database holds, or the server has very many, it writes the file', async () => {
  addWithSnapshots(1, 'one-a', 'one-b', 'one-c', 'one-d');
  snapshots.set('one-d', 0);
  await refresh();
  const fewer = [...patched];
  patched = [];
  snapshots.set('one-d', 1);
  addWithSnapshots(500, 'very-many');

  await refresh();

  expect(fewer).toContain('one-d');
  expect(patched).toEqual(expect.arrayContaining(['one-d', 'very-many']));
});

test('on another member or with characters that YAML does not take, the daemon writes it', async () => {
  instances = [
    ...instances,
    instance('elsewhere', { location: 'other' }),
    instance('odd', { config: { 'user.x': '\u007f' } }),
    instance('long', { config: { [`user.${'k'.repeat(600)}`]: '1' } }),
  ];
  for (const name of ['elsewhere', 'odd', 'long']) {
    addFolder(name);
    volumes.push({ name, type: 'container', project: 'default', config: {}, used_by: [] });
  }

  expect(await refresh()).toEqual([]);

  expect(patched.toSorted()).toEqual(['elsewhere', 'long', 'm10', 'm11', 'm12', 'odd']);
});

test('what a user put in the place of the file is neither read nor followed', async () => {
  const outside = host.path('/outside');
  host.writeFile('/outside', 'mine');
  fs.rmSync(host.path(fileOf('m39')));
  fs.symlinkSync(outside, host.path(fileOf('m39')));
  fs.symlinkSync(outside, host.path(`${folderOf('m38')}/.backup.yaml.${process.pid}.tmp`));

  await refresh();

  expect(patched).toContain('m39');
  expect(fs.readFileSync(outside, 'utf8')).toBe('mine');
  expect(parse(written('m38'))).toEqual(contentOf('m38'));
  expect(fs.lstatSync(host.path(fileOf('m38'))).isFile()).toBe(true);
});

test('a folder that the daemon finds elsewhere is not written into', async () => {
  fs.rmSync(host.path(`${directory}/containers/m39`));
  host.writeFile('/elsewhere/backup.yaml', 'old');
  fs.symlinkSync(dirname(host.path('/elsewhere/backup.yaml')), host.path(`${directory}/containers/m39`));

  await refresh();

  expect(patched).toContain('m39');
});

test('an instance that the daemon has started has a file that it wrote then, unless something else changed', async () => {
  const start = { status: 'Running', last_used_at: '2026-11-24T00:00:00Z' };
  const before = { ...instance('r1'), status: 'Stopped', config: { 'volatile.eth0.host_name': 'old' } };
  instances = [
    ...instances,
    instance('r1', { ...start, config: { 'volatile.eth0.host_name': 'new' } }),
    instance('r2', start),
  ];
  for (const name of ['r1', 'r2'])
    volumes.push({ name, type: 'container', project: 'default', config: {}, used_by: [] });
  addFolder('r1', stringify({ ...contentOf('r1'), container: before }));
  addFolder(
    'r2',
    stringify({ ...contentOf('r2'), pool: { ...pool, config: { source: '/var/lib/lxd/x' }, used_by: [] } }),
  );

  await refresh();

  expect(patched).not.toContain('r1');
  expect(patched).toContain('r2');
});

test('a disk that cannot be synced leaves every file to the daemon, and nothing beside them', async () => {
  host.onRun(([command]) => (command === 'sync' ? { status: 1 } : undefined));

  expect(await refresh()).toEqual([]);

  expect(patched).toHaveLength(count);
  expect(fs.readdirSync(host.path(folderOf('m39')))).toEqual(['backup.yaml']);
});

test('a database that cannot be read leaves every file to the daemon', async () => {
  fs.rmSync(host.path(`${directory}/database`), { recursive: true });

  expect(await refresh()).toEqual([]);

  expect(patched).toHaveLength(count);
});
