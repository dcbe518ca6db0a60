// What is asked of a daemon before anything is done to it.
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { startDaemon, waitIfShuttingDown } from '../../../src/migrate/apply/service-control.ts';
import type { DaemonRef } from '../../../src/migrate/model/step.ts';
import { errorAnswer, syncAnswer } from '../../fakes/daemon-answers.ts';
import { fakeHost } from '../../fakes/fake-host.ts';

const socket = '/var/lib/lxd/unix.socket';
const lxd: DaemonRef = {
  role: 'source',
  dataDirectory: '/var/lib/lxd',
  sockets: [socket],
  service: { kind: 'none' },
  program: undefined,
};

test('a daemon that is shutting down is waited for, until nobody listens', async () => {
  const host = fakeHost();
  host.machine.listeners.set(socket, 100);
  host.onRequest((_, { method }) => {
    if (method === 'GET') return syncAnswer({});
    host.machine.listeners.delete(socket);
    return errorAnswer(503, 'LXD is shutting down');
  });
  const said: string[] = [];

  await waitIfShuttingDown(host, lxd, 60_000, (text) => said.push(text));

  expect(said).toEqual(['LXD is shutting down: waiting until it is gone']);
});

test('one that does not go within its limit is named', async () => {
  const host = fakeHost();
  host.machine.listeners.set(socket, 100);
  host.onRequest((_, { method }) =>
    method === 'GET' ? syncAnswer({}) : errorAnswer(503, 'LXD is shutting down'),
  );

  await expect(waitIfShuttingDown(host, lxd, 60_000, () => {})).rejects.toMatchObject({
    problem: { code: 'still-running', what: [expect.stringContaining('/var/lib/lxd')] },
  });
});

test('one that runs, and one that does not, is not waited for', async () => {
  const host = fakeHost();
  const begun = host.clock();

  await waitIfShuttingDown(host, lxd, 60_000, () => {});
  host.machine.listeners.set(socket, 100);
  host.onRequest((_, { method }) => (method === 'GET' ? syncAnswer({}) : errorAnswer(404, 'not found')));
  await waitIfShuttingDown(host, lxd, 60_000, () => {});

  expect(host.clock()).toBe(begun);
});

test('a unit beside the daemon that was masked before is not started: it would end the start of the others', async () => {
  const host = fakeHost();
  host.onRun(([command]) => (command === 'systemctl' ? {} : undefined));
  fs.mkdirSync(host.path('/etc/systemd/system'), { recursive: true });
  fs.symlinkSync('/dev/null', host.path('/etc/systemd/system/lxd-containers.service'));
  host.machine.listeners.set(socket, 100);
  host.onRequest(() => syncAnswer({}));
  const start = ['lxd.socket', 'lxd.service', 'lxd-containers.service'];

  await startDaemon(host, { ...lxd, service: { kind: 'systemd', units: start, start } }, 1000);

  expect(host.log.filter(({ kind }) => kind === 'run')).toEqual([
    { kind: 'run', text: 'systemctl start lxd.socket lxd.service' },
  ]);
});
