// backup.yaml: written anew, and proven to be where it can be seen.
import { readdirSync, symlinkSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refreshBackupFiles } from '../../../src/migrate/backup-files/refresh-backup-files.ts';
import { daemonClient } from '../../../src/migrate/daemon/client.ts';
import { errorAnswer, syncAnswer } from '../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

const directory = '/var/lib/incus';
const file = (name: string): string => `${directory}/storage-pools/default/containers/${name}/backup.yaml`;
let host: FakeHost;

beforeEach(() => {
  host = fakeHost();
  for (const name of ['c1', 'dev_c3']) {
    host.writeFile(file(name), 'old');
    utimesSync(host.path(file(name)), 1_000, 1_000);
    host.writeFile(`${directory}/containers/.keep`, '');
    symlinkSync(`../storage-pools/default/containers/${name}`, host.path(`${directory}/containers/${name}`));
  }
});
afterEach(() => host.dispose());

const instances = [
  { name: 'c1', project: 'default', type: 'container', location: 'none', description: 'my first' },
  { name: 'c3', project: 'dev', type: 'container', location: 'none', description: '' },
];

/** A daemon that writes the files of `writes` when their instance is updated. */
async function refresh(
  writes: readonly string[],
  list: readonly object[] = instances,
): ReturnType<typeof refreshBackupFiles> {
  host.onRequest((_, { method, path }) => {
    const url = new URL(path, 'http://localhost');
    if (method === 'GET') return syncAnswer(list);
    const name = url.pathname.split('/').at(-1) ?? '';
    const stored = url.searchParams.get('project') === 'dev' ? `dev_${name}` : name;
    if (writes.includes(stored)) host.writeFile(file(stored), 'new');
    return syncAnswer(null);
  });
  return refreshBackupFiles(host, daemonClient(host, '/unix.socket'), directory);
}

test('every instance is updated with nothing but its own description', async () => {
  expect(await refresh(['c1', 'dev_c3'])).toEqual([]);
  expect(
    host.requests
      .map(({ request: { method, path, body } }) => ({ method, path, body }))
      .filter(({ method }) => method !== 'GET'),
  ).toEqual([
    { method: 'PATCH', path: '/1.0/instances/c1?project=default', body: { description: 'my first' } },
    { method: 'PATCH', path: '/1.0/instances/c3?project=dev', body: { description: '' } },
  ]);
});

test('what a killed run left beside a file that the daemon writes now is removed', async () => {
  const folder = `${directory}/storage-pools/default/containers/c1`;
  host.writeFile(`${folder}/.backup.yaml.4711.tmp`, 'half');
  host.writeFile(`${folder}/.other.yaml.4711.tmp`, 'of somebody else');

  expect(await refresh(['c1', 'dev_c3'])).toEqual([]);

  expect(readdirSync(host.path(folder)).sort()).toEqual(['.other.yaml.4711.tmp', 'backup.yaml']);
});

test('a file that the daemon did not write is named', async () => {
  expect(await refresh(['c1'])).toEqual([
    { project: 'dev', name: 'c3', error: `${directory}/containers/dev_c3/backup.yaml was not written` },
  ]);
});

test('an instance whose folder is not there is named, although the daemon says nothing', async () => {
  const lost = { name: 'c9', project: 'default', type: 'container', location: 'none', description: '' };

  expect(await refresh([], [lost])).toEqual([
    { project: 'default', name: 'c9', error: `${directory}/containers/c9 leads to nothing` },
  ]);
});

test("a refusal is kept in the daemon's words, and the others go on", async () => {
  host.onRequest((_, { method, path }) => {
    if (method === 'GET') return syncAnswer(instances);
    if (path.startsWith('/1.0/instances/c1?'))
      return errorAnswer(400, 'Invalid devices: Missing source path');
    host.writeFile(file('dev_c3'), 'new');
    return syncAnswer(null);
  });

  const failed = await refreshBackupFiles(host, daemonClient(host, '/unix.socket'), directory);

  expect(failed.map(({ name }) => name)).toEqual(['c1']);
  expect(failed[0]?.error).toContain('Invalid devices: Missing source path');
});
