// The list of state folders: written before a run begins, and shorter when a run has ended.
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import type { JournalPhase } from '../../../src/migrate/journal/run-state.ts';
import {
  forgetFolders,
  knownFolders,
  listFolder,
  listOfFolders,
  recordFolder,
} from '../../../src/migrate/run/known-folders.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { tinyPlan } from '../plan/tiny-plan.ts';

let host: FakeHost;
let said: string[];

beforeEach(() => {
  const made = fakeHost();
  onTestFinished(() => made.dispose());
  host = made;
  said = [];
});

const say = (text: string): void => void said.push(text);
const listed = (): string[] => knownFolders(host, say).map(({ folder }) => folder);

function folderWith(...phases: JournalPhase[]): string {
  const folder = join(temporaryFolder(), 'state');
  const journal = openJournal(folder);
  phases.forEach((phase, number) => {
    journal.begin(`run-${number}`, tinyPlan, [], new Date(0));
    journal.enter(`run-${number}`, phase, new Date(0));
  });
  journal.close();
  return folder;
}

test('a folder is written down once, in a file that only its user reads', () => {
  const folder = folderWith();

  listFolder(host, folder, say);
  listFolder(host, folder, say);

  expect(listed()).toEqual([folder]);
  expect(fs.statSync(host.path(listOfFolders)).mode & 0o777).toBe(0o600);
  expect(fs.statSync(host.path('/var/lib/lxd-to-incus')).mode & 0o777).toBe(0o700);
  expect(said).toEqual([]);
});

test('when the next run begins, folders whose runs have all ended are dropped; others stay, gone ones too', () => {
  const ended = folderWith('rolled-back', 'purged');
  const open = folderWith('rolled-back', 'done');
  const gone = join(temporaryFolder(), 'gone');
  const damaged = folderWith();
  fs.writeFileSync(join(damaged, 'journal.db'), 'x'.repeat(600));
  const foreign = folderWith('rolled-back');
  fs.chmodSync(foreign, 0o777);
  const next = folderWith('rolled-back');
  host.writeFile(listOfFolders, JSON.stringify([ended, open, gone, damaged, foreign]));

  listFolder(host, next, say);

  expect(listed()).toEqual([open, gone, damaged, foreign, next]);
});

test.each<readonly [JournalPhase, boolean]>([
  ['rolled-back', false],
  ['purged', false],
  ['done', true],
  ['applying', true],
])('a folder whose run is %s stays listed: %s', (phase, stays) => {
  const folder = folderWith(phase);
  const beside = folderWith('applying');
  listFolder(host, beside, say);
  host.writeFile(listOfFolders, JSON.stringify([beside, folder]));

  recordFolder(host, folder, say);

  expect(listed()).toEqual(stays ? [beside, folder] : [beside]);
});

test.each<readonly [JournalPhase, string | undefined, boolean]>([
  ['done', undefined, true],
  ['done', '1 of 2 checks failed', false],
  ['applying', undefined, false],
  ['rolling-back', undefined, false],
  ['purging', undefined, false],
])(
  'of a folder whose run is %s (%s) it is written down that it is finished: %s',
  (phase, failed, finished) => {
    const folder = join(temporaryFolder(), 'state');
    listFolder(host, folder, say);
    const before = knownFolders(host, say);
    const journal = openJournal(folder);
    journal.begin('run', tinyPlan, [{ kind: 'empty-runtime-folder', path: '/run/incus' }], new Date(0));
    journal.mark('run', 0, 'begun', new Date(0));
    if (phase !== 'applying') journal.enter('run', phase, new Date(0), failed);
    journal.close();

    recordFolder(host, folder, say);

    expect(before).toEqual([{ folder, finished: false }]);
    expect(knownFolders(host, say)).toEqual([{ folder, finished }]);
  },
);

test('what a former version wrote down is taken for a run that is under way', () => {
  host.writeFile(listOfFolders, '["/srv/a"]');

  expect(knownFolders(host, say)).toEqual([{ folder: '/srv/a', finished: false }]);
});

test('of folders that are gone only those are forgotten whose run was finished', () => {
  const list = [
    { folder: '/srv/a', finished: true },
    { folder: '/srv/b', finished: false },
    { folder: '/srv/c', finished: true },
  ];
  host.writeFile(listOfFolders, JSON.stringify(list));

  forgetFolders(host, ['/srv/a', '/srv/b'], say);

  expect(knownFolders(host, say)).toEqual(list.slice(1));
});

test('a folder that was never listed leaves no list behind', () => {
  recordFolder(host, folderWith('rolled-back'), say);

  expect(fs.existsSync(host.path('/var/lib/lxd-to-incus'))).toBe(false);
});

test('a list that cannot be written is said, and keeps nothing from going on', () => {
  const elsewhere = temporaryFolder();
  fs.mkdirSync(host.path('/var/lib'), { recursive: true });
  fs.symlinkSync(elsewhere, host.path('/var/lib/lxd-to-incus'));

  listFolder(host, folderWith(), say);

  expect(said).toEqual([expect.stringContaining('Commands with another --state will not know of this run.')]);
  expect(fs.readdirSync(elsewhere)).toEqual([]);
});

test('a damaged list is said and written anew', () => {
  const folder = folderWith();
  host.writeFile(listOfFolders, '[');

  listFolder(host, folder, say);

  expect(said).toEqual([
    `${listOfFolders} cannot be read: it is not JSON. Migrations in other state folders are not seen.`,
  ]);
  expect(listed()).toEqual([folder]);
});

test('whatever stands in the list, reading it never fails, and gives absolute paths', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.array(fc.string()).map((one) => JSON.stringify(one)),
        fc
          .array(fc.record({ folder: fc.string(), finished: fc.anything() }))
          .map((one) => JSON.stringify(one)),
      ),
      (text) => {
        host.writeFile(listOfFolders, text);

        expect(knownFolders(host, () => {}).every(({ folder }) => folder.startsWith('/'))).toBe(true);
      },
    ),
  );
});
