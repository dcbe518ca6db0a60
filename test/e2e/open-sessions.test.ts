// Somebody works in an instance, or LXD is at work itself, when the server is moved: a session ends with its instance and is
// waited for by nobody; work is waited for and named, while everything still runs.
import { existsSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { eventsOf, expectForPeople } from './refused.ts';
import { api, type Product } from './server/api.ts';
import { powerOf } from './server/power.ts';
import { installTool, tool } from './server/tool.ts';
import { startSmallMachine } from './small-server.ts';
import { initsOf } from './untouched.ts';
import { waitFor } from './wait-for.ts';

let server: Machine;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startSmallMachine({
    name: 'open-sessions',
    // What starts first stops last, together with LXD.
    containers: [{ name: 'calm' }, { name: 'last', config: { 'boot.autostart.priority': '5' } }],
  });
  await installTool(server, tarball);
});
afterAll(() => server?.stop());

const both = [
  { project: 'default', instance: 'calm', status: 'Running' },
  { project: 'default', instance: 'last', status: 'Running' },
] as const;

/** Where the session were waited for, the tool would not end before its own limit in this test. */
const unhurried = { timeoutMs: 240_000 };
const options = ['--yes', '--stop-timeout', '600'];

/** @returns ids of what a daemon does now */
async function running(product: Product, description: string): Promise<string[]> {
  const operations = (await api(server, product, 'GET', '/1.0/operations?recursion=1')) as {
    running?: { id: string; description: string }[];
  };
  return (operations.running ?? [])
    .filter((operation) => operation.description === description)
    .map(({ id }) => id);
}

/** A command that would go on for most of an hour, as a shell does; returns when the daemon knows of it. */
async function openSession(
  product: Product,
  instance: string,
): Promise<{ readonly ended: Promise<unknown> }> {
  const before = (await running(product, 'Executing command')).length;
  const child = server.spawn([product === 'lxd' ? 'lxc' : 'incus', 'exec', instance, '--', 'sleep', '3000']);
  const ended = new Promise((resolve) => child.on('close', resolve));
  await waitFor(`the session in ${instance}`, 60_000, async () =>
    (await running(product, 'Executing command')).length > before ? true : undefined,
  );
  return { ended };
}

it('work of LXD that does not end is named, and nothing has been stopped for it', async () => {
  // The kernel takes connections for it, and nobody answers them until it ends.
  server.spawn([
    'perl',
    '-MIO::Socket::INET',
    '-e',
    '$s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1:9099") or die; open(F, ">", "/srv/listens"); sleep 1 until -e "/srv/end"',
  ]);
  await waitFor('the image server', 60_000, () =>
    existsSync(server.rootPath('/srv/listens')) ? true : undefined,
  );
  let failure: unknown;
  api(server, 'lxd', 'POST', '/1.0/images', {
    source: { type: 'url', url: 'http://127.0.0.1:9099/image' },
  }).catch((error: unknown) => {
    failure = error;
  });
  const [download = ''] = await waitFor(
    'the download',
    60_000,
    async () => {
      const found = await running('lxd', 'Downloading image');
      return found.length > 0 ? found : undefined;
    },
    () => String(failure),
  );
  const inits = await initsOf(server, 'lxd');

  const result = await tool(server, ['migrate', '--yes', '--json', '--stop-timeout', '4']);

  expect(result.status, `${result.stdout}${result.stderr}`).toBe(1);
  expect(eventsOf(result).at(-1)).toMatchObject({
    problem: {
      code: 'operations-running',
      daemon: 'LXD',
      operations: [`Downloading image, operation ${download}`],
      limitMs: 4000,
    },
  });
  expect(result.stderr).toContain('waiting up to 4 s for LXD to finish: Downloading image');
  expectForPeople(result);
  expect(await initsOf(server, 'lxd')).toEqual(inits);
  writeFileSync(server.rootPath('/srv/end'), '');
  await waitFor('the end of the download', 60_000, async () =>
    (await running('lxd', 'Downloading image')).length === 0 ? true : undefined,
  );
});

it('sessions in the instance that stops last, and in another, end with it: the server is moved', async () => {
  const sessions = [await openSession('lxd', 'last'), await openSession('lxd', 'calm')];

  const result = await tool(server, ['migrate', ...options], unhurried);

  expect(result.status, `${result.stdout}${result.stderr}`).toBe(0);
  expect(result.stderr).toContain(
    'an open session in default/last (Executing command) ends when the instance stops',
  );
  expect(result.stderr).toContain(
    'an open session in default/calm (Executing command) ends when the instance stops',
  );
  await Promise.all(sessions.map(({ ended }) => ended));
  expect(await powerOf(server, 'incus')).toEqual(both);
});

it('sessions in Incus end likewise when the move is rolled back', async () => {
  const session = await openSession('incus', 'last');

  const result = await tool(server, ['rollback', ...options], unhurried);

  expect(result.status, `${result.stdout}${result.stderr}`).toBe(0);
  expect(result.stderr).toContain(
    'an open session in default/last (Executing command) ends when the instance stops',
  );
  await session.ended;
  expect(await powerOf(server, 'lxd')).toEqual(both);
});
