// An LXD as snapd lays it out: no unit that can be masked, and snapd starts it again on an empty directory after the move.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { stopLxd } from './server/populated-machine.ts';
import { powerOf } from './server/power.ts';
import { installTool, tool } from './server/tool.ts';
import { startSmallMachine } from './small-server.ts';
import { expectUntouched, witness } from './untouched.ts';
import { waitFor } from './wait-for.ts';

const common = '/var/snap/lxd/common';
const directory = `${common}/lxd`;
const note = `${directory}/README.moved-to-incus`;
const program = '/snap/lxd/current/bin/lxd';
const services = '/root/services.json';
/** One machine for all: each of these tests finds it as the one before has left it. */
let server: Machine;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startSmallMachine({ name: 'snap-comes-back', containers: [{ name: 'c1' }] });
  await installTool(server, tarball);
  await layOutAsSnap();
});
afterAll(() => server?.stop());

const shell = (script: string): Promise<ExecResult> =>
  server.exec(['bash', '-euc', script], { timeoutMs: 120_000 });

/** snapd writes its units into /etc/systemd/system; the daemon has its directory from the snap's own script. */
async function layOutAsSnap(): Promise<void> {
  const sql = `UPDATE storage_pools_config SET value = replace(value, '/var/lib/lxd/', '${directory}/') WHERE key = 'source'`;
  await server.exec(['lxd', 'sql', 'global', sql]);
  await stopLxd(server);
  await shell(`
    mkdir -p ${common} /snap/lxd/29351/bin && ln -s 29351 /snap/lxd/current
    mv /var/lib/lxd ${directory} && mkdir -p ${common}/lxd/logs
    for link in ${directory}/containers/* ${directory}/snapshots/*; do
      [ ! -L "$link" ] || ln -sfn "$(readlink "$link" | sed 's#^/var/lib/lxd/#${directory}/#')" "$link"
    done
    mv /usr/bin/lxd /snap/lxd/29351/bin/lxd
    rm -f /var/lib/dpkg/info/lxd.list /lib/systemd/system/lxd*.service /lib/systemd/system/lxd*.socket
    find /etc/systemd/system -name 'lxd*' -delete`);
  writeFileSync(
    server.rootPath('/etc/systemd/system/snap.lxd.daemon.service'),
    '[Unit]\nDescription=Service for snap application lxd.daemon\n[Service]\nExecStart=/usr/bin/snap run lxd.daemon\nRestart=on-failure\n',
  );
  writeFileSync(
    server.rootPath('/usr/local/sbin/start-snap'),
    `#!/bin/sh\nexport LXD_DIR=${directory}\nmkdir -p ${directory}/logs\nsetsid ${program} --group lxd >/dev/null 2>&1 </dev/null &\nexec ${program} waitready --timeout 60\n`,
    { mode: 0o755 },
  );
}

const startSnap = (): Promise<ExecResult> =>
  server.exec(['/usr/local/sbin/start-snap'], { timeoutMs: 90_000 });

async function instancesOfSnap(): Promise<string> {
  const { stdout } = await server.exec(['lxc', 'list', '-f', 'csv', '-c', 'ns'], {
    env: { LXD_DIR: directory },
  });
  return stdout.trim();
}

it('that does not run is not found by itself; its data is named with the option', async () => {
  const plan = await tool(server, ['plan']);

  expect(plan.status).toBe(1);
  expect(plan.stderr).toContain(`There is data of an LXD that does not run in ${directory}.`);
});

it('that runs is found, and the plan says that nothing of it can be masked', async () => {
  await startSnap();
  await server.exec(['lxc', 'start', 'c1'], { env: { LXD_DIR: directory }, accept: 'any' });
  await waitFor('c1', 60_000, async () => ((await instancesOfSnap()) === 'c1,RUNNING' ? true : undefined));

  const plan = await tool(server, ['plan']);

  expect(plan.status, plan.stderr).toBe(3);
  expect(plan.stdout).toContain(directory);
  expect(plan.stdout).toContain('loss  source-not-startable');
  expect(plan.stdout).toContain('note  source-may-come-back');
  expect(plan.stdout).toContain('No systemd unit that this tool knows starts LXD here, so none is masked.');
});

it('is moved, and neither screen nor note says that it is masked', async () => {
  const moved = await tool(server, ['migrate', '--yes', '--accept', 'source-not-startable']);

  expect(moved.status, `${moved.stdout}${moved.stderr}`).toBe(0);
  expect(await powerOf(server, 'incus')).toEqual([{ project: 'default', instance: 'c1', status: 'Running' }]);
  const text = readFileSync(server.rootPath(note), 'utf8');
  for (const said of [moved.stdout, text]) {
    expect(said).toContain('Nothing keeps LXD from starting: no unit of it was masked.');
    expect(said).not.toMatch(/LXD is (?:masked|kept: disabled)|lxd\S* (?:is|are) masked/);
  }
});

it('that comes back empty is named by status and verify; rollback refuses and changes nothing', async () => {
  await startSnap();

  const status = await tool(server, ['status']);
  const verify = await tool(server, ['verify']);
  const before = await witness(server);
  const rollback = await tool(server, ['rollback', '--yes']);

  for (const { stdout } of [status, rollback]) {
    expect(stdout).toContain('source-came-back');
    expect(stdout).toMatch(
      /process \d+ is a daemon on \/var\/snap\/lxd\/common\/lxd: \/snap\/lxd\/current\/bin\/lxd/,
    );
  }
  expect(verify.status).toBe(1);
  expect(verify.stdout).toContain('nothing of LXD has appeared there since its data left');
  expect(rollback.status).toBe(3);
  expect(existsSync(server.rootPath(note))).toBe(true);
  await expectUntouched(server, before);
  expect(await powerOf(server, 'incus')).toEqual([{ project: 'default', instance: 'c1', status: 'Running' }]);
});

it('gives way: ended and moved away, LXD can be had back with what ran', async () => {
  await server.exec([program, 'shutdown'], { env: { LXD_DIR: directory }, timeoutMs: 120_000 });
  await shell(
    `mkdir /root/came-back && cd ${directory} && for file in *; do [ "$file" = README.moved-to-incus ] || mv "$file" /root/came-back/; done`,
  );
  writeFileSync(
    server.rootPath(services),
    JSON.stringify({ source: { start: ['/usr/local/sbin/start-snap'], stop: [program, 'shutdown'] } }),
  );

  const rollback = await tool(server, ['rollback', '--yes', '--services', services]);

  expect(rollback.status, `${rollback.stdout}${rollback.stderr}`).toBe(0);
  expect(existsSync(server.rootPath(note))).toBe(false);
  expect(await instancesOfSnap()).toBe('c1,RUNNING');
});
