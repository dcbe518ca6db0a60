// Stopping: an instance that does not stop, somebody who works on meanwhile, something that holds on, an Incus that does
// not come up. Each ends with LXD as it was, or says how to get there.
import { writeFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { eventsOf } from './refused.ts';
import { api } from './server/api.ts';
import { powerOf } from './server/power.ts';
import { installTool, startTool, tool } from './server/tool.ts';
import { type SmallContainer, startSmallMachine } from './small-server.ts';

let tarball: string;
let machine: Machine | undefined;

beforeAll(async () => {
  tarball = await packedTool();
});

afterEach(async () => {
  await machine?.stop();
  machine = undefined;
});

async function small(...containers: SmallContainer[]): Promise<Machine> {
  machine = await startSmallMachine({ containers, name: 'stopping' });
  await installTool(machine, tarball);
  return machine;
}

async function statuses(server: Machine, product: 'lxd' | 'incus'): Promise<Record<string, string>> {
  return Object.fromEntries(
    (await powerOf(server, product)).map(({ instance, status }) => [instance, status]),
  );
}

/** Runs migrate, and does something in the machine when it begins the first step of a kind. */
async function whileIn(server: Machine, kind: string, work: () => Promise<unknown>): Promise<ExecResult> {
  const child = startTool(server, ['migrate', '--yes', '--json']);
  let [stdout, stderr] = ['', ''];
  let working: Promise<unknown> | undefined;
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
      const begun = new RegExp(`"kind":"${kind}".*"state":"begun"`).test(stdout);
      if (begun) working ??= work();
      working?.catch(reject);
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? -1, stdout, stderr }));
  });
}

describe('an instance that does not stop', () => {
  it('has the run taken back and is named; with --force-stop it is stopped by force, and runs again in Incus', async () => {
    const server = await small(
      { name: 'calm', config: { 'boot.autostart.priority': '5', 'boot.autostart.delay': '1' } },
      { name: 'hard', init: 'stubborn' },
      { name: 'passing', ephemeral: true },
    );
    const options = ['--yes', '--stop-timeout', '4', '--accept', 'instance-ephemeral'];

    const refused = await tool(server, ['migrate', ...options]);

    expect(refused.status, refused.stdout).toBe(1);
    expect(refused.stderr).toContain('Instance default/hard did not stop within 4 s');
    expect(refused.stderr).toContain('--force-stop');
    expect(await statuses(server, 'lxd')).toEqual({ calm: 'Running', hard: 'Running', passing: 'Running' });

    const forced = await tool(server, ['migrate', ...options, '--force-stop']);

    expect(forced.status, `${forced.stdout}${forced.stderr}`).toBe(0);
    expect(forced.stderr).toContain('default/hard did not stop within 4 s: stopped by force');
    expect(await statuses(server, 'incus')).toEqual({ calm: 'Running', hard: 'Running' });

    const back = await tool(server, ['rollback', '--yes', '--stop-timeout', '4']);

    expect(back.status).toBe(1);
    expect(back.stderr).toContain('default/hard');

    const forcedBack = await tool(server, ['rollback', '--yes', '--stop-timeout', '4', '--force-stop']);

    expect(forcedBack.status, `${forcedBack.stdout}${forcedBack.stderr}`).toBe(0);
    expect(await statuses(server, 'lxd')).toEqual({ calm: 'Running', hard: 'Running' });
  });
});

describe('a server that is worked on while it is being stopped', () => {
  it('is started again, with exit 3 and the list of what is new', async () => {
    const server = await small({ name: 'slow', init: 'slow' }, { name: 'calm' });

    const result = await whileIn(server, 'stop-instances', () =>
      api(server, 'lxd', 'POST', '/1.0/instances', { name: 'sneaky', source: { type: 'none' } }),
    );

    expect(result.status, `${result.stdout}${result.stderr}`).toBe(3);
    expect(eventsOf(result).at(-1)).toMatchObject({
      event: 'failed',
      exit: 3,
      problem: { code: 'plan-stale' },
    });
    expect(result.stderr).toContain('instance default/sneaky is new');
    expect(await statuses(server, 'lxd')).toEqual({ calm: 'Running', slow: 'Running', sneaky: 'Stopped' });
  });
});

describe('a file below the data directory that somebody has open', () => {
  it('is found in another mount namespace, named, and LXD runs again', async () => {
    const server = await small({ name: 'calm' });
    server.spawn([
      ...(['unshare', '--mount', 'sh', '-c'] as const),
      'exec 3>/var/lib/lxd/storage-pools/default/custom/held; exec sleep 4242',
    ]);

    const result = await tool(server, ['migrate', '--yes']);

    expect(result.status, result.stdout).toBe(1);
    expect(result.stderr).toMatch(/process \d+ \(sleep 4242\) has \/var\/lib\/lxd\/\S+\/held open/);
    expect(result.stderr).toContain('LXD is as it was');
    expect(await statuses(server, 'lxd')).toEqual({ calm: 'Running' });
  });
});

describe('--purge-source', () => {
  it('lists what of LXD will go, removes it after a green verification, and says that there is no way back', async () => {
    const server = await small({ name: 'calm' });

    const result = await tool(server, ['migrate', '--yes', '--purge-source']);

    expect(result.status, `${result.stdout}${result.stderr}`).toBe(0);
    expect(result.stdout).toMatch(
      /will delete, after a green verification[\s\S]*KiB {2}\/var\/log\/lxd[\s\S]*package {2}lxd\n[\s\S]*1\/\d+ /,
    );
    expect(await statuses(server, 'incus')).toEqual({ calm: 'Running' });
    const { stdout } = await server.exec(['ls', '/var/lib', '/var/log', '/usr/bin']);
    expect(stdout.split('\n').filter((name) => /^lxd?c?$/.test(name))).toEqual([]);
    expect((await tool(server, ['status'])).stdout).toContain('no way back');
    const back = await tool(server, ['rollback', '--yes']);
    expect([back.status, back.stdout]).toEqual([4, expect.stringContaining('no way back')]);
    expect((await tool(server, ['migrate', '--yes'])).status).toBe(4);
  });
});

describe('an Incus that does not come up', () => {
  it('is shown with its own last lines, and rollback has LXD back', async () => {
    const server = await small({ name: 'slow', init: 'slow' });
    const incusd = '/usr/libexec/incus/incusd';

    const result = await whileIn(server, 'stop-instances', async () => {
      await server.exec(['mv', incusd, `${incusd}.real`]);
      writeFileSync(
        server.rootPath(incusd),
        '#!/bin/sh\necho \'level=error msg="Failed to start the daemon" err="the cellar is flooded"\' >> /var/log/incus/incus.log\nexit 1\n',
        { mode: 0o755 },
      );
    });

    expect(result.status, result.stdout).toBe(1);
    expect(result.stderr).toContain('Incus did not come up');
    expect(result.stderr).toContain('the cellar is flooded');
    expect(result.stderr).toContain('lxd-to-incus rollback');

    const back = await tool(server, ['rollback', '--yes']);

    expect(back.status, `${back.stdout}${back.stderr}`).toBe(0);
    expect(back.stderr).toContain('Incus, which ran before, was not started again');
    expect(await statuses(server, 'lxd')).toEqual({ slow: 'Running' });
  });
});
