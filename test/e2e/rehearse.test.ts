// A rehearsal beside a running LXD: Incus takes the copy, and the machine is the same before, during and after.
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { realHost } from '../../src/core/real-host.ts';
import { daemonClient } from '../../src/migrate/daemon/client.ts';
import { inventoryFromApi } from '../../src/migrate/inventory/from-api.ts';
import type { Inventory } from '../../src/migrate/inventory/inventory.ts';
import type { Rehearsal } from '../../src/migrate/rehearse/index.ts';
import { compareInventories } from '../../src/migrate/verify/compare.ts';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { api, type Product, socketPath } from './server/api.ts';
import { startPopulatedMachine } from './server/populated-machine.ts';
import { powerOf } from './server/power.ts';
import { installTool, startTool, tool } from './server/tool.ts';
import { type Traces, tracesOf } from './traces.ts';
import { compareTrees, describeTree } from './tree.ts';
import { waitFor } from './wait-for.ts';

const share = '/srv/host-share';
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
  machine = await startPopulatedMachine({ tree, name: 'rehearse' });
  await installTool(machine, tarball);
  return machine;
}

/** An instance that starts with its server, is stopped, and has a folder of the machine that it can write to. */
async function shareWithAutostart(server: Machine): Promise<void> {
  mkdirSync(server.rootPath(share), { recursive: true });
  writeFileSync(server.rootPath(`${share}/content`), 'must stay as it is\n');
  await api(server, 'lxd', 'PATCH', '/1.0/instances/autostart-stopped', {
    config: { 'boot.autostart': 'true', 'snapshots.schedule': '* * * * *' },
    devices: { share: { type: 'disk', source: share, path: '/mnt/share' } },
  });
}

function inventoryOfServer(server: Machine, product: Product): Promise<Inventory> {
  return inventoryFromApi(daemonClient(realHost, server.rootPath(socketPath[product])));
}

/** Whether an incusd runs besides the one of the machine: that of the rehearsal. */
async function trialRuns(server: Machine): Promise<boolean> {
  const { stdout } = await server.exec(['pgrep', '--count', '--exact', 'incusd'], { accept: 'any' });
  return Number(stdout) > 1;
}

function rehearsalOf({ stdout }: ExecResult): Rehearsal {
  const event = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; rehearsal?: Rehearsal })
    .find((one) => one.event === 'rehearsal');
  if (event?.rehearsal === undefined) throw new Error(`no rehearsal was printed: ${stdout.slice(-500)}`);
  return event.rehearsal;
}

describe.each([
  { tree: 'bookworm', version: '6.0.4' },
  { tree: 'trixie7', version: '7.0.2' },
] as const)('a rehearsal with Incus $version beside a running LXD', ({ tree, version }) => {
  it('shows everything as LXD has it, and leaves no trace on the machine, at no time', async () => {
    const server = await populated(tree);
    await shareWithAutostart(server);
    const inventory = await inventoryOfServer(server, 'lxd');
    const power = await powerOf(server, 'lxd');
    const target = await inventoryOfServer(server, 'incus');
    const files = await describeTree(server, share);
    const before = await tracesOf(server);

    const running = tool(server, ['rehearse', '--json']);
    const during: Traces[] = [];
    let result: ExecResult | undefined;
    void running.then((end) => {
      result = end;
    });
    while (result === undefined) if (await trialRuns(server)) during.push(await tracesOf(server));
    const { processes: _running, ...atRest } = before;

    expect(result.status, `${result.stdout.slice(-2000)}\n${result.stderr}`).toBe(0);
    const rehearsal = rehearsalOf(result);
    expect(rehearsal).toMatchObject({ ran: true, version, findings: [] });
    expect(rehearsal.compared['instances']).toBe(power.length);
    expect(rehearsal.milliseconds).toBeLessThan(10_000);
    expect(new Set(rehearsal.notProven.map(({ kind }) => kind))).toContain('storage pool');
    expect(during.length).toBeGreaterThan(0);
    for (const { processes: _trial, ...sample } of during) expect(sample).toEqual(atRest);
    expect(await tracesOf(server)).toEqual(before);
    expect(compareTrees(files, await describeTree(server, share))).toEqual([]);
    expect(compareInventories(inventory, await inventoryOfServer(server, 'lxd'), [])).toEqual([]);
    expect(compareInventories(target, await inventoryOfServer(server, 'incus'), [])).toEqual([]);
    expect(await powerOf(server, 'lxd')).toEqual(power);
  });
});

describe('a rehearsal whose tool is killed', () => {
  it('ends with it: no process, mount, interface or file stays', async () => {
    const server = await populated();
    await tool(server, ['plan']);
    const before = await tracesOf(server);
    const child = startTool(server, ['rehearse']);
    child.stdout?.resume();
    child.stderr?.resume();
    await waitFor('the trial to run', 30_000, async () => ((await trialRuns(server)) ? true : undefined));

    const { stdout } = await server.exec(['pgrep', '--full', 'node.*lxd-to-incus.* rehearse$']);
    await server.exec(['kill', '-KILL', ...(stdout.trim().split('\n') as [string, ...string[]])]);

    let after: Traces | undefined;
    await waitFor(
      'the machine to be as before',
      10_000,
      async () => {
        after = await tracesOf(server);
        return JSON.stringify(after.processes) === JSON.stringify(before.processes) ? true : undefined;
      },
      () => JSON.stringify(after?.processes),
    );
    expect(await tracesOf(server)).toEqual(before);
  });
});

describe('a database that Incus refuses', () => {
  const sql = async (server: Machine, database: 'global' | 'local', text: string): Promise<void> => {
    await server.exec(['lxd', 'sql', database, text]);
  };

  /** Migrate keeps its journal there. */
  const withoutState = (traces: Traces): Traces => ({
    ...traces,
    files: traces.files.filter((path) => !path.startsWith('/var/lib/lxd-to-incus')),
  });

  it('is caught by its own words while LXD goes on running', async () => {
    const server = await populated();
    await sql(server, 'local', 'INSERT INTO schema (version, updated_at) VALUES (99, 0)');
    const before = await tracesOf(server);
    const power = await powerOf(server, 'lxd');

    const result = await tool(server, ['migrate', '--yes', '--fix', '--accept', 'rehearsal:refused']);

    expect(result.status).toBe(3);
    expect(result.stdout).toContain('rehearsal:refused');
    expect(result.stdout).toContain('Missing updates: 42 to 99');
    expect(await powerOf(server, 'lxd')).toEqual(power);
    expect(withoutState(await tracesOf(server))).toEqual(withoutState(before));
  });

  it('is caught when rows cannot be understood', async () => {
    const server = await populated();
    await sql(server, 'global', "UPDATE networks SET type = 99 WHERE name = 'net2'");
    const power = await powerOf(server, 'lxd');

    const result = await tool(server, ['migrate', '--yes']);

    expect(result.status, result.stdout).toBe(3);
    expect(await powerOf(server, 'lxd')).toEqual(power);
  });

  it('is caught when its schema is of the future', async () => {
    const server = await populated();
    await sql(server, 'global', 'INSERT INTO schema (version, updated_at) VALUES (200, 0)');

    const result = await tool(server, ['migrate', '--yes']);

    expect(result.status).toBe(3);
    expect(result.stdout).toContain('schema-unknown');
  });
});

describe('what the trial could not prove', () => {
  it('is looked at after the switch, all of it', async () => {
    const server = await populated();

    const result = await tool(server, ['migrate', '--yes', '--json']);

    expect(result.status, result.stderr).toBe(0);
    const events = result.stdout
      .trimEnd()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { kind?: string; verification?: { checks: { id: string; object: string }[] } },
      );
    const checks = events.flatMap(({ verification }) => verification?.checks ?? []);
    const known = new Set([...events.map(({ kind }) => kind), ...checks.map(({ id }) => id)]);
    const { notProven } = rehearsalOf(result);
    expect(notProven.filter(({ checkedBy }) => !known.has(checkedBy))).toEqual([]);
    const looked = new Set(checks.map(({ object }) => object));
    for (const { objects } of notProven.filter(({ kind }) => kind === 'storage pool'))
      expect(objects.filter((object) => !looked.has(object))).toEqual([]);
    const { stdout: report } = await server.exec([
      'sh',
      '-c',
      'cat /var/lib/lxd-to-incus/runs/*/report/report.md',
    ]);
    expect(report).toContain('What the trial could not prove');
  });
});

describe('where a rehearsal is not possible', () => {
  it('says why and asks', async () => {
    const server = await populated();
    await server.exec(['chmod', '-x', '/usr/bin/unshare']);

    const refused = await tool(server, ['rehearse']);
    const accepted = await tool(server, ['rehearse', '--accept', 'rehearsal-not-possible']);

    expect(refused.status).toBe(3);
    expect(refused.stdout).toContain('commands are missing: unshare');
    expect(accepted.status).toBe(0);
  });
});
