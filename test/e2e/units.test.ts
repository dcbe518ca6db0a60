// Units of systemd, sockets too, and LXD's former place: what was active is so again, and what came back is named.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { expectBlocked } from './refused.ts';
import { startLxd, stopIncus, stopLxd } from './server/populated-machine.ts';
import { powerOf } from './server/power.ts';
import { installTool, tool } from './server/tool.ts';
import { startSmallMachine } from './small-server.ts';
import { waitFor } from './wait-for.ts';

/** One machine for all: each of these tests finds it as the one before has left it. */
let server: Machine;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startSmallMachine({ name: 'units', containers: [{ name: 'c1' }] });
  await installTool(server, tarball);
});
afterAll(() => server?.stop());

const units = [
  ...['lxd.socket', 'lxd.service', 'lxd-containers.service'],
  ...['incus.socket', 'incus.service', 'incus-startup.service', 'incus-user.socket', 'incus-user.service'],
];

async function saidOfUnits(verb: 'is-active' | 'is-enabled'): Promise<Record<string, string>> {
  const { stdout } = await server.exec(['systemctl', verb, ...units], { accept: 'any' });
  const words = stdout.trimEnd().split('\n');
  return Object.fromEntries(units.map((unit, index) => [unit, words[index] ?? '']));
}

const systemctl = (...args: readonly string[]): Promise<unknown> =>
  server.exec(['systemctl', ...args], { timeoutMs: 120_000 });

async function migrated(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tool(server, ['migrate', '--yes', ...args]);
  expect(status, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

async function rolledBack(): Promise<void> {
  const { status, stdout, stderr } = await tool(server, ['rollback', '--yes']);
  expect(status, `${stdout}${stderr}`).toBe(0);
}

describe('an idle Incus, whose sockets listen for it', () => {
  let active: Record<string, string>;
  let enabled: Record<string, string>;

  it('has its sockets again after the move, and verify says so', async () => {
    await stopIncus(server);
    await systemctl('start', 'incus.socket', 'incus-user.socket', 'incus-startup.service');
    active = await saidOfUnits('is-active');
    enabled = await saidOfUnits('is-enabled');
    expect(active).toMatchObject({
      'incus.socket': 'active',
      'incus-user.socket': 'active',
      'incus-startup.service': 'active',
      'incus.service': 'inactive',
    });

    await migrated();

    expect(await saidOfUnits('is-active')).toMatchObject({
      'incus.socket': 'active',
      'incus-user.socket': 'active',
      'incus-startup.service': 'active',
      'incus.service': 'active',
      'lxd.socket': 'inactive',
      'lxd.service': 'inactive',
    });
    const { stdout } = await tool(server, ['verify', '--json']);
    expect(stdout).toContain('"object":"unit incus-user.socket","what":"is active as before","ok":true');
  });

  it('whose socket does not listen is a failed check of verify', async () => {
    await systemctl('stop', 'incus-user.socket');

    const { status, stdout } = await tool(server, ['verify']);

    expect(status).toBe(1);
    expect(stdout).toContain('unit incus-user.socket: is active as before');
    expect(stdout).toContain('it is inactive');
    await systemctl('start', 'incus-user.socket');
  });

  it('has them again after a rollback, does not run, and left no socket in the directory of LXD', async () => {
    await rolledBack();

    expect(await saidOfUnits('is-active')).toEqual({ ...active, 'lxd-containers.service': 'active' });
    expect(await saidOfUnits('is-enabled')).toEqual(enabled);
    expect(existsSync(server.rootPath('/var/lib/lxd/unix.socket.user'))).toBe(false);
    expect(existsSync(server.rootPath('/var/lib/incus/unix.socket.user'))).toBe(true);
    expect(await powerOf(server, 'lxd')).toEqual([{ project: 'default', instance: 'c1', status: 'Running' }]);
  });
});

describe('units that were found in other ways', () => {
  it('are so again after a rollback: linked, enabled by hand, disabled, masked', async () => {
    mkdirSync(server.rootPath('/opt/units'), { recursive: true });
    writeFileSync(
      server.rootPath('/opt/units/incus-user.service'),
      '[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n',
    );
    await server.exec([
      'ln',
      '-s',
      '/opt/units/incus-user.service',
      '/etc/systemd/system/incus-user.service',
    ]);
    await systemctl('disable', 'lxd.socket');
    await systemctl('add-wants', 'rescue.target', 'lxd-containers.service');
    await systemctl('mask', 'incus-startup.service');
    const enabled = await saidOfUnits('is-enabled');
    const links = await unitLinks();
    expect(enabled).toMatchObject({
      'lxd.socket': 'disabled',
      'incus-user.service': 'linked',
      'incus-startup.service': 'masked',
    });

    await migrated();
    expect(await saidOfUnits('is-enabled')).toMatchObject({
      'lxd.socket': 'masked',
      'incus-user.service': 'linked',
      'incus-startup.service': 'masked',
    });
    await rolledBack();

    expect(await saidOfUnits('is-enabled')).toEqual(enabled);
    expect(await unitLinks()).toEqual(links);
    await server.exec(['rm', '/etc/systemd/system/incus-user.service']);
    await systemctl('unmask', 'incus-startup.service');
  });

  async function unitLinks(): Promise<string> {
    const { stdout } = await server.exec([
      'sh',
      '-c',
      'find /etc/systemd/system -type l -printf "%p %l\\n" | grep -e lxd -e incus | sort',
    ]);
    return stdout;
  }
});

describe('where systemctl answers questions and cannot act', () => {
  const standIn = '/usr/local/bin/systemctl';

  beforeAll(() => server.exec(['mv', standIn, `${standIn}.away`]));
  afterAll(() => server.exec(['mv', `${standIn}.away`, standIn]));

  it('that is a finding before the first step', async () => {
    await expectBlocked(server, 'service-manager-offline', {
      says: ['System has not been booted with systemd', '--services FILE'],
    });
  });

  it('the same where only the folder of a systemd was left behind', async () => {
    await server.exec(['mkdir', '-p', '/run/systemd/system']);
    try {
      await expectBlocked(server, 'service-manager-offline', {
        says: ['no systemd runs that could stop or start anything', '--services FILE'],
      });
    } finally {
      await server.exec(['rmdir', '/run/systemd/system']);
    }
  });
});

describe('an LXD that no unit starts, and that a package manager brings back', () => {
  const note = '/var/lib/lxd/README.moved-to-incus';

  it('is not said to be masked', async () => {
    await stopLxd(server);
    for (const unit of ['lxd.service', 'lxd.socket', 'lxd-containers.service'])
      await server.exec(['sh', '-c', `mv /lib/systemd/system/${unit} /root/`]);

    const said = await migrated();

    expect(said).toContain('Nothing keeps LXD from starting: no unit of it was masked.');
    const { stdout: text } = await server.exec(['cat', note]);
    expect(text).toContain('Nothing keeps LXD from starting');
    expect(`${said}${text}`).not.toMatch(/LXD is masked|lxd\S* (?:is|are) masked/);
  });

  it('is named by status and verify, and rollback refuses before it changes anything', async () => {
    await server.exec(['sh', '-c', 'setsid /usr/bin/lxd --group lxd >/dev/null 2>&1 </dev/null &']);
    await waitFor('the new LXD', 60_000, async () =>
      (await server.exec(['lxd', 'waitready', '--timeout', '1'], { accept: 'any' })).status === 0
        ? true
        : undefined,
    );

    const status = await tool(server, ['status']);
    const verify = await tool(server, ['verify']);
    const rollback = await tool(server, ['rollback', '--yes']);

    expect(status.stdout).toContain('Nothing keeps LXD from starting');
    for (const { stdout } of [status, rollback]) {
      expect(stdout).toContain('source-came-back');
      expect(stdout).toMatch(/process \d+ is a daemon on \/var\/lib\/lxd: \/usr\/bin\/lxd/);
    }
    expect(verify.status).toBe(1);
    expect(verify.stdout).toContain('nothing of LXD has appeared there since its data left');
    expect(rollback.status).toBe(3);
    expect(existsSync(server.rootPath(note))).toBe(true);
    expect((await powerOf(server, 'incus')).map(({ status: power }) => power)).toEqual(['Running']);
  });

  it('gives way: stopped and moved away, LXD can be had back', async () => {
    await server.exec(['lxd', 'shutdown'], { timeoutMs: 120_000 });
    const stillThere = await tool(server, ['rollback', '--yes']);
    await server.exec([
      'sh',
      '-c',
      'mkdir /root/came-back && cd /var/lib/lxd && for f in *; do [ "$f" = README.moved-to-incus ] || mv "$f" /root/came-back/; done',
    ]);
    for (const unit of ['lxd.service', 'lxd.socket', 'lxd-containers.service'])
      await server.exec(['mv', `/root/${unit}`, '/lib/systemd/system/']);

    await rolledBack();

    expect(stillThere.status).toBe(3);
    expect(stillThere.stdout).toContain('/var/lib/lxd/database');
    await startLxd(server);
    expect((await powerOf(server, 'lxd')).map(({ instance }) => instance)).toEqual(['c1']);
  });
});
