// Instances are stopped with a limit, by force only where that is allowed, and started again in the order that they ask for.
import { describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import {
  instanceStates,
  lastToStop,
  recordPower,
  type StopOrders,
  statesOfRunning,
  stopThroughDaemon,
  stopWithoutDaemon,
} from '../../../src/migrate/apply/power.ts';
import { restorePower } from '../../../src/migrate/apply/restore-power.ts';
import { allInstances, daemonClient } from '../../../src/migrate/daemon/client.ts';
import { asyncAnswer, errorAnswer, operationAnswer, syncAnswer } from '../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

interface Wanted {
  readonly status: 'Running' | 'Ready' | 'Stopped' | 'Frozen';
  readonly config?: Readonly<Record<string, string>>;
  /** Whether it stops only by force. */
  readonly stubborn?: boolean;
}

/** A daemon with these instances in project default, and what was asked of it, in order. */
function daemonWith(instances: Readonly<Record<string, Wanted>>) {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  const asked: string[] = [];
  const status = new Map(Object.entries(instances).map(([name, { status: first }]) => [name, first]));
  host.onRequest((_socket, { method, path, body }) => {
    if (path === '/1.0') return syncAnswer({});
    if (path.startsWith('/1.0/operations/')) return operationAnswer(200);
    if (path.startsWith('/1.0/instances?'))
      return syncAnswer(
        Object.entries(instances).map(([name, { config = {} }]) => ({
          project: 'default',
          name,
          status: status.get(name),
          expanded_config: config,
        })),
      );
    const one = /^\/1\.0\/instances\/([^/?]+)\?/.exec(path)?.[1];
    if (one !== undefined)
      return instances[one] === undefined
        ? errorAnswer(404, 'Instance not found')
        : syncAnswer({
            project: 'default',
            name: one,
            status: status.get(one),
            expanded_config: instances[one].config ?? {},
          });
    const name = /^\/1\.0\/instances\/([^/?]+)\/state/.exec(path)?.[1];
    if (method !== 'PUT' || name === undefined) return undefined;
    const { action, force, timeout } = body as { action: string; force: boolean; timeout: number };
    asked.push(`${action} ${name}${force ? ' by force' : ''} ${timeout}`);
    if (action === 'stop' && !force && instances[name]?.stubborn === true)
      return errorAnswer(
        500,
        'Failed shutting down instance, status is "Running": context deadline exceeded',
      );
    status.set(name, action === 'stop' ? 'Stopped' : action === 'freeze' ? 'Frozen' : 'Running');
    return asyncAnswer();
  });
  return { host, asked, client: daemonClient(host, '/unix.socket') };
}

function orders(force: boolean): StopOrders & { readonly warned: string[]; readonly said: string[] } {
  const warned: string[] = [];
  const said: string[] = [];
  return {
    limitMs: 60_000,
    force,
    say: (text) => said.push(text),
    warn: (text) => warned.push(text),
    warned,
    said,
  };
}

const monitor = (pid: number, name: string) => ({
  pid,
  parent: 1,
  argv: [`[lxc monitor] /var/lib/lxd/containers ${name}`],
  program: '/usr/bin/lxd',
  sameMountNamespace: true,
  samePidNamespace: true,
});

test('an instance that says of itself that it is ready runs, and is stopped and started like others', async () => {
  const { host, asked, client } = daemonWith({ ready: { status: 'Ready' }, off: { status: 'Stopped' } });
  host.machine.listeners.set('/unix.socket', 100);
  const daemon = {
    role: 'source',
    dataDirectory: '/var/lib/lxd',
    sockets: ['/unix.socket'],
    service: { kind: 'none' },
    program: undefined,
  } as const;

  const power = recordPower(host, daemon, await instanceStates(client), () => []);
  await stopThroughDaemon(client, await instanceStates(client), orders(false));
  await restorePower(host, client, '/var/lib/lxd', power, () => {});

  expect(power).toMatchObject({ running: ['default/ready'], frozen: [] });
  expect(asked).toEqual(['stop ready 60', 'start ready 120']);
});

describe('the states of those that may run', () => {
  const named = (states: readonly { readonly name: string; readonly status: string }[]): string[] =>
    states.map(({ name, status }) => `${name} ${status}`).toSorted();
  const paths = (host: FakeHost): string[] => host.requests.map(({ request }) => request.path);

  test('are asked for one by one: of those named, and of those whose monitor is there', async () => {
    const { host, client } = daemonWith({
      ran: { status: 'Stopped' },
      appeared: { status: 'Running' },
      off: { status: 'Stopped' },
    });
    host.machine.processes = [monitor(50, 'appeared')];

    const states = await statesOfRunning(host, client, '/var/lib/lxd', ['default/ran']);

    expect(named(states)).toEqual(['appeared Running', 'ran Stopped']);
    expect(paths(host)).not.toContain(allInstances);
  });

  test('where there are many, or one is gone, they are in the list', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`m${index}`, { status: 'Running' } as const]),
    );
    const { host, client } = daemonWith(many);
    const names = Object.keys(many).map((name) => `default/${name}`);

    const states = await statesOfRunning(host, client, '/var/lib/lxd', names);
    const withoutOne = await statesOfRunning(host, client, '/var/lib/lxd', ['default/m1', 'default/gone']);

    expect(states).toHaveLength(30);
    expect(paths(host)[0]).toBe(allInstances);
    expect(withoutOne).toHaveLength(30);
  });
});

describe('stopping through the daemon', () => {
  test('asks each with its own limit, the highest boot.stop.priority first, and says how many are left', async () => {
    const { client, asked } = daemonWith({
      low: { status: 'Running' },
      high: { status: 'Running', config: { 'boot.stop.priority': '5', 'boot.host_shutdown_timeout': '90' } },
      still: { status: 'Stopped' },
    });
    const told = orders(false);

    await stopThroughDaemon(client, await instanceStates(client), told);

    expect(asked).toEqual(['stop high 90', 'stop low 60']);
    expect(told.said).toEqual(['default/high stopped, 1 left: default/low', 'default/low stopped, 0 left']);
  });

  test('forces nothing unasked: it ends with the name of the instance', async () => {
    const { client, asked } = daemonWith({
      calm: { status: 'Running' },
      hard: { status: 'Running', stubborn: true },
    });

    const error = await stopThroughDaemon(client, await instanceStates(client), orders(false)).catch(
      (caught: unknown) => caught,
    );

    expect((error as Failure).problem).toEqual({
      code: 'instance-will-not-stop',
      instance: 'default/hard',
      limitMs: 60_000,
    });
    expect((error as Failure).message).toContain('--force-stop');
    expect(asked).toEqual(['stop calm 60', 'stop hard 60']);
  });

  test('leaves ephemeral ones running until all others have stopped: a daemon deletes them', async () => {
    const { client, asked } = daemonWith({
      calm: { status: 'Running' },
      hard: { status: 'Running', stubborn: true },
    });
    const states = await instanceStates(client);
    const passing = { ...states[0], name: 'calm', ephemeral: true } as (typeof states)[number];

    await stopThroughDaemon(client, [passing, ...states.slice(1)], orders(false)).catch(() => {});

    expect(asked).toEqual(['stop hard 60']);
  });

  test('forces with --force-stop only the one whose time is over, and says so', async () => {
    const { client, asked } = daemonWith({
      calm: { status: 'Running' },
      hard: { status: 'Running', stubborn: true },
    });
    const told = orders(true);

    await stopThroughDaemon(client, await instanceStates(client), told);

    expect(asked.toSorted()).toEqual(['stop calm 60', 'stop hard 60', 'stop hard by force 30']);
    expect(told.warned).toEqual(['default/hard did not stop within 60 s: stopped by force (--force-stop)']);
  });
});

describe('the instance that stops together with its daemon', () => {
  const running = (name: string, config: Readonly<Record<string, string>> = {}) => ({
    project: 'default',
    name,
    status: 'Running',
    ephemeral: false,
    expanded: config,
  });

  test('is the one that starts first of those that stop last', () => {
    const states = [
      running('c3'),
      running('c1'),
      running('c2', { 'boot.autostart.priority': '7' }),
      running('c0', { 'boot.stop.priority': '5', 'boot.autostart.priority': '9' }),
    ];

    expect(lastToStop(states)).toEqual({ instance: 'default/c2', forcedAfterMs: 30_000 });
  });

  test('is an ephemeral one where any is: nothing else can fail after it is gone', () => {
    const states = [running('c1', { 'boot.autostart.priority': '7' }), { ...running('c2'), ephemeral: true }];

    expect(lastToStop(states)).toMatchObject({ instance: 'default/c2' });
  });

  test('is none where that one would be forced early, or is frozen, or nothing runs', () => {
    expect(lastToStop([running('c1', { 'boot.host_shutdown_timeout': '5' })])).toBeUndefined();
    expect(lastToStop([{ ...running('c1'), status: 'Frozen' }])).toBeUndefined();
    expect(lastToStop([{ ...running('c1'), status: 'Stopped' }])).toBeUndefined();
  });
});

describe('stopping without a daemon', () => {
  const init = (pid: number, parent: number) => ({
    pid,
    parent,
    argv: ['/sbin/init'],
    program: '/sbin/init',
    sameMountNamespace: false,
    samePidNamespace: false,
  });
  const qemu = {
    pid: 70,
    parent: 1,
    argv: ['qemu-system-x86_64', '-name', 'v1', '-pidfile', '/var/lib/lxd/virtual-machines/v1/qemu.pid'],
    program: '/usr/bin/qemu-system-x86_64',
    sameMountNamespace: true,
    samePidNamespace: true,
  };

  function machine(): FakeHost {
    const host = fakeHost();
    onTestFinished(() => host.dispose());
    host.machine.processes = [monitor(50, 'hard'), init(51, 50), monitor(60, 'calm'), init(61, 60), qemu];
    const gone = (...pids: number[]): void => {
      host.machine.processes = host.machine.processes.filter(({ pid }) => !pids.includes(pid));
    };
    host.onSignal((pid, signal) => {
      if (pid === 61) gone(60, 61);
      if (pid === 51 && signal === 'SIGKILL') gone(50, 51);
      if (pid === 70 && signal === 'SIGTERM') gone(70);
    });
    return host;
  }

  test('forces nothing unasked', async () => {
    const host = machine();

    const error = await stopWithoutDaemon(host, '/var/lib/lxd', orders(false)).catch(
      (caught: unknown) => caught,
    );

    expect((error as Failure).problem).toMatchObject({
      code: 'instance-will-not-stop',
      instance: 'default/hard',
    });
    expect(host.log.filter(({ kind }) => kind === 'signal').map(({ text }) => text)).toEqual([
      '30 51',
      '30 61',
    ]);
  });

  test('with --force-stop kills the init of a container and asks qemu to end, when their time is over', async () => {
    const host = machine();
    const told = orders(true);

    await stopWithoutDaemon(host, '/var/lib/lxd', told);

    expect(host.log.filter(({ kind }) => kind === 'signal').map(({ text }) => text)).toEqual([
      '30 51',
      '30 61',
      'SIGKILL 51',
      'SIGTERM 70',
    ]);
    expect(told.warned).toHaveLength(2);
  });

  test('gives up where even force does not help', async () => {
    const host = machine();
    host.onSignal(() => {
      host.machine.processes = [monitor(50, 'hard')];
    });

    const error = await stopWithoutDaemon(host, '/var/lib/lxd', orders(true)).catch(
      (caught: unknown) => caught,
    );

    expect(error).toBeInstanceOf(Failure);
  });
});

describe('what ran', () => {
  test('is started by boot.autostart.priority and then name, each after the delay of the one before', async () => {
    const { host, client, asked } = daemonWith({
      b: { status: 'Stopped' },
      a: { status: 'Stopped' },
      first: { status: 'Stopped', config: { 'boot.autostart.priority': '9', 'boot.autostart.delay': '7' } },
      last: { status: 'Stopped', config: { 'boot.autostart.priority': '-1', 'boot.autostart.delay': '30' } },
      up: { status: 'Running', config: { 'boot.autostart.delay': '100' } },
    });
    const running = ['a', 'b', 'first', 'last', 'up'].map((name) => `default/${name}`);
    const begun = host.clock();

    await restorePower(host, client, '/var/lib/lxd', { running, frozen: [], daemonRan: true }, () => {});

    expect(asked).toEqual(['start first 120', 'start a 120', 'start b 120', 'start last 120']);
    expect(host.clock() - begun).toBe(7_000);
  });
});
