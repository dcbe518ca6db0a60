// 20,000 snapshots of one container: plan, rehearsal, move and verification, with real daemons.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { editLxdDatabase } from './edit-database.ts';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { api } from './server/api.ts';
import { installTool, tool } from './server/tool.ts';
import { startSmallMachine } from './small-server.ts';

const count = 20_000;
/** LXD itself takes 17 s to start the container, Incus 25 s, and as long again to write its backup.yaml. */
const limit = { timeoutMs: 1_500_000 };

const snapshots = `
  WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ${count})
  INSERT INTO instances_snapshots (id, instance_id, name, creation_date, stateful, description, expiry_date)
    SELECT 1000 + i, (SELECT id FROM instances WHERE name = 'c1'), 'auto-' || i, '2020-01-01 00:00:00+00:00', 0, '', NULL
    FROM number;
  INSERT INTO instances_snapshots_config (instance_snapshot_id, key, value)
    SELECT snapshot.id, config.key, config.value
    FROM instances_snapshots AS snapshot JOIN instances_config AS config ON config.instance_id = snapshot.instance_id;
  INSERT INTO storage_volumes_snapshots (id, storage_volume_id, name, description, expiry_date)
    SELECT 100000 + id, (SELECT id FROM storage_volumes WHERE name = 'c1' AND type = 0), name, '', NULL
    FROM instances_snapshots;`;

let server: Machine;

beforeAll(async () => {
  server = await startSmallMachine({ containers: [{ name: 'c1' }], name: 'snapshots' });
  const pool = '/var/lib/lxd/storage-pools/default/containers-snapshots/c1';
  await server.exec([
    'sh',
    '-c',
    `mkdir -p ${pool} && cd ${pool} && seq ${count} | sed s/^/auto-/ | xargs mkdir`,
  ]);
  await editLxdDatabase(server, snapshots, [{ project: 'default', instance: 'c1', status: 'Running' }]);
  await installTool(server, await packedTool());
}, 1_500_000);

afterAll(() => server?.stop());

test('all of them are planned, rehearsed, moved and verified', { timeout: 3_000_000 }, async () => {
  const rehearsed = await tool(server, ['rehearse', '--json'], limit);
  const moved = await tool(server, ['migrate', '--yes', '--json'], limit);

  const [rehearsal] = eventsOf(rehearsed.stdout, 'rehearsal');
  const [end] = eventsOf(moved.stdout, 'end');
  expect(rehearsal).toMatchObject({ rehearsal: { ran: true, findings: [] } });
  expect(rehearsal).toMatchObject({
    rehearsal: { notProven: expect.not.arrayContaining([expect.objectContaining({ kind: 'answer' })]) },
  });
  expect(moved.status, moved.stderr).toBe(0);
  expect(end).toMatchObject({ outcome: 'done' });
  const names = await api(server, 'incus', 'GET', '/1.0/instances/c1/snapshots');
  expect(names).toHaveLength(count);
});

function eventsOf(stdout: string, kind: string): unknown[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { event: string })
    .filter(({ event }) => event === kind);
}
