// Instances that end with their stop, and daemons that are stopped by commands: what is an error, and what is not.
import { describe, expect, onTestFinished, test } from 'vitest';
import { lastToStop } from '../../../src/migrate/apply/power.ts';
import { restorePower } from '../../../src/migrate/apply/restore-power.ts';
import { stopDaemon } from '../../../src/migrate/apply/service-control.ts';
import { daemonClient } from '../../../src/migrate/daemon/client.ts';
import type { DaemonRef } from '../../../src/migrate/plan/step.ts';
import { syncAnswer } from '../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

const socket = '/var/lib/lxd/unix.socket';

function hostWith(instances: readonly Record<string, unknown>[]): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.onRequest(() =>
    syncAnswer(instances.map((one) => ({ project: 'default', status: 'Running', ...one }))),
  );
  return host;
}

describe('what ran and is gone', () => {
  const power = { running: ['default/brief', 'default/c1'], frozen: [], daemonRan: true };

  test('is lost, and no error, where it was ephemeral', async () => {
    const client = daemonClient(hostWith([{ name: 'c1' }]), socket);

    expect(await restorePower(client, { ...power, ephemeral: ['default/brief'] }, () => {})).toEqual([
      { instance: 'default/c1', wanted: 'Running' },
      { instance: 'default/brief', wanted: 'Running', lost: true },
    ]);
  });

  test('is an error otherwise', async () => {
    const client = daemonClient(hostWith([{ name: 'c1' }]), socket);

    expect((await restorePower(client, { ...power, ephemeral: [] }, () => {})).at(-1)).toEqual({
      instance: 'default/brief',
      wanted: 'Running',
      error: 'it does not exist any more',
    });
  });
});

describe('the last instance, which stops together with LXD,', () => {
  test('is not an ephemeral one where there is another of its priority', async () => {
    const client = daemonClient(hostWith([{ name: 'a' }, { name: 'z', ephemeral: true }]), socket);

    expect(await lastToStop(client)).toMatchObject({ instance: 'default/a' });
  });

  test('is none where only ephemeral ones are left', async () => {
    const client = daemonClient(hostWith([{ name: 'z', ephemeral: true }]), socket);

    expect(await lastToStop(client)).toBeUndefined();
  });
});

describe('the command that stops a daemon', () => {
  const daemon: DaemonRef = {
    role: 'target',
    dataDirectory: '/var/lib/incus',
    sockets: ['/run/incus/unix.socket'],
    service: { kind: 'commands', start: [['start']], stop: [['stop']] },
    program: undefined,
  };

  test('is run and may fail where it does not run', async () => {
    const host = hostWith([]);
    host.onRun(() => ({ status: 1 }));

    await stopDaemon(host, daemon, 1000);

    expect(host.log).toEqual([{ kind: 'run', text: 'stop' }]);
  });

  test('may not fail where it runs', async () => {
    const host = hostWith([]);
    host.machine.listeners.set('/run/incus/unix.socket', 7);
    host.onRun(() => ({ status: 1 }));

    await expect(stopDaemon(host, daemon, 1000)).rejects.toThrow('ended with status 1');
  });
});
