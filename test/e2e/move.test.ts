// A populated LXD that really runs becomes an Incus that really runs, with everything on it.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { inventoryOf } from './inventory-of.ts';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { type Login, loginOverHttps } from './server/client.ts';
import { elsewhereFolder, neighbourFolder, trustedClient } from './server/populate.ts';
import { startIncus, startPopulatedMachine, stopLxd } from './server/populated-machine.ts';
import { populatedPower, powerOf } from './server/power.ts';
import { secrets } from './server/secrets.ts';
import { installTool, tool } from './server/tool.ts';
import { cannotWrite, initialiseIncus, killDaemon, removeLxdPackage } from './server/variants.ts';
import { compareTrees, describeTree, type Tree } from './tree.ts';

let tarball: string;
let machine: Machine | undefined;

beforeAll(async () => {
  tarball = await packedTool();
});

afterEach(async () => {
  await machine?.stop();
  machine = undefined;
});

async function populated(options: { tree?: 'bookworm' | 'trixie7' } = {}): Promise<Machine> {
  machine = await startPopulatedMachine({ ...options, name: 'move' });
  await installTool(machine, tarball);
  return machine;
}

/** Folders with what people put into instances and volumes, below a data directory. */
const rootfsOf = [
  'storage-pools/default/containers/odd',
  'storage-pools/default/containers/privileged/rootfs',
  'storage-pools/default/containers-snapshots/odd',
  'storage-pools/default/custom',
  'images',
] as const;

async function contents(of: Machine, directory: string): Promise<Map<string, Tree>> {
  const trees = new Map<string, Tree>();
  for (const folder of rootfsOf) trees.set(folder, await describeTree(of, `${directory}/${folder}`));
  return trees;
}

function differences(before: Map<string, Tree>, after: Map<string, Tree>): string[] {
  return [...before].flatMap(([folder, tree]) => {
    const other = after.get(folder);
    // The metadata of stopped instances is rewritten on purpose: it names paths.
    if (other === undefined) return [`${folder} is gone`];
    return compareTrees(tree, other, {
      ignore: (path, field) =>
        path.endsWith('backup.yaml') ||
        // A container that starts makes mount points in its root, and the test writes into /root of those that run.
        (folder.includes('privileged') && field === 'modified' && (path === '' || path === 'root')),
    });
  });
}

/** With all that it printed where it is not so. */
function expectDone({ status, stdout, stderr }: ExecResult): void {
  expect(status, `${stdout}\n${stderr}`).toBe(0);
}

const running = populatedPower.filter(({ status }) => status === 'Running');

async function expectMoved(moved: Machine, before: Login): Promise<void> {
  expect(await powerOf(moved, 'incus')).toEqual(populatedPower.toSorted(byName));
  expect(await cannotWrite(moved, 'incus', running)).toEqual([]);
  const after = await loginOverHttps(moved, trustedClient);
  expect({ ...after, product: '' }).toEqual({ ...before, product: '' });
  expect(after.trusted).toBe(true);
  expect(after.product).toBe('incus');
}

function byName(a: { project: string; instance: string }, b: { project: string; instance: string }): number {
  return `${a.project}/${a.instance}` < `${b.project}/${b.instance}` ? -1 : 1;
}

describe('migrate --yes on a populated server', () => {
  it('moves everything to Incus 6.0.4, with c1 running without help', async () => {
    const server = await populated();
    const login = await loginOverHttps(server, trustedClient);
    const neighbour = await describeTree(server, neighbourFolder);
    const elsewhere = await describeTree(server, `${elsewhereFolder}/custom`);
    const trees = await contents(server, '/var/lib/lxd');
    const inventory = await inventoryOf(server, 'lxd');

    const result = await tool(server, ['migrate', '--yes']);

    expectDone(result);
    await expectMoved(server, login);
    expect(differences(trees, await contents(server, '/var/lib/incus'))).toEqual([]);
    expect(compareTrees(neighbour, await describeTree(server, neighbourFolder))).toEqual([]);
    expect(compareTrees(elsewhere, await describeTree(server, `${elsewhereFolder}/custom`))).toEqual([]);
    expect(await writtenByLxd(server)).toEqual([]);
    const moved = await inventoryOf(server, 'incus');
    expect(Object.keys(moved)).toEqual(Object.keys(inventory));
    await expectNoSecrets(server, `${result.stdout}${result.stderr}`);
    const { stdout: note } = await server.exec(['cat', '/var/lib/lxd/README.moved-to-incus']);
    expect(note).toContain('/var/lib/incus');
    expect(note).toContain('lxd-to-incus rollback');
    await expectNothingToDo(server);
  });

  it('moves a server to Incus 7.0.2', async () => {
    const server = await populated({ tree: 'trixie7' });
    const login = await loginOverHttps(server, trustedClient);

    const result = await tool(server, ['migrate', '--yes', '--json']);

    expectDone(result);
    const events = result.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; outcome?: string });
    expect(events.at(-1)).toMatchObject({ event: 'end', outcome: 'done' });
    await expectMoved(server, login);
  });

  it('moves a server whose LXD was killed and whose package is gone, while its containers live on', async () => {
    const server = await populated();
    const login = await loginOverHttps(server, trustedClient);
    await killDaemon(server, 'lxd');
    await removeLxdPackage(server);

    const result = await tool(server, ['migrate', '--yes']);

    expectDone(result);
    await expectMoved(server, login);
  });

  it('starts again what LXD would have started when the server was stopped beforehand', async () => {
    const server = await populated();
    await stopLxd(server);

    const result = await tool(server, ['migrate', '--yes']);

    expectDone(result);
    const states = await powerOf(server, 'incus');
    expect(states.find(({ instance }) => instance === 'c1')?.status).toBe('Running');
    expect(states.find(({ instance }) => instance === 'c2')?.status).toBe('Stopped');
  });
});

describe('a target that is not empty', () => {
  it('is refused with what is there, and nothing changes', async () => {
    const server = await populated();
    await server.exec(['incus', 'project', 'create', 'mine']);

    const result = await tool(server, ['migrate', '--yes', '--fix', '--accept', 'target-not-empty']);

    expect(result.status).toBe(3);
    expect(result.stdout).toContain('target-not-empty');
    expect(result.stdout).toContain('1 project(s) (mine)');
    expect(await powerOf(server, 'lxd')).toEqual(populatedPower.toSorted(byName));
  });

  it('is replaced with --fix when it holds only what incus admin init makes', async () => {
    const server = await populated();
    await initialiseIncus(server);

    const refused = await tool(server, ['migrate', '--yes']);
    const moved = await tool(server, ['migrate', '--yes', '--fix']);

    expect(refused.status).toBe(3);
    expect(refused.stdout).toContain('target-has-defaults');
    expectDone(moved);
    expect(await powerOf(server, 'incus')).toEqual(populatedPower.toSorted(byName));
  });
});

describe('when a step fails before the switch', () => {
  it('takes everything back: LXD as it was, the same instances running', async () => {
    const server = await populated();
    const login = await loginOverHttps(server, trustedClient);
    // A process that stays in a mount of the data directory: the proof that nothing is left must fail.
    server.spawn(['sh', '-c', 'cd /var/lib/lxd/storage-pools/bt && exec sleep 98765']);

    const result = await tool(server, ['migrate', '--yes']);

    await server.exec(['pkill', '-KILL', '-f', '^sleep 98765$']);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('LXD is as it was');
    expect(await powerOf(server, 'lxd')).toEqual(populatedPower.toSorted(byName));
    expect(await cannotWrite(server, 'lxd', running)).toEqual([]);
    expect(await loginOverHttps(server, trustedClient)).toEqual(login);
    await startIncus(server);
    expectDone(await tool(server, ['migrate', '--yes']));
  });
});

/** Everything that the tool printed or wrote, apart from databases and directories of the two daemons that it keeps. */
async function expectNoSecrets(server: Machine, printed: string): Promise<void> {
  const { stdout } = await server.exec([
    'sh',
    '-c',
    'cd /var/lib/lxd-to-incus && find . -type f -not -path "*/source-database/*" -not -path "*/target-directory/*" -not -name planned-database.sqlite -exec cat {} +',
  ]);
  const { stdout: shown } = await tool(server, ['verify', '--json']);
  for (const value of secrets().values()) {
    expect(printed).not.toContain(value);
    expect(stdout).not.toContain(value);
    expect(shown).not.toContain(value);
  }
}

/** Files with which an instance can be recovered, and that still name LXD's directory. */
async function writtenByLxd(server: Machine): Promise<string[]> {
  const { stdout } = await server.exec([
    'sh',
    '-c',
    'set -- /var/lib/incus/storage-pools/*/containers/*/backup.yaml; echo $#; grep -lE "/var/lib/lxd(/|$)" "$@" || true',
  ]);
  const [count, ...names] = stdout.trim().split('\n');
  // Of every pool that lies inside the directory.
  expect(Number(count)).toBeGreaterThan(8);
  return names;
}

async function expectNothingToDo(server: Machine): Promise<void> {
  expect((await tool(server, ['migrate', '--yes'])).status).toBe(4);
}
