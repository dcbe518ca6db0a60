// What daemons say is kept and shown without the confidential values of the server.

import { expect, onTestFinished, test } from 'vitest';
import type { ApplyContext } from '../../../src/migrate/apply/step-handler.ts';
import { restorePowerStep } from '../../../src/migrate/apply/steps/daemons.ts';
import { refreshBackupFilesStep } from '../../../src/migrate/apply/steps/instances.ts';
import { nothingRemembered } from '../../../src/migrate/daemon/remembering-client.ts';
import { tellingLines } from '../../../src/migrate/daemon/telling-lines.ts';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import type { DaemonRef } from '../../../src/migrate/model/step.ts';
import { errorAnswer, syncAnswer } from '../../fakes/daemon-answers.ts';
import { fakeHost } from '../../fakes/fake-host.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { config, instance } from '../convert/converted.ts';
import { lxdDatabase } from '../lxd-database.ts';

const secret = 'lxc.environment = A=SECRET-1';
const server = lxdDatabase(`${instance(1, 'c1')} ${config('instances_config', 1, { 'raw.lxc': secret })}`);
const daemon: DaemonRef = {
  role: 'target',
  dataDirectory: '/var/lib/incus',
  sockets: ['/run/incus/unix.socket'],
  service: { kind: 'none' },
  program: undefined,
};

function contextWithRefusingDaemon() {
  const host = fakeHost();
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => {
    host.dispose();
    journal.close();
  });
  host.machine.listeners.set('/run/incus/unix.socket', 7);
  host.onRequest((_socket, { method, path }) => {
    if (path.startsWith('/1.0/instances?'))
      return syncAnswer([
        { project: 'default', name: 'c1', status: 'Stopped', type: 'container', description: '' },
      ]);
    return method === 'GET' ? syncAnswer({}) : errorAnswer(400, `Failed to load raw.lxc: ${secret}`);
  });
  journal.begin('RUN', {}, [], new Date(0));
  journal.note('RUN', 'power', { running: ['default/c1'], frozen: [], daemonRan: true });
  const context = {
    host,
    journal,
    run: 'RUN',
    say: () => {},
    saidByTarget: nothingRemembered(),
    prepareVerification: () => {},
    tellingLines: (text: string) => tellingLines(text, server),
  } as unknown as ApplyContext;
  return { context, journal };
}

test('why an instance does not start', async () => {
  const { context, journal } = contextWithRefusingDaemon();

  await restorePowerStep.apply({
    step: { kind: 'restore-power', daemon },
    memo: null,
    remember: () => {},
    context,
  });

  const noted = JSON.stringify(journal.noted('RUN', 'power-outcomes'));
  expect(noted).toContain('Failed to load raw.lxc: (28 bytes, sha256');
  expect(noted).not.toContain('SECRET');
});

test('why a backup.yaml was not written', async () => {
  const { context, journal } = contextWithRefusingDaemon();

  await refreshBackupFilesStep.apply({
    step: { kind: 'refresh-backup-files', daemon },
    memo: null,
    remember: () => {},
    context,
  });

  const noted = JSON.stringify(journal.noted('RUN', 'backup-files-not-refreshed'));
  expect(noted).toContain('Failed to load raw.lxc: (28 bytes, sha256');
  expect(noted).not.toContain('SECRET');
});
