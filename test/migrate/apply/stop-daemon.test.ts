// Commands of --services that stop a daemon may fail only where it does not run.
import { describe, expect, onTestFinished, test } from 'vitest';
import { stopDaemon } from '../../../src/migrate/apply/service-control.ts';
import type { DaemonRef } from '../../../src/migrate/plan/step.ts';
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
