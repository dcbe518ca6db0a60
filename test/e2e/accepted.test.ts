// The inventory of a database is what LXD answers; what a project without images makes of one image is no difference; and a
// difference that was accepted stays accepted.
import { afterEach, beforeAll, expect, it } from 'vitest';
import { realHost } from '../../src/core/real-host.ts';
import { daemonClient } from '../../src/migrate/daemon/client.ts';
import { inventoryFromApi } from '../../src/migrate/inventory/api/from-api.ts';
import { compareInventories, describeDifference } from '../../src/migrate/inventory/compare.ts';
import { readDatabaseFiles } from '../../src/migrate/inventory/database/database-files.ts';
import { readInventory } from '../../src/migrate/inventory/database/read-inventory.ts';
import type { Inventory } from '../../src/migrate/model/inventory.ts';
import { compareInventories as compareAnswers, inventoryOf } from './inventory-of.ts';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { api, socketPath } from './server/api.ts';
import { startPopulatedMachine } from './server/populated-machine.ts';
import { installTool, tool } from './server/tool.ts';
import { startSmallMachine } from './small-server.ts';

let tarball: string;
let machine: Machine | undefined;

beforeAll(async () => {
  tarball = await packedTool();
});
afterEach(async () => {
  await machine?.stop();
  machine = undefined;
});

async function small(): Promise<Machine> {
  machine = await startSmallMachine({ name: 'accepted', containers: [{ name: 'c1' }] });
  await installTool(machine, tarball);
  return machine;
}

/** A project that uses the images of project default, and has profiles of its own. */
async function projectWithoutImages(server: Machine): Promise<void> {
  await api(server, 'lxd', 'POST', '/1.0/projects', {
    name: 'web',
    config: { 'features.images': 'false', 'features.profiles': 'true' },
  });
}

function readOf(server: Machine): Inventory {
  const { image, local } = readDatabaseFiles(server.rootPath('/var/lib/lxd'));
  return readInventory(image.bytes, local === undefined ? {} : { localDatabase: local });
}

function expectDone({ status, stdout, stderr }: ExecResult): void {
  expect(status, `${stdout.slice(-3000)}\n${stderr}`).toBe(0);
}

it('what is read from the files of a running LXD is what it answers itself', async () => {
  const server = await startPopulatedMachine({ name: 'accepted' });
  machine = server;
  await projectWithoutImages(server);

  const asked = await inventoryFromApi(daemonClient(realHost, server.rootPath(socketPath.lxd)));
  const read = readOf(server);

  expect(read.images.find(({ project }) => project === 'default')?.profiles).toEqual(['default']);
  expect(
    compareInventories(read, asked, [
      {
        objects: ['server'],
        values: { 'config.images.auto_update_interval': '0' },
        change: 'any',
        because: 'Nothing: the server of the test has it.',
      },
    ]).map(describeDifference),
  ).toEqual([]);
});

it('one image that a project without images uses is no difference: rehearsed and moved without a finding', async () => {
  const server = await small();
  await projectWithoutImages(server);
  const before = await inventoryOf(server, 'lxd');

  const rehearsed = await tool(server, ['rehearse']);
  const moved = await tool(server, ['migrate', '--yes']);

  expectDone(rehearsed);
  expect(rehearsed.stdout).not.toContain('rehearsal:');
  expectDone(moved);
  const after = await inventoryOf(server, 'incus');
  // LXD 5.0 does not say of which project an image is.
  const differences = compareAnswers(before, after, (path) => path.at(-1) === 'project' && path.length === 5);
  expect(differences.filter((line) => line.includes(' / images / '))).toEqual([]);
});

it('a difference that was accepted is listed by verify, which does not fail then, nor later', async () => {
  const server = await small();
  // Both daemons cut a value at a NUL; the row holds all of it.
  await server.exec([
    'lxd',
    'sql',
    'global',
    "INSERT INTO instances_config (instance_id, key, value) SELECT id, 'user.odd', 'a' || char(0) || 'b' FROM instances WHERE name = 'c1'",
  ]);

  const refused = await tool(server, ['migrate', '--yes']);
  const moved = await tool(server, [
    'migrate',
    '--yes',
    '--accept',
    'rehearsal:differs',
    '--report',
    '/root/report',
  ]);
  const verified = await tool(server, ['verify']);
  const status = await tool(server, ['status']);
  const report = await server.exec(['cat', '/root/report/report.md']);

  expect(refused.status).toBe(3);
  expect(refused.stdout).toContain('rehearsal:differs');
  for (const done of [moved, verified, status]) expectDone(done);
  for (const { stdout } of [moved, verified])
    expect(stdout).toMatch(
      /^accepted {2}instance default\/c1: config\.user\.odd is not as it was in LXD, which you accepted/m,
    );
  expect(status.stdout).toContain('Migrated and verified');
  expect(report.stdout).toMatch(/\| blocker \| rehearsal:differs \|.*\| accepted \|/);
  expect(report.stdout).toMatch(/\| accepted \| instance default\/c1 \|/);
});
