// 20,000 snapshots of one container: plan, rehearsal, move and verification, with real daemons.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { api } from './server/api.ts';
import { installTool, tool } from './server/tool.ts';
import { startSnapshotsMachine } from './snapshots-server.ts';

const count = 20_000;
/** LXD itself takes 17 s to start the container, Incus 25 s, and as long again to write its backup.yaml. */
const limit = { timeoutMs: 1_500_000 };

let server: Machine;

beforeAll(async () => {
  server = await startSnapshotsMachine(count);
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
