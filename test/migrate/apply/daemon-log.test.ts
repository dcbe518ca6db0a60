// What a daemon wrote into its log since a moment, from its file and from the journal; nothing that was there before.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { watchDaemonLog } from '../../../src/migrate/apply/daemon-log.ts';
import type { DaemonRef } from '../../../src/migrate/model/step.ts';
import { fakeHost } from '../../fakes/fake-host.ts';

const incus: DaemonRef = {
  role: 'target',
  dataDirectory: '/srv/incus',
  sockets: [],
  service: { kind: 'systemd', units: ['incus.service', 'incus.socket'], start: [] },
  program: undefined,
};

function machine() {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  return host;
}

test('of its files what is new, wherever they are', async () => {
  const host = machine();
  host.writeFile('/var/log/incus/incusd.log', 'of yesterday\n');
  const log = watchDaemonLog(host, incus);
  host.writeFile('/var/log/incus/incusd.log', 'of yesterday\nof today\n');
  host.writeFile('/srv/incus/logs/incusd.log', 'a new file\n');

  expect(await log()).toBe('of today\na new file');
});

test('of a file that was begun anew all of it', async () => {
  const host = machine();
  host.writeFile('/var/log/incus/incusd.log', 'a long line of yesterday\n');
  const log = watchDaemonLog(host, incus);
  host.writeFile('/var/log/incus/incusd.log', 'today\n');

  expect(await log()).toBe('today');
});

test('of the journal what came since, where there is one and systemd starts the daemon', async () => {
  const host = machine();
  host.machine.commands.set('journalctl', '/usr/bin/journalctl');
  host.onRun(([command, ...args]) =>
    command === 'journalctl' ? { stdout: Buffer.from(`${args.join(' ')}\n`) } : undefined,
  );

  const since = Math.floor(host.now().getTime() / 1000);
  expect(await watchDaemonLog(host, incus)()).toBe(
    `--quiet --no-pager --output=cat --lines=50 --since=@${since} --unit=incus.service`,
  );
  expect(await watchDaemonLog(host, { ...incus, service: { kind: 'none' } })()).toBe('');
});

test('of a journal that does not answer that it is not known, which is not the same as nothing', async () => {
  const host = machine();
  host.machine.commands.set('journalctl', '/usr/bin/journalctl');
  host.onRun(() => ({ status: 1, stderr: Buffer.from('Failed to search journal: Connection timed out') }));

  expect(await watchDaemonLog(host, incus)()).toMatch(
    /^error: what systemd's journal has of it is not known: /,
  );
});

test('of a log without an end only the end, and of one that is a pipe nothing', async () => {
  const host = machine();
  const log = watchDaemonLog(host, incus);
  host.writeFile('/var/log/incus/incusd.log', '');
  const path = host.path('/var/log/incus/incusd.log');
  fs.truncateSync(path, 2 ** 40);
  fs.appendFileSync(path, 'the last line\n');
  fs.mkdirSync(host.path('/srv/incus/logs'), { recursive: true });
  execFileSync('mkfifo', [host.path('/srv/incus/logs/incusd.log')]);

  const text = await log();

  expect(text.replaceAll('\0', '')).toBe('the last line');
  expect(text.length).toBeLessThanOrEqual(256 * 1024);
});
