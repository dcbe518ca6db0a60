// An instance that ignores the signal to halt, in every place where it may stand: nothing is forced, nothing moves, and
// everything that ran runs. (With --force-stop: stopping.test.ts.) And one that stops, and cannot start again.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { eventsOf, expectForPeople } from './refused.ts';
import { api } from './server/api.ts';
import { powerOf } from './server/power.ts';
import { installTool, tool } from './server/tool.ts';
import { cannotWrite, daemonPid, killDaemon } from './server/variants.ts';
import { startSmallMachine } from './small-server.ts';
import { initsOf, tablesOf } from './untouched.ts';

/** Each of these tests leaves it as it has found it: with both running. */
let server: Machine;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startSmallMachine({
    name: 'will-not-stop',
    // What starts first stops last, together with LXD.
    containers: [
      { name: 'calm' },
      { name: 'hard', init: 'stubborn', config: { 'boot.autostart.priority': '5' } },
    ],
  });
  await installTool(server, tarball);
});
afterAll(() => server?.stop());

const both = [
  { project: 'default', instance: 'calm', status: 'Running' },
  { project: 'default', instance: 'hard', status: 'Running' },
] as const;

/** Migrates with a limit of 4 s; answers with the inits of the containers before and afterwards. */
async function refusedToMove(): Promise<{
  readonly result: ExecResult;
  readonly before: Record<string, string>;
  readonly after: Record<string, string>;
}> {
  const before = inits ?? (await initsOf(server, 'lxd'));
  const { instances } = tablesOf(server, 'lxd');
  const incus = tablesOf(server, 'incus');

  const result = await tool(server, ['migrate', '--yes', '--stop-timeout', '4', '--json']);

  expect(result.status, `${result.stdout}${result.stderr}`).toBe(1);
  expect(eventsOf(result).at(-1)).toMatchObject({
    event: 'failed',
    exit: 1,
    problem: { code: 'instance-will-not-stop', instance: 'default/hard', limitMs: 4000 },
  });
  expect(result.stderr).toContain('Instance default/hard did not stop within 4 s.');
  expectForPeople(result);
  expect(await powerOf(server, 'lxd')).toEqual(both);
  expect(await cannotWrite(server, 'lxd', both)).toEqual([]);
  expect(names(tablesOf(server, 'lxd')['instances'])).toEqual(names(instances));
  expect(tablesOf(server, 'incus')).toEqual(incus);
  expect(await daemonPid(server, 'incus')).toBeDefined();
  expect((await tool(server, ['status'])).stdout).toContain('Rolled back: LXD is as it was');
  return { result, before, after: await initsOf(server, 'lxd') };
}

/** Of a test that kills LXD, which could not be asked any more. */
let inits: Record<string, string> | undefined;

function names(rows: readonly unknown[] | undefined): unknown[] {
  return (rows as { name: string }[] | undefined)?.map(({ name }) => name) ?? [];
}

const setPriority = (priority: string): Promise<unknown> =>
  api(server, 'lxd', 'PATCH', '/1.0/instances/hard', { config: { 'boot.stop.priority': priority } });

it('as the first one: no other is stopped', async () => {
  await setPriority('5');

  const { before, after } = await refusedToMove();

  expect(after).toEqual(before);
  await setPriority('');
});

it('as the last one, at which LXD itself would use force: LXD is ended before that, and starts again', async () => {
  const lxd = await daemonPid(server, 'lxd');

  const { before, after } = await refusedToMove();

  expect(await daemonPid(server, 'lxd')).not.toBe(lxd);
  expect(after['default/hard']).toBe(before['default/hard']);
  expect(after['default/calm']).not.toBe(before['default/calm']);
});

it('of an LXD that was killed: LXD is started, since only it can start the others again', async () => {
  inits = await initsOf(server, 'lxd');
  await killDaemon(server, 'lxd');

  const { result, before, after } = await refusedToMove();

  expect(result.stderr).toContain('LXD did not run, and is started all the same');
  expect(after['default/hard']).toBe(before['default/hard']);
  expect(after['default/calm']).not.toBe(before['default/calm']);
});

it('says to a person at a terminal, who is asked first, who has stopped and who is left', async () => {
  const command = '/opt/lxd-to-incus-e2e/lxd-to-incus migrate --stop-timeout 4';
  const { status, stdout } = await server.exec(
    ['script', '--quiet', '--return', '--command', `stty cols 200; ${command}`, '/dev/null'],
    { input: 'y\n', accept: 'any', timeoutMs: 120_000 },
  );

  expect(status, stdout).toBe(1);
  expect(stdout).toContain('Move this server to Incus now? [y/N]');
  expect(stdout).toContain('default/calm stopped, 0 left');
  expect(stdout).toContain('default/hard stops together with LXD');
  expect(stdout).toContain('waiting for default/hard, 3 of 4 s');
  expect(stdout).toContain('taking back: default/calm is Stopped, should be Running');
  expect(stdout).toContain('Instance default/hard did not stop within 4 s.');
  expect(await powerOf(server, 'lxd')).toEqual(both);
});

it('cannot start again: the others run in Incus, and this one is named with what Incus says', async () => {
  // Deleted while it is mounted, so that it is missed at the next start only.
  const folder = '/srv/passing';
  await server.exec(['mkdir', folder]);
  await api(server, 'lxd', 'PATCH', '/1.0/instances/calm', {
    devices: { gone: { type: 'disk', source: folder, path: '/mnt/gone' } },
  });
  await server.exec(['rmdir', folder]);

  const options = ['migrate', '--yes', '--stop-timeout', '4', '--force-stop'] as const;
  const warned = await tool(server, [...options]);
  expect(warned.status, warned.stdout).toBe(3);
  expect(warned.stdout).toContain('instance-not-startable');
  expect(await powerOf(server, 'lxd')).toEqual(both);

  const result = await tool(server, [...options, '--accept', 'instance-not-startable']);

  expect(result.status, result.stdout).toBe(1);
  expect(result.stdout).toMatch(/failed {2}instance default\/calm: is running as before/);
  expect(result.stdout).toContain(folder);
  expect(result.stderr).toContain('1 check(s) failed');
  expect(await powerOf(server, 'incus')).toEqual([
    { ...both[0], status: 'Stopped' },
    { ...both[1], status: 'Running' },
  ]);
  expectForPeople(result);
});
