// What was broken in LXD is named by the plan, moved as it is, and blamed on nobody afterwards.
import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Finding } from '../../src/migrate/model/finding.ts';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { api } from './server/api.ts';
import { installTool, tool } from './server/tool.ts';
import { startSmallMachine } from './small-server.ts';

const pool = '/var/lib/lxd/storage-pools/default';
let server: Machine;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startSmallMachine({ name: 'broken-before', containers: [{ name: 'c1' }] });
  await installTool(server, tarball);
});
afterAll(() => server?.stop());

interface Event {
  readonly event: string;
  readonly plan?: { readonly findings: readonly Finding[] };
  readonly verification?: {
    readonly checks: readonly { readonly object: string; readonly ok: boolean }[];
    readonly notes: readonly string[];
  };
}

function eventOf({ stdout }: ExecResult, name: string): Event | undefined {
  const events = stdout.split('\n').filter((line) => line.startsWith('{'));
  return events.map((line) => JSON.parse(line) as Event).find(({ event }) => event === name);
}

async function make(name: string): Promise<void> {
  await api(server, 'lxd', 'POST', '/1.0/instances', { name, source: { type: 'image', alias: 'tiny' } });
}

const sql = (text: string, database = 'global'): Promise<ExecResult> =>
  server.exec(['lxd', 'sql', database, text]);

it('a server with ghosts moves, each is named beforehand, and every check passes', async () => {
  await make('ghost');
  await server.exec(['rm', '-rf', `${pool}/containers/ghost`]);
  await make('novol');
  await sql("DELETE FROM storage_volumes WHERE name = 'novol'");
  await sql(
    "INSERT INTO storage_volumes (name, storage_pool_id, node_id, type, description, project_id, content_type) VALUES ('long-gone', 1, 1, 0, '', 1, 0)",
  );
  await make('hangs-on');
  await sql("UPDATE instances SET name = 'hangs-on-' WHERE name = 'hangs-on'");
  await sql("UPDATE storage_volumes SET name = 'hangs-on-' WHERE name = 'hangs-on'");
  await make('nowhere');
  await sql(
    "INSERT INTO instances_devices (instance_id, name, type) SELECT id, 'eth7', 1 FROM instances WHERE name = 'nowhere'",
  );
  await sql(
    "INSERT INTO instances_devices_config (instance_device_id, key, value) SELECT id, 'network', 'gone0' FROM instances_devices WHERE name = 'eth7'",
  );
  await sql('CREATE TABLE mine (x TEXT)', 'local');
  await sql("INSERT INTO mine VALUES ('kept')", 'local');
  await sql("DELETE FROM patches WHERE name = 'thinpool_typo_fix'", 'local');

  const plan = await tool(server, ['plan', '--json']);
  const shown = await tool(server, ['plan']);
  const moved = await tool(server, ['migrate', '--yes', '--json']);
  const verified = await tool(server, ['verify']);
  const local = new Database(readFileSync(server.rootPath('/var/lib/incus/database/local.db')));

  expect(plan.status, plan.stderr).toBe(0);
  const found = eventOf(plan, 'plan')?.plan?.findings.filter(({ id }) => id.startsWith('broken-before:'));
  expect(found?.map(({ severity, id, objects }) => [severity, id, objects])).toEqual([
    ['note', 'broken-before:device-points-nowhere', ['instance default/nowhere, device eth7: network gone0']],
    [
      'note',
      'broken-before:files-missing',
      [
        'container volume default/default/ghost: storage-pools/default/containers/ghost',
        'container volume default/default/hangs-on-: storage-pools/default/containers/hangs-on-',
        'container volume default/default/long-gone: storage-pools/default/containers/long-gone',
        'instance default/hangs-on-: containers/hangs-on-',
      ],
    ],
    [
      'note',
      'broken-before:files-without-row',
      [
        'files of a volume: storage-pools/default/containers/hangs-on',
        'files of a volume: storage-pools/default/containers/novol',
        'link of an instance: containers/hangs-on',
      ],
    ],
    ['note', 'broken-before:instance-without-volume', ['instance default/novol']],
    ['note', 'broken-before:local-foreign-schema', ['table mine']],
    ['note', 'broken-before:name', ['instance default/hangs-on-']],
    ['note', 'broken-before:patches-missing', ['patch thinpool_typo_fix']],
    ['note', 'broken-before:volume-without-instance', ['container volume default/default/long-gone']],
  ]);
  expect(shown.stdout).toContain('could not be started in LXD either');
  expect(moved.status, `${moved.stdout.slice(-3000)}\n${moved.stderr}`).toBe(0);
  const verification = eventOf(moved, 'end')?.verification;
  expect(verification?.checks.filter(({ ok }) => !ok)).toEqual([]);
  for (const name of ['novol', 'nowhere', 'hangs-on-'])
    expect(verification?.notes.filter((note) => note.startsWith(`instance default/${name}: `))).toHaveLength(
      1,
    );
  expect(verified.status).toBe(0);
  expect(local.prepare('SELECT x FROM mine').pluck().all()).toEqual(['kept']);
  expect(local.prepare("SELECT 1 FROM patches WHERE name = 'thinpool_typo_fix'").get()).toBeDefined();
  // Nothing that a daemon said stands there as an escape.
  expect(`${moved.stderr}${verified.stdout}`).not.toContain('\\u{');
});
