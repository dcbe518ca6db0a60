// An LXD that has appeared in the place which its data left is named, and nothing else is.
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sourceCameBack, sourceCameBackFinding } from '../../../src/migrate/apply/source-came-back.ts';
import { type Journal, openJournal } from '../../../src/migrate/journal/journal.ts';
import type { DaemonRef, Step } from '../../../src/migrate/model/step.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const directory = '/var/snap/lxd/common/lxd';
const note = `${directory}/README.moved-to-incus`;
const lxd: DaemonRef = {
  role: 'source',
  dataDirectory: directory,
  sockets: [`${directory}/unix.socket`],
  service: { kind: 'none' },
  program: undefined,
};
const moves = {
  rename: { kind: 'move-directory', from: directory, to: '/var/lib/incus' },
  mount: { kind: 'move-mount', from: directory, to: '/var/lib/incus', boot: 'nothing' },
  copy: { kind: 'copy-directory', from: directory, to: '/var/lib/incus', intoMount: false },
} as const satisfies Record<string, Step>;

interface Moved {
  readonly host: FakeHost;
  readonly journal: Journal;
  readonly found: () => string[];
}

/** A run whose data has left, with the note in its place. */
function moved(how: keyof typeof moves, noteMemo: unknown): Moved {
  const host = fakeHost();
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => {
    host.dispose();
    journal.close();
  });
  const steps: Step[] = [
    { kind: 'stop-daemon', daemon: lxd },
    moves[how],
    { kind: 'set-aside-database', path: '/var/lib/incus/database', into: '/state/source-database' },
    { kind: 'leave-note', directory, movedTo: '/var/lib/incus', kept: how === 'copy' },
  ];
  journal.begin('RUN', {}, steps, new Date(0));
  steps.forEach((_, position) => {
    journal.mark('RUN', position, 'done', new Date(0));
  });
  if (noteMemo !== undefined) journal.remember('RUN', 3, noteMemo);
  host.writeFile(note, 'moved');
  return { host, journal, found: () => sourceCameBack(host, journal, 'RUN') };
}

const madeFolder = { madeFolder: true, others: [] };

describe('after a rename', () => {
  test.each([
    ['what this version wrote down', madeFolder],
    ['what a former version wrote down', { madeFolder: true }],
    ['no note yet', undefined],
  ])('nothing came back where there is the note alone, by %s', (_what, memo) => {
    const { found } = moved('rename', memo);

    expect(found()).toEqual([]);
  });

  test.each([['database/global/metadata1'], ['unix.socket'], ['anything']])('%s is named', (path) => {
    const { host, found } = moved('rename', madeFolder);

    host.writeFile(`${directory}/${path}`, 'new');

    expect(found()).toEqual([`${directory}/${path.split('/')[0]}`]);
  });

  test('a note that was being written is nothing that came back', () => {
    const { host, found } = moved('rename', madeFolder);

    host.writeFile(`${directory}/.README.moved-to-incus.77.tmp`, '');

    expect(found()).toEqual([]);
  });

  test('of very many entries the first are named, and how many more there are', () => {
    const { host, found } = moved('rename', madeFolder);
    for (let index = 0; index < 30; index += 1) host.writeFile(`${directory}/${100 + index}`, '');

    expect(found()).toHaveLength(21);
    expect(found().at(-1)).toBe(`10 more in ${directory}`);
  });

  test('a daemon that works there is named, once, though it listens as well', () => {
    const { host, found } = moved('rename', madeFolder);
    host.machine.processes = [
      {
        pid: 77,
        parent: 1,
        argv: ['/snap/lxd/current/bin/lxd', '--group', 'lxd'],
        program: '/snap/lxd/current/bin/lxd',
        sameMountNamespace: true,
        samePidNamespace: true,
      },
    ];
    host.writeFile('/proc/77/environ', `PATH=/bin\0LXD_DIR=${directory}\0`);
    host.machine.listeners.set(`${directory}/unix.socket`, 77);

    expect(found()).toEqual([
      `process 77 is a daemon on ${directory}: /snap/lxd/current/bin/lxd --group lxd`,
    ]);
  });

  test('a listener that nobody knows as a daemon is named', () => {
    const { host, found } = moved('rename', madeFolder);

    host.machine.listeners.set(`${directory}/unix.socket`, 78);

    expect(found()).toEqual([`process 78 listens on ${directory}/unix.socket`]);
  });

  test('nothing is looked for where the data is back', () => {
    const { host, journal, found } = moved('rename', madeFolder);
    journal.mark('RUN', 1, 'undone', new Date(0));

    host.writeFile(`${directory}/database/global/metadata1`, 'of LXD');

    expect(found()).toEqual([]);
  });

  test('the finding blocks, and no answer takes it', () => {
    const { host, journal } = moved('rename', madeFolder);
    host.writeFile(`${directory}/database/local.db`, '');

    const findings = sourceCameBackFinding(host, journal, 'RUN');

    expect(findings).toMatchObject([
      { id: 'source-came-back', severity: 'blocker', objects: [`${directory}/database`] },
    ]);
    expect(findings[0]?.answers).toBeUndefined();
  });
});

describe('after a mount was moved', () => {
  test('what stood below it before is not new', () => {
    const { host, found } = moved('mount', { madeFolder: false, others: ['database'] });
    host.writeFile(`${directory}/database/local.db`, 'of long ago');

    expect(found()).toEqual([]);
  });

  test('what came since is named', () => {
    const { host, found } = moved('mount', { madeFolder: false, others: ['database'] });
    host.writeFile(`${directory}/images/x`, '');

    expect(found()).toEqual([`${directory}/images`]);
  });

  test('what nobody wrote down cannot be told from what is new', () => {
    const { host, found } = moved('mount', { madeFolder: false });
    host.writeFile(`${directory}/images/x`, '');

    expect(found()).toEqual([]);
  });
});

describe('after a copy', () => {
  function copied(): Moved {
    const run = moved('copy', { madeFolder: false, others: ['database'] });
    for (const path of [`${directory}/database`, '/state/source-database'])
      for (const name of ['local.db', 'global/open-1']) run.host.writeFile(`${path}/${name}`, name);
    return run;
  }

  test('the old copy as it was is nothing that came back', () => {
    expect(copied().found()).toEqual([]);
  });

  test.each<readonly [string, (run: Moved) => void]>([
    ['grew', ({ host }) => host.writeFile(`${directory}/database/global/open-1`, 'more than it held before')],
    ['has a new file', ({ host }) => host.writeFile(`${directory}/database/global/open-2`, '')],
    ['lost a file', ({ host }) => fs.rmSync(host.path(`${directory}/database/global/open-1`))],
  ])('a database that %s was used', (_what, change) => {
    const run = copied();

    change(run);

    expect(run.found()).toEqual([`${directory}/database is no longer as it was when it was copied`]);
  });
});
