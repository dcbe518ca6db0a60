// Settings that LXD itself loses from local.db when it refuses a change: found before anything moves, set again with the
// command that is shown, and moved like everything else. And a local.db that is none.
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Argv } from '../../src/core/run.ts';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { expectForPeople } from './refused.ts';
import { api } from './server/api.ts';
import { installTool, tool } from './server/tool.ts';
import { startSmallMachine } from './small-server.ts';

let server: Machine;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startSmallMachine({ name: 'member-config', containers: [{ name: 'calm' }] });
  await installTool(server, tarball);
  await api(server, 'lxd', 'POST', '/1.0/storage-pools/default/volumes/custom', { name: 'pictures' });
  await api(server, 'lxd', 'PATCH', '/1.0', {
    config: { 'core.https_address': ':8443', 'storage.images_volume': 'default/pictures' },
  });
});
afterAll(() => server?.stop());

const local = '/var/lib/lxd/database/local.db';

function localConfig(): Record<string, string> {
  const db = new Database(readFileSync(server.rootPath(local)));
  try {
    const rows = db.prepare<[], [string, string]>('SELECT key, value FROM config ORDER BY key').raw().all();
    return Object.fromEntries(rows);
  } finally {
    db.close();
  }
}

const settings = { 'core.https_address': ':8443', 'storage.images_volume': 'default/pictures' };

describe('a change that LXD refuses', () => {
  it("leaves this server's own settings deleted, and the daemon going on with them", async () => {
    expect(localConfig()).toEqual(settings);

    // Nothing of it is of this server alone, and one value is none.
    const refused = api(server, 'lxd', 'PUT', '/1.0', {
      config: { 'core.proxy_http': '', 'images.auto_update_interval': 'often' },
    });

    await expect(refused).rejects.toThrow();
    expect(localConfig()).toEqual({});
    const { stdout } = await server.exec(['ss', '-Hltn', 'sport = :8443']);
    expect(stdout).toContain(':8443');
    expect(readlinkSync(server.rootPath('/var/lib/lxd/images'))).toMatch(/custom\/default_pictures$/);
  });

  it('is found by plan, and stops a migration whatever is accepted', async () => {
    const plan = await tool(server, ['plan']);
    const migrate = await tool(server, [
      'migrate',
      '--yes',
      '--accept',
      'member-config-lost:core.https_address',
      '--accept',
      'member-config-lost:storage.images_volume',
    ]);

    expect(plan.status, plan.stderr).toBe(3);
    expect(plan.stdout).toContain('blocker  member-config-lost:storage.images_volume\n');
    expect(plan.stdout).toContain('storage.images_volume = default/pictures');
    expect(plan.stdout).toContain('loss  member-config-lost:core.https_address\n');
    expectForPeople(plan);
    expect(migrate.status, migrate.stdout).toBe(3);
    expect(localConfig()).toEqual({});
  });

  it('is put right by the commands that are shown', async () => {
    const { stdout } = await tool(server, ['plan']);
    const text = stdout.replace(/\s+/g, ' ');
    const [, address] = /Set it again: (lxc config set core\.https_address \S+)\. With/.exec(text) ?? [];
    const [, statement] = /Write it again: lxd sql local '(.*?)'\. Then/.exec(text) ?? [];
    expect([address, statement]).not.toContain(undefined);

    await server.exec(['lxd', 'sql', 'local', (statement ?? '').replaceAll("'\\''", "'")]);
    await server.exec(['sh', '-c', address ?? '']);

    expect(Object.keys(localConfig())).toEqual(Object.keys(settings));
    const again = await tool(server, ['plan']);
    expect(again.stdout).not.toContain('member-config-lost');
    expect(again.status, again.stdout).toBe(0);
  });
});

describe('a local.db that is none', () => {
  const kinds: readonly [string, Argv, string, string][] = [
    ['a pipe', ['mkfifo', local], 'not-a-regular-file', 'this is a named pipe'],
    ['a folder', ['mkdir', local], 'not-a-regular-file', 'this is a folder'],
    ['a link to a device', ['ln', '-s', '/dev/zero', local], 'not-a-regular-file', 'this is a link'],
    [
      'a sparse terabyte',
      ['truncate', '-s', '1T', local],
      'file-too-large',
      'no more than 64.0 MiB are read',
    ],
    [
      'random bytes',
      ['sh', '-c', `head -c 20000 /dev/urandom > ${local}`],
      'local-database',
      'it is no SQLite database',
    ],
  ];

  it.each(kinds)('%s is a failure that names it, and nobody waits', async (_what, make, code, says) => {
    const there = lstatSync(server.rootPath(local)).isFile();
    expect(there).toBe(true);
    await server.exec(['mv', local, `${local}.away`]);
    await server.exec(make);
    try {
      for (const command of [['plan'], ['migrate', '--yes']])
        await expectFailedWithoutLocal(command, code, says);
    } finally {
      await server.exec(['rm', '-rf', local]);
      await server.exec(['mv', `${local}.away`, local]);
    }
  });

  async function expectFailedWithoutLocal(
    command: readonly string[],
    code: string,
    says: string,
  ): Promise<void> {
    const people = await tool(server, command);
    const script = await tool(server, [...command, '--json']);

    expect(people.status, `${people.stdout}${people.stderr}`).toBe(1);
    expect(people.stderr).toContain(says);
    expect(people.stderr).toContain(local);
    expectForPeople(people);
    expect(script.stdout).toContain(`"code":"${code}"`);
  }
});

it('is moved with its settings: Incus listens, and its images are on the volume', async () => {
  const moved = await tool(server, ['migrate', '--yes']);

  expect(moved.status, `${moved.stdout}${moved.stderr}`).toBe(0);
  const { stdout } = await server.exec(['ss', '-Hltnp', 'sport = :8443']);
  expect(stdout).toContain('incusd');
  const link = readlinkSync(server.rootPath('/var/lib/incus/images'));
  expect(link).toBe('/var/lib/incus/storage-pools/default/custom/default_pictures');
  const images = (await api(server, 'incus', 'GET', '/1.0/images')) as string[];
  expect(images).toHaveLength(1);
  expect(readdirSync(server.rootPath(link))).toContain(images[0]?.split('/').at(-1));
});
