// What keeps a person from harm: rights, a second run, a plan that no longer fits, a damaged or foreign database.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { eventsOf, expectBlocked, expectFailed, expectForPeople } from './refused.ts';
import { api } from './server/api.ts';
import { powerOf } from './server/power.ts';
import { installTool, startTool, tool } from './server/tool.ts';
import { cannotWrite } from './server/variants.ts';
import { addContainer, startSmallMachine } from './small-server.ts';
import { expectUntouched, initsOf, runsOf, witness } from './untouched.ts';

const state = '/var/lib/lxd-to-incus';
const globalFolder = '/var/lib/lxd/database/global';
const planFolder = '/root/plan';
const planFile = `${planFolder}/plan.json`;
let server: Machine;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startSmallMachine({
    name: 'guard-rails',
    containers: [{ name: 'c1' }, { name: 'slow', init: 'slow' }, { name: 'still' }],
  });
  await installTool(server, tarball);
  await api(server, 'lxd', 'PUT', '/1.0/instances/still/state', { action: 'stop', timeout: 30 });
});
afterAll(() => server?.stop());

const power = [
  { project: 'default', instance: 'c1', status: 'Running' },
  { project: 'default', instance: 'slow', status: 'Running' },
  { project: 'default', instance: 'still', status: 'Stopped' },
] as const;
const running = power.filter(({ status }) => status === 'Running');

function expectDone({ status, stdout, stderr }: ExecResult): void {
  expect(status, `${stdout}\n${stderr}`).toBe(0);
}

/** Writes the plan of the server as it is now, as a person would who wants to look at it first. */
async function planNow(): Promise<void> {
  await server.exec(['rm', '-rf', planFolder]);
  expectDone(await tool(server, ['plan', '--report', planFolder]));
}

async function rollback(...options: string[]): Promise<void> {
  expectDone(await tool(server, ['rollback', '--yes', ...options]));
  expect(await powerOf(server, 'lxd')).toEqual(power);
}

describe('a user who is not root', () => {
  const somebody = 4242;

  /** Runs the tool as that user, who has no rights but what the files give. */
  async function asSomebody(args: readonly string[]): Promise<ExecResult> {
    const identity = ['--reuid', `${somebody}`, '--regid', `${somebody}`, '--clear-groups'];
    const program = '/opt/lxd-to-incus-e2e/lxd-to-incus';
    return server.exec(['setpriv', ...identity, '--inh-caps=-all', '--', program, ...args], {
      accept: 'any',
      timeoutMs: 120_000,
      env: { HOME: '/tmp' },
    });
  }

  it('may not read the database, and is told so', async () => {
    for (const args of [['plan'], ['inspect'], ['export-db', '/tmp/out.sqlite']])
      await expectFailed(server, args, {
        exit: 1,
        code: 'no-permission',
        says: ['/var/lib/lxd/database', 'Run the command as root'],
        run: asSomebody,
      });
  });

  it('plans, inspects and exports where only the folder of the database is readable', async () => {
    const allow = (what: string): string[] => ['--modify', `u:${somebody}:${what}`];
    await server.exec(['chmod', '600', '/var/lib/lxd/database/local.db']);
    await server.exec(['setfacl', ...allow('x'), '/var/lib/lxd/database']);
    await server.exec(['setfacl', '--recursive', ...allow('rX'), globalFolder]);
    const before = await witness(server);

    const inspect = await asSomebody(['inspect', '--json']);
    const exported = await asSomebody(['export-db', '/tmp/exported.sqlite']);
    const plan = await asSomebody(['plan']);
    const script = await asSomebody(['plan', '--json', '--report', '/tmp/plan-of-somebody']);

    expectDone(inspect);
    expectDone(exported);
    expectDone(plan);
    expectForPeople(plan);
    expectDone(script);
    expect(eventsOf(inspect)[0]).toMatchObject({ event: 'inventory' });
    expect(inspect.stdout).toContain('"still"');
    expect(plan.stdout).toContain('not-readable');
    expect(plan.stdout).toContain('/var/lib/incus');
    expect(plan.stdout).toContain('/var/lib/lxd/database/local.db');
    await expectUntouched(server, before);
    await server.exec(['setfacl', '--recursive', '--remove-all', '/var/lib/lxd/database']);
  });

  it('may not migrate', async () => {
    for (const args of [['migrate', '--yes'], ['rehearse']])
      await expectFailed(server, args, {
        exit: 2,
        code: 'needs-root',
        says: [`${args[0]} must be run as root`],
        run: asSomebody,
      });
  });
});

describe('without a terminal and without --yes', () => {
  it('the question is not asked: the flag is named', async () => {
    await expectFailed(server, ['migrate'], { exit: 2, code: 'needs-answer', says: ['--yes', 'terminal'] });
  });
});

describe('a database of another LXD', () => {
  const setSchema = (version: number): Promise<unknown> =>
    server.exec(['lxd', 'sql', 'global', `UPDATE schema SET version = ${version}`]);

  it.each([59, 70, 75])('is refused where its schema is %i', async (version) => {
    await setSchema(version);
    try {
      await expectBlocked(server, 'schema-unknown', { says: [`schema ${version}`, '60 to 69'] });
    } finally {
      await setSchema(60);
    }
  });
});

describe('a closed segment that is damaged', () => {
  /** The last one, behind every snapshot; what LXD reads again at its next start. */
  function lastClosedSegment(): string {
    const [name] = readdirSync(server.rootPath(globalFolder))
      .filter((one) => /^\d{16}-\d{16}$/.test(one))
      .sort()
      .reverse();
    if (name === undefined) throw new Error('no closed segment');
    return `${globalFolder}/${name}`;
  }

  it('is named with byte and last good entry; --salvage writes the state before it', async () => {
    await server.exec(['systemctl', 'stop', 'lxd.service']);
    await server.exec(['systemctl', 'start', 'lxd.service'], { timeoutMs: 120_000 });
    const path = lastClosedSegment();
    const file = server.rootPath(path);
    const whole = readFileSync(file);
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(whole.length - 100) ^ 0xff, whole.length - 100);
    writeFileSync(file, damaged);
    try {
      for (const args of [['plan'], ['inspect'], ['export-db', '/root/out.sqlite'], ['migrate', '--yes']])
        await expectFailed(server, args, {
          exit: 1,
          code: 'segment-damaged',
          says: [path, 'the last good entry is', ', byte '],
        });
      const before = await witness(server);
      const salvaged = await tool(server, ['export-db', '--salvage', '/root/salvaged.sqlite']);

      expectDone(salvaged);
      const [, last] = /state of log entry (\d+)/.exec(salvaged.stdout) ?? [];
      expect(Number(last)).toBeGreaterThan(0);
      expect(salvaged.stderr).toContain(path.split('/').at(-1));
      await expectUntouched(server, before);
    } finally {
      writeFileSync(file, whole);
    }
  });
});

/** Starts the tool and does something once, as soon as it says that a step of this kind begins. */
async function meanwhile(
  args: readonly string[],
  kind: string,
  work: () => Promise<void>,
): Promise<ExecResult> {
  return atFirst(args, new RegExp(`"kind":"${kind}".*"state":"begun"`), work);
}

/** Runs a command, and does something as soon as it has printed such a line. */
async function atFirst(
  args: readonly string[],
  line: RegExp,
  work: () => Promise<void>,
): Promise<ExecResult> {
  const child = startTool(server, [...args, '--json']);
  const printed = { stdout: '', stderr: '' };
  let working: Promise<void> | undefined;
  child.stderr?.on('data', (chunk: Buffer) => {
    printed.stderr += chunk.toString('utf8');
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    printed.stdout += chunk.toString('utf8');
    if (line.test(printed.stdout)) working ??= work();
  });
  const status = await new Promise<number>((resolve, reject) => {
    child.on('close', (code) => resolve(code ?? -1));
    child.on('error', reject);
  });
  await working;
  expect(working, `${line} never came\n${printed.stdout.slice(-2000)}\n${printed.stderr}`).toBeDefined();
  return { status, ...printed };
}

const createStopped = (name: string): Promise<unknown> =>
  api(server, 'lxd', 'POST', '/1.0/instances', { name, source: { type: 'none' } });

describe('a server that changes after it was planned', () => {
  it('is refused with --plan, and nothing changes', async () => {
    await planNow();
    await createStopped('after-plan');

    await expectFailed(server, ['migrate', '--yes', '--plan', planFile], {
      exit: 3,
      code: 'plan-stale',
      says: ['no longer as it was planned', 'rows of table instances changed', 'Plan again'],
    });

    await api(server, 'lxd', 'DELETE', '/1.0/instances/after-plan');
  });

  it('is refused before anything stops where an instance appeared meanwhile', async () => {
    const inits = await initsOf(server, 'lxd');

    const result = await meanwhile(['migrate', '--yes'], 'stop-daemon', async () => {
      await createStopped('meanwhile');
    });

    expect(result.status, result.stderr).toBe(3);
    expect(result.stderr).toContain('instance default/meanwhile is new');
    expect(await initsOf(server, 'lxd')).toEqual(inits);
    await api(server, 'lxd', 'DELETE', '/1.0/instances/meanwhile');
    expect(await powerOf(server, 'lxd')).toEqual(power);
  });
});

describe('a second run while one is under way', () => {
  it('is refused and harms nothing; the first one carries out the plan that it was given', async () => {
    await planNow();
    const refused: ExecResult[] = [];
    let status: ExecResult | undefined;
    let runs: readonly number[] = [];

    const first = await meanwhile(['migrate', '--yes', '--plan', planFile], 'stop-instances', async () => {
      const before = runsOf(server, state);
      for (const command of ['migrate', 'resume', 'rollback'])
        refused.push(await tool(server, [command, '--yes']));
      for (const command of ['plan', 'rehearse', 'inspect']) refused.push(await tool(server, [command]));
      status = await tool(server, ['status']);
      runs = [before, runsOf(server, state)];
    });

    for (const second of refused) {
      expect(second.status, second.stderr).toBe(1);
      expect(second.stderr).toMatch(/Another lxd-to-incus \(process \d+\) is at work here/);
      expect(second.stderr).toContain(state);
      expectForPeople(second);
    }
    expect(refused).toHaveLength(6);
    expect(status?.status).toBe(0);
    expect(runs[1]).toBe(runs[0]);
    expectDone(first);
    for (const command of ['plan', 'rehearse', 'inspect', 'migrate']) {
      const { status: exit, stdout } = await tool(server, [command]);
      expect({ exit, stdout }).toEqual({
        exit: 4,
        stdout: 'This server was migrated already; there is no LXD left to move.\n',
      });
    }
    expect(await powerOf(server, 'incus')).toEqual(power);
    expect(await cannotWrite(server, 'incus', running)).toEqual([]);
    await rollback();
  });
});

describe('a second run with a state folder of its own', () => {
  it('is refused and changes nothing; the first ends well, and can be rolled back', async () => {
    const [mine, others] = ['/root/state-a', '/root/state-b'];
    const refused: ExecResult[] = [];

    const first = await atFirst(['migrate', '--yes', '--state', mine], /"event":"plan"/, async () => {
      refused.push(await tool(server, ['migrate', '--yes', '--state', others]));
    });

    expect(refused).toHaveLength(1);
    for (const { status, stderr } of refused) {
      expect(status, stderr).toBe(1);
      expect(stderr).toMatch(/Another lxd-to-incus \(process \d+\) is at work here/);
      expect(stderr).toContain(`It works in the state folder ${mine}\n`);
      expect(stderr).toContain(`lxd-to-incus status --state ${mine}"`);
    }
    expect(existsSync(server.rootPath(others))).toBe(false);
    expectDone(first);
    expect(await powerOf(server, 'incus')).toEqual(power);
    expect(await cannotWrite(server, 'incus', running)).toEqual([]);
    await rollback('--state', mine);
  });
});

describe('a run that was killed with a state folder of its own', () => {
  it('is named by every command that was given another, and is rolled back by what they print', async () => {
    const mine = '/root/state-c';
    const killed = await meanwhile(['migrate', '--yes', '--state', mine], 'start-daemon', async () => {
      await server.exec(['pkill', '-KILL', '-f', '^[^ ]*/bin/node [^ ]*lxd-to-incus.js migrate'], {
        accept: [1],
      });
    });

    const refused = [];
    for (const args of [['migrate', '--yes'], ['plan'], ['rehearse']]) refused.push(await tool(server, args));
    const said = [];
    for (const args of [['status'], ['resume', '--yes'], ['rollback', '--yes']])
      said.push(await tool(server, args));

    expect(killed.status).not.toBe(0);
    for (const { status, stderr } of refused) {
      expect(status, stderr).toBe(5);
      expect(stderr).toContain(`was begun in the state folder ${mine} and is not finished`);
      expect(stderr).toContain(`lxd-to-incus rollback --state ${mine}"`);
    }
    for (const { stdout } of said)
      expect(stdout).toMatch(
        new RegExp(`^The state folder ${mine} holds another migration \\(\\S+\\)\\. Not finished: `),
      );
    expect(said[2]?.stdout).toContain(`lxd-to-incus rollback --state ${mine}" brings LXD back.`);
    await rollback('--state', mine);
    expect((await tool(server, ['status'])).stdout).not.toContain(mine);
    expect(readFileSync(server.rootPath(`${state}/states.json`), 'utf8')).not.toContain(mine);
  });
});

describe('an ephemeral instance', () => {
  it('is asked about beforehand; accepted, its end is told and nothing else is lost', async () => {
    // The second is the last one of all: it ends together with LXD.
    for (const name of ['brief', 'the-last']) await addContainer(server, { name, ephemeral: true });
    const before = await witness(server);

    const asked = await tool(server, ['migrate', '--yes', '--fix']);
    await expectUntouched(server, before);
    const moved = await tool(server, ['migrate', '--yes', '--accept', 'instance-ephemeral']);
    const verified = await tool(server, ['verify']);

    expect(asked.status).toBe(3);
    expect(asked.stdout).toContain('loss  instance-ephemeral\n');
    expectDone(moved);
    expectDone(verified);
    for (const name of ['brief', 'the-last']) {
      expect(asked.stdout).toContain(`    instance default/${name}\n`);
      for (const { stdout } of [moved, verified])
        expect(stdout).toContain(`instance default/${name}: it was ephemeral, and LXD deleted it`);
    }
    expect(await powerOf(server, 'incus')).toEqual(power);
    await rollback();
  });

  it('that appears after the plan stops the move before it is lost', async () => {
    const result = await meanwhile(['migrate', '--yes'], 'stop-daemon', () =>
      addContainer(server, { name: 'brief', ephemeral: true }),
    );

    expect(result.status, result.stderr).toBe(3);
    expect(result.stderr).toContain('instance default/brief is new');
    expect((await powerOf(server, 'lxd')).find(({ instance }) => instance === 'brief')?.status).toBe(
      'Running',
    );
    await api(server, 'lxd', 'PUT', '/1.0/instances/brief/state', { action: 'stop', timeout: 30 });
  });
});

describe('a host without a service manager', () => {
  const services = '/root/services.json';
  const programs = {
    'start-lxd':
      'setsid /usr/bin/lxd --group lxd --logfile=/var/log/lxd/lxd.log >/dev/null 2>&1 </dev/null & exec lxd waitready --timeout 60',
    'start-incus':
      'setsid /usr/libexec/incus/incusd --group incus-admin --logfile /var/log/incus/incusd.log >/dev/null 2>&1 </dev/null & exec /usr/libexec/incus/incusd waitready --timeout 60',
  };

  beforeAll(async () => {
    for (const [name, line] of Object.entries(programs))
      writeFileSync(server.rootPath(`/usr/local/sbin/${name}`), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    for (const path of ['/usr/local/bin/systemctl', '/usr/bin/systemctl'])
      await server.exec(['mv', path, `${path}.away`]);
  });

  const write = (content: string): void => writeFileSync(server.rootPath(services), content);
  const good = {
    source: { start: ['/usr/local/sbin/start-lxd'], stop: ['lxd', 'shutdown'] },
    target: { start: ['/usr/local/sbin/start-incus'], stop: ['/usr/libexec/incus/incusd', 'shutdown'] },
  };

  it('is asked how Incus is started', async () => {
    await expectBlocked(server, 'target-not-startable', {
      says: ['--services FILE', 'loss  source-not-startable\n'],
    });
  });

  it.each([
    ['{"source": ', 'it is not JSON'],
    ['{"target": {"start": "incusd"}}', 'target.start must be a list of arguments'],
    ['{"lxd": {}}', 'unknown name "lxd"'],
  ])('is told what is wrong with %s', async (content, why) => {
    write(content);
    await expectFailed(server, ['migrate', '--yes', '--services', services], {
      exit: 2,
      code: 'bad-file',
      says: [services, why],
    });
  });

  it('says which command starts nothing; LXD can be had back, or the move finished with the right one', async () => {
    const bad = '/root/bad-services.json';
    write(JSON.stringify(good));
    writeFileSync(
      server.rootPath(bad),
      JSON.stringify({ ...good, target: { ...good.target, start: ['false'] } }),
    );

    const failed = await tool(server, ['migrate', '--yes', '--services', bad]);
    await rollback('--services', services);
    const again = await tool(server, ['migrate', '--yes', '--services', bad]);
    const finished = await tool(server, ['resume', '--yes', '--services', services]);

    for (const { status, stderr } of [failed, again]) {
      expect(status, stderr).toBe(1);
      expect(stderr).toContain('false ended with status 1');
      expect(stderr).toContain('lxd-to-incus resume');
      expect(stderr).toContain('lxd-to-incus rollback');
    }
    expectDone(finished);
    expect(await powerOf(server, 'incus')).toEqual(power);
    expect(await cannotWrite(server, 'incus', running)).toEqual([]);
  });
});
