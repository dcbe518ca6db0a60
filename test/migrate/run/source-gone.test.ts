// A rollback without an LXD to start is named before anything is taken back.
import { expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import type { Step } from '../../../src/migrate/model/step.ts';
import { sourceGone } from '../../../src/migrate/run/source-gone.ts';
import { fakeHost } from '../../fakes/fake-host.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const stop = (role: 'source' | 'target', program: string | undefined): Step => ({
  kind: 'stop-daemon',
  daemon: { role, dataDirectory: `/var/lib/${role}`, sockets: [], service: { kind: 'none' }, program },
});

function found({
  ran,
  program,
  there,
}: {
  ran: boolean;
  program: string | undefined;
  there: boolean;
}): string[] {
  const host = fakeHost();
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => {
    host.dispose();
    journal.close();
  });
  if (there) host.writeFile('/usr/bin/lxd', '');
  journal.begin('RUN', {}, [stop('target', '/usr/bin/incusd'), stop('source', program)], new Date(0));
  for (const position of [0, 1]) {
    journal.remember('RUN', position, { ran });
    journal.mark('RUN', position, 'done', new Date(0));
  }
  return sourceGone(host, journal, 'RUN').flatMap(({ id, severity, objects }) => [id, severity, ...objects]);
}

test('is a loss to accept', () => {
  expect(found({ ran: true, program: '/usr/bin/lxd', there: false })).toEqual([
    'source-gone',
    'loss',
    '/usr/bin/lxd',
  ]);
});

test.each([
  ['it is installed', { ran: true, program: '/usr/bin/lxd', there: true }],
  ['it did not run before either', { ran: false, program: '/usr/bin/lxd', there: false }],
  ['nobody knows its program', { ran: true, program: undefined, there: false }],
])('is nothing where %s', (_what, server) => {
  expect(found(server)).toEqual([]);
});
