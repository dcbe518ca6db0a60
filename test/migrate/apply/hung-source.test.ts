// An LXD that listens and hangs once its record is taken: its instances are not stopped behind its back.
import { expect, onTestFinished, test } from 'vitest';
import { coreFailure } from '../../../src/core/core-problem.ts';
import type { ApplyContext } from '../../../src/migrate/apply/step-handler.ts';
import { stopInstancesStep } from '../../../src/migrate/apply/steps/daemons.ts';
import { fakeHost } from '../../fakes/fake-host.ts';

test('is an error, and nothing is signalled', async () => {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
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
  host.onRequest((_, { path, timeoutMs }) => {
    throw coreFailure({ code: 'wait-limit', what: path, limitMs: timeoutMs, last: 'no answer' });
  });

  const stopping = stopInstancesStep.apply({
    step: {
      kind: 'stop-instances',
      daemon: {
        role: 'source',
        dataDirectory: '/var/lib/lxd',
        sockets: [socket],
        service: { kind: 'none' },
        program: undefined,
      },
    },
    memo: null,
    remember: () => {},
    context: { host } as unknown as ApplyContext,
  });

  await expect(stopping).rejects.toMatchObject({
    problem: { code: 'daemon-silent', daemon: 'LXD', limitMs: 10_000 },
  });
  expect(host.log.filter(({ kind }) => kind === 'signal')).toEqual([]);
});
