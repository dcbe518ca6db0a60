// A boot after the machine lost power, before Incus stopped cleanly for the first time: whether it is started is decided
// from db.bin, by the daemon's own program (cmd/incusd/main_activateifneeded.go).
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { api } from './server/api.ts';
import { installTool, tool } from './server/tool.ts';
import { killDaemon } from './server/variants.ts';
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

it.each([
  { tree: 'bookworm', runs: false, says: 'No need to start the daemon now' },
  { tree: 'bookworm', runs: true, says: 'instances, activating' },
  { tree: 'trixie7', runs: false, says: 'No need to start the daemon now' },
] as const)('$tree, an instance that runs: $runs: the boot can tell', async ({ tree, runs, says }) => {
  machine = await startSmallMachine({ name: 'boot', tree, containers: [{ name: 'c1' }] });
  await installTool(machine, tarball);
  if (!runs) await api(machine, 'lxd', 'PUT', '/1.0/instances/c1/state', { action: 'stop', timeout: 30 });
  const result = await tool(machine, ['migrate', '--yes']);
  expect(result.status, `${result.stdout}\n${result.stderr}`).toBe(0);

  await killDaemon(machine, 'incus');
  const { stdout, stderr } = await machine.exec(
    ['/usr/libexec/incus/incusd', 'activateifneeded', '--debug'],
    { accept: 'any' },
  );

  expect(`${stdout}${stderr}`).toContain(says);
  expect(`${stdout}${stderr}`).not.toMatch(/no such (?:table|column)/);
});
