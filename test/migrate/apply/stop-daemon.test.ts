// Commands of --services that stop a daemon may fail only where it does not run.
import { describe, expect, onTestFinished, test } from 'vitest';
import { stopDaemon } from '../../../src/migrate/apply/service-control.ts';
import type { DaemonRef } from '../../../src/migrate/model/step.ts';
import { syncAnswer } from '../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

function machine(): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.onRun(() => ({ status: 1 }));
  return host;
}

describe('the command that stops a daemon', () => {
  const daemon: DaemonRef = {
    role: 'target',
    dataDirectory: '/var/lib/incus',
    sockets: ['/run/incus/unix.socket'],
    service: { kind: 'commands', start: [['start']], stop: [['stop']] },
    program: undefined,
  };

  test('is run and may fail where it does not run', async () => {
    const host = machine();

    await stopDaemon(host, daemon, 1000);

    expect(host.log).toEqual([{ kind: 'run', text: 'stop' }]);
  });

  test('may not fail where it runs', async () => {
    const host = machine();
    host.machine.listeners.set('/run/incus/unix.socket', 7);

    await expect(stopDaemon(host, daemon, 1000)).rejects.toThrow('ended with status 1');
  });
});

test('while a daemon ends after its last instance, what it still writes is looked for again and again', async () => {
  const host = machine();
  const socket = '/var/lib/lxd/unix.socket';
  host.machine.listeners.set(socket, 7);
  let answer: (() => void) | undefined;
  host.onRequest((_, { path }) => {
    if (path !== '/internal/shutdown') return syncAnswer({});
    return new Promise((resolve) => {
      answer = () => {
        host.machine.listeners.delete(socket);
        resolve(syncAnswer({}));
      };
    });
  });
  const told: string[] = [];
  const lxd: DaemonRef = {
    role: 'source',
    dataDirectory: '/var/lib/lxd',
    sockets: [socket],
    service: { kind: 'none' },
    program: undefined,
  };

  await stopDaemon(host, lxd, 10_000, {
    instance: 'default/c1',
    instancesGoneWithinMs: 1_000,
    waiting: () => {},
    heldUpBy: () => [],
    instancesGone: async () => void told.push('gone'),
    stillStopping: () => {
      told.push('still');
      if (told.length === 4) answer?.();
    },
  });

  expect(told.slice(0, 4)).toEqual(['gone', 'still', 'still', 'still']);
});

test('an instance that LXD does not stop since it waits for something itself is not blamed: that is named', async () => {
  const host = machine();
  const socket = '/var/lib/lxd/unix.socket';
  host.machine.listeners.set(socket, 7);
  host.machine.processes = [
    {
      pid: 50,
      parent: 1,
      argv: ['[lxc monitor] /var/lib/lxd/containers c1'],
      program: '/usr/bin/lxd',
      sameMountNamespace: true,
      samePidNamespace: true,
    },
  ];
  host.onRequest((_, { path }) =>
    path === '/internal/shutdown'
      ? new Promise((resolve) =>
          host.onSignal(() => {
            host.machine.listeners.delete(socket);
            resolve(syncAnswer({}));
          }),
        )
      : syncAnswer({}),
  );
  const lxd: DaemonRef = {
    role: 'source',
    dataDirectory: '/var/lib/lxd',
    sockets: [socket],
    service: { kind: 'none' },
    program: undefined,
  };
  const stop = (heldUpBy: readonly string[]): Promise<void> =>
    stopDaemon(host, lxd, 10_000, {
      instance: 'default/c1',
      instancesGoneWithinMs: 1_000,
      waiting: () => {},
      heldUpBy: () => heldUpBy,
      instancesGone: async () => {},
      stillStopping: () => {},
    });

  await expect(stop(['Downloading image'])).rejects.toMatchObject({
    problem: { code: 'operations-running', daemon: 'LXD', operations: ['Downloading image'], limitMs: 1_000 },
  });
  host.machine.listeners.set(socket, 7);
  await expect(stop([])).rejects.toMatchObject({
    problem: { code: 'instance-will-not-stop', instance: 'default/c1', limitMs: 1_000 },
  });
});

test.each([
  { limitMs: 60_000, firstMs: 3_000 },
  { limitMs: 4_000, firstMs: 2_000 },
])('nothing is asked in the first seconds of a stop: of $limitMs ms', async ({ limitMs, firstMs }) => {
  const host = machine();
  const socket = '/var/lib/lxd/unix.socket';
  const monitor = {
    pid: 50,
    parent: 1,
    argv: ['[lxc monitor] /var/lib/lxd/containers c1'],
    program: '/usr/bin/lxd',
    sameMountNamespace: true,
    samePidNamespace: true,
  };
  host.machine.listeners.set(socket, 7);
  host.machine.processes = [monitor];
  let end = (): void => {};
  host.onRequest((_, { path }) =>
    path === '/internal/shutdown'
      ? new Promise((resolve) => {
          end = () => {
            host.machine.listeners.delete(socket);
            resolve(syncAnswer({}));
          };
        })
      : syncAnswer({}),
  );
  const told: number[] = [];

  await stopDaemon(
    host,
    {
      role: 'source',
      dataDirectory: '/var/lib/lxd',
      sockets: [socket],
      service: { kind: 'none' },
      program: undefined,
    },
    limitMs + 10_000,
    {
      instance: 'default/c1',
      instancesGoneWithinMs: limitMs,
      waiting: (elapsedMs) => {
        told.push(elapsedMs);
        if (told.length === 2) host.machine.processes = [];
      },
      heldUpBy: () => [],
      instancesGone: async () => end(),
      stillStopping: () => {},
    },
  );

  const [first = 0, second = 0] = told;
  expect(first).toBeGreaterThanOrEqual(firstMs);
  expect(first).toBeLessThan(firstMs + 500);
  expect(second - first).toBeGreaterThanOrEqual(1_000);
});

test('what fails beside a stop is told when the daemon has ended, and not before', async () => {
  const host = machine();
  const socket = '/var/lib/lxd/unix.socket';
  host.machine.listeners.set(socket, 7);
  const done: string[] = [];
  const end = Promise.withResolvers<void>();
  host.onRequest(async (_, { path }) => {
    if (path !== '/internal/shutdown') return syncAnswer({});
    await end.promise;
    done.push('ended');
    host.machine.listeners.delete(socket);
    return syncAnswer({});
  });

  const stop = stopDaemon(
    host,
    {
      role: 'source',
      dataDirectory: '/var/lib/lxd',
      sockets: [socket],
      service: { kind: 'none' },
      program: undefined,
    },
    10_000,
    {
      instance: 'default/c1',
      instancesGoneWithinMs: 1_000,
      waiting: () => {},
      heldUpBy: () => [],
      instancesGone: async () => {
        setImmediate(end.resolve);
        throw new Error('the disk is full');
      },
      stillStopping: () => {},
    },
  );

  await expect(stop.finally(() => done.push('told'))).rejects.toThrow('the disk is full');
  expect(done).toEqual(['ended', 'told']);
});
