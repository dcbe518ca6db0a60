// Killed at any boundary between steps, a migration can be finished or taken back; a finished one can be taken back.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { changedByRestarts, describeChanges, factsOf } from './faults/server-state.ts';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { type Login, loginOverHttps } from './server/client.ts';
import { trustedClient } from './server/populate.ts';
import {
  startIncus,
  startLxd,
  startPopulatedMachine,
  stopIncus,
  stopLxd,
} from './server/populated-machine.ts';
import { populatedPower, powerOf, setPower } from './server/power.ts';
import { installTool, startTool, tool } from './server/tool.ts';
import { cannotWrite, killDaemon } from './server/variants.ts';

let tarball: string;
let machine: Machine | undefined;

beforeAll(async () => {
  tarball = await packedTool();
});

afterEach(async () => {
  await machine?.stop();
  machine = undefined;
});

async function populated(tree: 'bookworm' | 'trixie7' = 'bookworm'): Promise<Machine> {
  machine = await startPopulatedMachine({ tree, name: 'kill' });
  await installTool(machine, tarball);
  return machine;
}

const power = populatedPower.toSorted((a, b) =>
  `${a.project}/${a.instance}` < `${b.project}/${b.instance}` ? -1 : 1,
);
const running = populatedPower.filter(({ status }) => status === 'Running');

function expectDone({ status, stdout, stderr }: ExecResult): void {
  expect(status, `${stdout}\n${stderr}`).toBe(0);
}

/** Starts a migration and kills it with SIGKILL as soon as it says that it begins the step of this kind. */
async function killedAt(server: Machine, kind: string): Promise<void> {
  const child = startTool(server, ['migrate', '--yes', '--json']);
  await new Promise<void>((resolve, reject) => {
    let text = '';
    let killed = false;
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const begun = text
        .split('\n')
        .some((line) => line.includes(`"kind":"${kind}"`) && line.includes('"state":"begun"'));
      if (!begun || killed) return;
      killed = true;
      // Not this command itself, whose arguments hold the same words.
      server
        .exec(['pkill', '-KILL', '-f', '^[^ ]*/bin/node [^ ]*lxd-to-incus.js migrate'], { accept: [1] })
        .catch(reject);
    });
    child.on('close', () => resolve());
    child.on('error', reject);
  });
}

async function expectLxdBack(server: Machine, login: Login): Promise<void> {
  expect(await powerOf(server, 'lxd')).toEqual(power);
  expect(await cannotWrite(server, 'lxd', running)).toEqual([]);
  expect(await loginOverHttps(server, trustedClient)).toEqual(login);
}

async function expectMoved(server: Machine): Promise<void> {
  expect(await powerOf(server, 'incus')).toEqual(power);
  expect(await cannotWrite(server, 'incus', running)).toEqual([]);
  expect((await loginOverHttps(server, trustedClient)).trusted).toBe(true);
}

async function restart(server: Machine): Promise<void> {
  await Promise.all([
    stopLxd(server)
      .then(() => startLxd(server))
      .then(() => setPower(server, 'lxd', populatedPower)),
    stopIncus(server).then(() => startIncus(server)),
  ]);
}

/** LXD's own dump of the rows, from when it last stopped; the rows are looked at themselves. */
const dump = '/var/lib/lxd/database/global/db.bin sha256';

describe('rollback of a finished migration', () => {
  it.each(['bookworm', 'trixie7'] as const)(
    'brings LXD back from %s: nothing has changed but what restarts of LXD change',
    async (tree) => {
      const server = await populated(tree);
      const login = await loginOverHttps(server, trustedClient);
      const before = await factsOf(server, 'lxd');
      const restarts = await changedByRestarts(server, 'lxd', before, () => restart(server));
      const anyway = new Set([...restarts, dump]);
      expectDone(await tool(server, ['migrate', '--yes']));

      const result = await tool(server, ['rollback', '--yes']);

      expectDone(result);
      await expectLxdBack(server, login);
      expect(describeChanges(before, await factsOf(server, 'lxd'), anyway)).toEqual([]);
      expect((await tool(server, ['rollback', '--yes'])).status).toBe(4);
      expectDone(await tool(server, ['migrate', '--yes']));
      await expectMoved(server);
    },
  );

  it('says what was made and deleted in Incus since, and refuses to lose an object unasked', async () => {
    const server = await populated();
    const login = await loginOverHttps(server, trustedClient);
    expectDone(await tool(server, ['migrate', '--yes']));
    await server.exec(['incus', 'init', 'tiny', 'made-in-incus']);
    await server.exec(['incus', 'delete', 'odd']);

    const refused = await tool(server, ['rollback', '--yes']);
    const accepted = await tool(server, ['rollback', '--yes', '--accept', 'gone-since-switch']);

    expect(refused.status).toBe(3);
    expect(refused.stdout).toContain('instance default/odd');
    expect(refused.stdout).toContain('instance default/made-in-incus');
    expectDone(accepted);
    await expectLxdBack(server, login);
    const { status } = await server.exec(
      ['test', '-d', '/var/lib/lxd/storage-pools/default/containers/made-in-incus/rootfs'],
      { accept: 'any' },
    );
    expect(status).toBe(0);
  });

  it('works when incusd was killed meanwhile', async () => {
    const server = await populated();
    const login = await loginOverHttps(server, trustedClient);
    expectDone(await tool(server, ['migrate', '--yes']));
    await killDaemon(server, 'incus');

    expectDone(await tool(server, ['rollback', '--yes']));

    await expectLxdBack(server, login);
  });
});

/** On the populated server: one before the switch and one after it. All others, on a small one: faults/. */
describe('killed at a boundary', () => {
  it.each(['start-daemon'])('%s: resume finishes it', async (kind) => {
    const server = await populated();
    await killedAt(server, kind);

    const refused = await tool(server, ['migrate', '--yes']);
    const status = await tool(server, ['status']);
    const result = await tool(server, ['resume', '--yes']);

    expect(refused.status).toBe(5);
    expect(status.stdout).toContain('resume would');
    expectDone(result);
    await expectMoved(server);
  });

  it.each(['stop-instances', 'start-daemon'])('%s: rollback has LXD back', async (kind) => {
    const server = await populated();
    const login = await loginOverHttps(server, trustedClient);
    await killedAt(server, kind);

    const result = await tool(server, ['rollback', '--yes']);

    expectDone(result);
    await expectLxdBack(server, login);
    expect((await tool(server, ['resume', '--yes'])).status).toBe(4);
  });
});
