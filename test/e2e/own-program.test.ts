// The program's own name and place: another of its name on PATH, and one that is gone when LXD is to come back.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { powerOf } from './server/power.ts';
import { installTool, tool } from './server/tool.ts';
import { startSmallMachine } from './small-server.ts';

const installed = '/opt/lxd-to-incus-e2e';
let server: Machine;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startSmallMachine({ name: 'own-program', containers: [{ name: 'c1' }] });
  await installTool(server, tarball);
  await server.exec([
    'sh',
    '-c',
    'printf "#!/bin/sh\\necho called >> /root/the-other-was-called\\n" > /usr/bin/lxd-to-incus && chmod +x /usr/bin/lxd-to-incus',
  ]);
});
afterAll(() => server.stop());

it('another program of this name is a finding, and no message leads to it', async () => {
  const plan = await tool(server, ['plan']);
  const help = await tool(server, ['--help']);
  const nothing = await tool(server, ['rollback', '--report', 'x']);

  expect(plan.status, plan.stdout).toBe(0);
  expect(plan.stdout).toContain('note  another-program-of-this-name\n');
  expect(plan.stdout).toContain('    /usr/bin/lxd-to-incus\n');
  for (const { stdout, stderr } of [plan, help, nothing])
    expect(`${stdout}${stderr}`).not.toMatch(
      /(^|[\s"'(])lxd-to-incus (\[|--|migrate|plan|rollback|resume|status)/m,
    );
  expect(help.stdout).toContain(`\n  ${installed}/lxd-to-incus plan\n`);
});

it('a program that is gone after the move was kept, and the note leads back by it', async () => {
  await server.exec(['cp', '-a', installed, '/tmp/my tool']);
  const power = await powerOf(server, 'lxd');

  const moved = await server.exec(
    ['/tmp/my tool/lxd-to-incus', 'migrate', '--yes', '--state', '/srv/the state'],
    {
      accept: 'any',
      timeoutMs: 300_000,
    },
  );
  await server.exec(['rm', '-rf', '/tmp/my tool']);
  const note = readFileSync(server.rootPath('/var/lib/lxd/README.moved-to-incus'), 'utf8');
  const commands = note.split('\n').filter((line) => / (status|rollback) --state /.test(line));
  const status = await server.exec(['sh', '-c', commands[0] ?? 'false'], { accept: 'any' });
  const back = await server.exec(['sh', '-c', `${commands[1] ?? 'false'} --yes`], {
    accept: 'any',
    timeoutMs: 300_000,
  });

  expect(moved.status, `${moved.stdout}${moved.stderr}`).toBe(0);
  expect(moved.stdout).toContain('note  program-in-passing-place\n');
  expect(commands).toHaveLength(2);
  expect(status.stdout).toMatch(/^Migrated and verified/);
  expect(status.stdout).toMatch(
    /"'\/srv\/the state\/runs\/[^']*\/program\/lxd-to-incus' rollback --state '\/srv\/the state'" brings LXD back/,
  );
  expect(back.status, `${back.stdout}${back.stderr}`).toBe(0);
  expect(await powerOf(server, 'lxd')).toEqual(power);
  expect((await server.exec(['sh', '-c', 'cat /root/the-other-was-called || true'])).stdout).toBe('');
});

it('a reader that is gone and a closed terminal do not end a migration', async () => {
  const moved = await server.exec(
    ['bash', '-c', `${installed}/lxd-to-incus migrate --yes 2>&1 | head -n 1; echo "exit \${PIPESTATUS[0]}"`],
    { timeoutMs: 300_000 },
  );

  expect(moved.stdout).toMatch(/exit 0$/m);
  const log = await server.exec(['sh', '-c', 'cat /var/lib/lxd-to-incus/runs/*/log']);
  expect(log.stdout).toMatch(/Moved and verified in /);
  expect((await tool(server, ['rollback', '--yes'])).status).toBe(0);
});
