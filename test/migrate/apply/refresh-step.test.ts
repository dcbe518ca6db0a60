// While Incus lists its instances, what it is compared with is worked out.
import { expect, onTestFinished, test } from 'vitest';
import type { ApplyContext } from '../../../src/migrate/apply/step-handler.ts';
import { refreshBackupFilesStep } from '../../../src/migrate/apply/steps/instances.ts';
import { nothingRemembered } from '../../../src/migrate/daemon/remembering-client.ts';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import { syncAnswer } from '../../fakes/daemon-answers.ts';
import { fakeHost } from '../../fakes/fake-host.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

test('what verify compares with is worked out while Incus is asked for its list', async () => {
  const host = fakeHost();
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => {
    host.dispose();
    journal.close();
  });
  const prepared = Promise.withResolvers<void>();
  const done: string[] = [];
  const socket = '/run/incus/unix.socket';
  host.machine.listeners.set(socket, 7);
  host.onRequest(async (_, { path }) => {
    if (!path.startsWith('/1.0/instances?')) return syncAnswer({});
    done.push('asked');
    await prepared.promise;
    done.push('answered');
    return syncAnswer([]);
  });
  journal.begin('RUN', {}, [], new Date(0));

  await refreshBackupFilesStep.apply({
    step: {
      kind: 'refresh-backup-files',
      daemon: {
        role: 'target',
        dataDirectory: '/var/lib/incus',
        sockets: [socket],
        service: { kind: 'none' },
        program: undefined,
      },
    },
    memo: null,
    remember: () => {},
    context: {
      host,
      journal,
      run: 'RUN',
      say: () => {},
      saidByTarget: nothingRemembered(),
      prepareVerification: () => {
        done.push('prepared');
        prepared.resolve();
      },
    } as unknown as ApplyContext,
  });

  expect(done).toEqual(['asked', 'prepared', 'answered']);
});
