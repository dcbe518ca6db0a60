// A rehearsal beside a running LXD: Incus takes the copy, and the machine is the same before, during and after.
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { realHost } from '../../src/core/real-host.ts';
import { daemonClient } from '../../src/migrate/daemon/client.ts';
import { inventoryFromApi } from '../../src/migrate/inventory/api/from-api.ts';
import { compareInventories } from '../../src/migrate/inventory/compare.ts';
import type { Inventory } from '../../src/migrate/model/inventory.ts';
import type { Rehearsal } from '../../src/migrate/model/rehearsal.ts';
import { editLxdDatabase } from './edit-database.ts';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { api, type Product, socketPath } from './server/api.ts';
import { startPopulatedMachine } from './server/populated-machine.ts';
import { populatedPower, powerOf } from './server/power.ts';
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
  const sql = async (server: Machine, text: string): Promise<void> => {
    await server.exec(['lxd', 'sql', 'global', text]);
  };

  /** Migrate keeps its journal and its lock there. */
  const withoutState = (traces: Traces): Traces => ({
    ...traces,
    files: traces.files.filter((path) => !/^\/(var\/lib|run)\/lxd-to-incus/.test(path)),
  });

  it('is caught by its own words while LXD goes on running', async () => {
    const server = await populated();
    // The database is that of a member with another address: Incus, which looks for its own, finds none.
    await sql(server, "UPDATE nodes SET address = '192.0.2.1:8443'");
    const before = await tracesOf(server);
    const power = await powerOf(server, 'lxd');

    const result = await tool(server, ['migrate', '--yes', '--fix', '--accept', 'rehearsal:refused']);

    expect(result.status, result.stdout).toBe(3);
    expect(result.stdout).toContain('rehearsal:refused');
    expect(result.stdout).toContain('Failed to update cluster member version info');
    expect(await powerOf(server, 'lxd')).toEqual(power);
    expect(withoutState(await tracesOf(server))).toEqual(withoutState(before));
  });

  it('is caught when rows cannot be understood', async () => {
    const server = await populated();
    await sql(server, "UPDATE networks SET type = 99 WHERE name = 'net2'");
    const power = await powerOf(server, 'lxd');

    const result = await tool(server, ['migrate', '--yes']);

    expect(result.status, result.stdout).toBe(3);
    expect(await powerOf(server, 'lxd')).toEqual(power);
  });

  it('is named by the plan where a table that Incus copies whole has a column more', async () => {
    const server = await populated();
    await sql(server, "ALTER TABLE instances_config ADD COLUMN who TEXT DEFAULT 'me'");

    const result = await tool(server, ['rehearse', '--json']);

    expect(result.status, result.stdout).toBe(3);
    expect(result.stdout).toContain('broken-before:column-in-the-way');
    // Incus itself says that the finding is right.
    const { findings } = rehearsalOf(result);
    expect(findings.map(({ id }) => id)).toEqual(['rehearsal:refused']);
    expect(JSON.stringify(findings)).toMatch(/instances_config.* columns/);
  });

  it('is caught when its schema is of the future', async () => {
    const server = await populated();
    await sql(server, 'INSERT INTO schema (version, updated_at) VALUES (200, 0)');

    const result = await tool(server, ['migrate', '--yes']);

    expect(result.status).toBe(3);
    expect(result.stdout).toContain('schema-unknown');
  });
});

describe('what a database has gathered over the years', () => {
  /** While LXD runs, which itself would not start with some of these. */
  const asLxd = async (server: Machine, ...statements: string[]): Promise<void> => {
    for (const statement of statements) await server.exec(['lxd', 'sql', 'global', statement]);
  };
  const twice =
    "INSERT INTO networks_config (network_id, node_id, key, value) SELECT id, NULL, 'user.twice', '1' FROM networks WHERE name = 'net2'";

  it.each<{ what: string; make: (server: Machine) => Promise<void>; id: string; says: string }>([
    {
      what: 'a row that refers to nothing',
      make: (server) =>
        editLxdDatabase(
          server,
          "INSERT INTO images_aliases (name, image_id, description, project_id) VALUES ('lost', 9999, '', 1)",
          populatedPower,
        ),
      id: 'reference-broken',
      says: 'images_aliases row',
    },
    {
      what: 'a configuration key that stands twice',
      make: (server) => asLxd(server, 'DROP INDEX networks_unique_network_id_node_id_key', twice, twice),
      id: 'rehearsal:duplicate-keys',
      says: 'user.twice stands 2 times',
    },
    {
      what: 'a view of something that is gone',
      make: (server) => asLxd(server, 'CREATE VIEW dangling AS SELECT gone FROM instances'),
      id: 'rehearsal:statements',
      says: 'view dangling: no such column: gone',
    },
  ])('is caught before anything stops: $what', async ({ make, id, says }) => {
    const server = await populated();
    await make(server);
    const power = await powerOf(server, 'lxd');
    const before = await tracesOf(server);

    const result = await tool(server, ['migrate', '--yes', '--fix', '--accept', id]);

    expect(result.status, `${result.stdout}${result.stderr}`).toBe(3);
    expect(result.stdout).toContain(id);
    expect(result.stdout).toContain(says);
    expect(await powerOf(server, 'lxd')).toEqual(power);
    const { files: _state, ...after } = await tracesOf(server);
    const { files: _before, ...atRest } = before;
    expect(after).toEqual(atRest);
  });

  it('is taken out and said where it is a trigger: Incus can delete what the trigger hung on', async () => {
    const server = await populated();
    // On no table from which LXD deletes when it starts: it would not start.
    await editLxdDatabase(
      server,
      'CREATE TRIGGER dangling AFTER DELETE ON config BEGIN DELETE FROM gone WHERE id = OLD.id; END',
      populatedPower,
    );

    const result = await tool(server, ['migrate', '--yes', '--json']);

    expect(result.status, `${result.stdout.slice(-2000)}${result.stderr}`).toBe(0);
    expect(rehearsalOf(result)).toMatchObject({ ran: true, findings: [] });
    expect(result.stdout).toContain('trigger dangling');
    await server.exec(['incus', 'config', 'set', 'user.short-lived=yes']);
    await server.exec(['incus', 'config', 'unset', 'user.short-lived']);
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
    const stoodIn = notProven.filter(({ kind }) => ['storage pool', 'network'].includes(kind));
    expect(stoodIn.map(({ kind }) => kind).sort()).toEqual(['network', 'storage pool']);
    for (const { objects } of stoodIn) expect(objects.filter((object) => !looked.has(object))).toEqual([]);
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
