// What is asked of a daemon before anything is done to it.
import { expect, test } from 'vitest';
import { waitIfShuttingDown } from '../../../src/migrate/apply/service-control.ts';
import type { DaemonRef } from '../../../src/migrate/plan/step.ts';
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
