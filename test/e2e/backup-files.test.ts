// backup.yaml of many instances, as real daemons have it: what was written for them is what they write, and they read it.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { api } from './server/api.ts';
import { installTool, tool } from './server/tool.ts';
import { createInstances } from './server/variants.ts';
import { startSmallMachine } from './small-server.ts';

const names = Array.from({ length: 40 }, (_, index) => `m${String(index + 1).padStart(5, '0')}`);
/** More of each than Incus writes itself. */
const oneSnapshot = ['m00029', 'm00030', 'm00031', 'm00032', 'm00033'];
const twoSnapshots = ['m00036', 'm00037', 'm00038', 'm00039', 'm00040'];
let server: Machine;

beforeAll(async () => {
  server = await startSmallMachine({ containers: [{ name: 'c1' }], name: 'backup-files' });
  const make = (path: string, body: unknown, project = 'default'): Promise<unknown> =>
    api(server, 'lxd', 'POST', path, body, { project });
  const root = { type: 'disk', path: '/', pool: 'default' };
  await make('/1.0/projects', {
    name: 'own',
    config: { 'features.profiles': 'true', 'features.images': 'false' },
  });
  await api(server, 'lxd', 'PUT', '/1.0/profiles/default', { devices: { root } }, { project: 'own' });
  await make('/1.0/profiles', {
    name: 'words',
    config: { 'user.yes': 'yes', 'user.lines': 'a\n\nb: "c" \n' },
  });
  await createInstances(server, 'lxd', names.length, ['default', 'own']);
  await api(server, 'lxd', 'PATCH', '/1.0/instances/m00035', {
    profiles: ['default', 'words'],
    config: {
      'user.number': '007',
      'user.time': '2026-11-24T00:00:00Z',
      'user.odd': "it's ünïcode 日本 😀 ~ null",
    },
    description: 'yes: #1',
  });
  const snapshot = (name: string, of: string, more: object = {}): Promise<unknown> =>
    api(
      server,
      'lxd',
      'POST',
      `/1.0/instances/${of}/snapshots`,
      { name, stateful: false, ...more },
      { project: projectOf(of) },
    );
  for (const of of oneSnapshot) await snapshot('s0', of);
  for (const of of twoSnapshots) {
    await snapshot('later', of, { expires_at: '2036-01-02T03:04:05Z' });
    await snapshot('early', of);
  }
  await installTool(server, await packedTool());
}, 900_000);

afterAll(() => server?.stop());

const projectOf = (name: string): string => (Number(name.slice(1)) % 2 === 1 ? 'default' : 'own');

function backupFile(name: string): { readonly text: string; readonly content: unknown } {
  const stored = projectOf(name) === 'default' ? name : `own_${name}`;
  const path = `/var/lib/incus/storage-pools/default/containers/${stored}/backup.yaml`;
  const text = readFileSync(server.rootPath(path), 'utf8');
  return { text, content: parse(text) };
}

test('each is equal to what Incus writes, and Incus recovers an instance by it', {
  timeout: 900_000,
}, async () => {
  const moved = await tool(server, ['migrate', '--yes']);
  expect(moved.status, moved.stderr).toBe(0);

  const ours = new Map(names.map((name) => [name, backupFile(name)]));
  for (const name of names)
    await api(
      server,
      'incus',
      'PATCH',
      `/1.0/instances/${name}`,
      { description: name === 'm00035' ? 'yes: #1' : '' },
      { project: projectOf(name) },
    );
  const theirs = new Map(names.map((name) => [name, backupFile(name)]));

  for (const name of names) expect(ours.get(name)?.content, name).toEqual(theirs.get(name)?.content);
  // Those that were written for Incus differ from what it writes in their quotes.
  const alike = names.filter((name) => ours.get(name)?.text === theirs.get(name)?.text);
  expect(alike).toHaveLength(9);
  expect(alike.filter((name) => oneSnapshot.includes(name))).toHaveLength(3);
  expect(alike.filter((name) => twoSnapshots.includes(name))).toHaveLength(3);

  const stored = '/var/lib/incus/storage-pools/default/containers/m00035/backup.yaml';
  await server.exec(['sh', '-c', `cat > ${stored}`], { input: ours.get('m00035')?.text ?? '' });
  for (const table of ['instances', 'storage_volumes'])
    await server.exec(['incus', 'admin', 'sql', 'global', `DELETE FROM ${table} WHERE name = 'm00035'`]);
  const found = await api(server, 'incus', 'POST', '/internal/recover/validate', {
    pools: [{ name: 'default' }],
  });
  await api(server, 'incus', 'POST', '/internal/recover/import', { pools: [{ name: 'default' }] });

  expect(found).toMatchObject({ UnknownVolumes: [{ name: 'm00035', type: 'container' }] });
  expect(await api(server, 'incus', 'GET', '/1.0/instances/m00035')).toMatchObject({
    description: 'yes: #1',
    profiles: ['default', 'words'],
    config: {
      'user.number': '007',
      'user.time': '2026-11-24T00:00:00Z',
      'user.odd': "it's ünïcode 日本 😀 ~ null",
    },
  });
});
