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

/** An hour's worth of work in Incus. */
async function workInIncus(server: Machine): Promise<void> {
  const incus = (...args: string[]) => server.exec(['incus', ...args]);
  await incus('launch', 'tiny', 'made-in-incus');
  await incus('delete', 'odd');
  await incus('snapshot', 'create', 'c1', 'taken-in-incus');
  await incus('exec', 'c1', '--', 'sh', '-c', 'echo "written in Incus" > /root/written-in-incus');
  await incus('config', 'set', 'b1', 'user.changed=in Incus');
}

const pool = '/var/lib/lxd/storage-pools/default';

/** What of the directory is no longer as it was after that: nothing else may be. */
function isOfWorkInIncus(fact: string): boolean {
  return [
    `${pool}/containers/made-in-incus`,
    `${pool}/containers/odd`,
    '/var/lib/lxd/containers/odd',
    `${pool}/containers-snapshots/odd`,
    '/var/lib/lxd/snapshots/odd',
    `${pool}/containers-snapshots/c1/taken-in-incus`,
    `${pool}/containers/c1/rootfs/root/written-in-incus`,
  ].some((path) => fact.startsWith(`${path} `) || fact.startsWith(`${path}/`));
}

describe('rollback of a finished migration', () => {
  it.each(['bookworm', 'trixie7'] as const)(
    'brings LXD back from %s: nothing has changed but what restarts of LXD change, or people in Incus',
    async (tree) => {
      const server = await populated(tree);
      const login = await loginOverHttps(server, trustedClient);
      const before = await factsOf(server, 'lxd');
      const anyway = await changedByRestarts(server, 'lxd', before, () => restart(server));
      expectDone(await tool(server, ['migrate', '--yes']));

      const result = await tool(server, ['rollback', '--yes']);

      expectDone(result);
      await expectLxdBack(server, login);
      expect(describeChanges(before, await factsOf(server, 'lxd'), anyway)).toEqual([]);
      expect((await tool(server, ['rollback', '--yes'])).status).toBe(4);
      expectDone(await tool(server, ['migrate', '--yes']));
      await expectMoved(server);
      await workInIncus(server);

      const refused = await tool(server, ['rollback', '--yes']);
      const accepted = await tool(server, ['rollback', '--yes', '--accept', 'gone-since-switch']);

      expect(refused.status).toBe(3);
      for (const object of [
        'instance default/odd',
        'instance default/made-in-incus',
        'taken-in-incus',
        'user.changed',
      ])
        expect(refused.stdout).toContain(object);
      expectDone(accepted);
      await expectLxdBack(server, login);
      const after = await factsOf(server, 'lxd');
      const changed = describeChanges(before, after, anyway);
      expect(changed.filter((fact) => !isOfWorkInIncus(fact))).toEqual([]);
      expect(after.get(`${pool}/containers/c1/rootfs/root/written-in-incus type`)).toBe('file');
      expect(after.get(`${pool}/containers/made-in-incus/rootfs type`)).toBe('folder');
      expect(after.get(`${pool}/containers-snapshots/c1/taken-in-incus/rootfs type`)).toBe('folder');
      expect(after.has(`${pool}/containers/odd type`)).toBe(false);
    },
  );

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
