// Commands that look at the server beside a migration: what is under way, was interrupted or is done is said, and never
// what failed because of it.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openOutput } from '../../../src/core/output.ts';
import { unpackDatabaseFixture } from '../../../src/dev/database-fixture.ts';
import { besideRuns } from '../../../src/migrate/cli/beside-a-run.ts';
import type { OptionsOf } from '../../../src/migrate/cli/command-options.ts';
import { inspectCommand } from '../../../src/migrate/cli/inspect-command.ts';
import { planCommand } from '../../../src/migrate/cli/plan-command.ts';
import { rehearseCommand } from '../../../src/migrate/cli/rehearse-command.ts';
import { movedNote } from '../../../src/migrate/detect/moved-note.ts';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import { takeLock } from '../../../src/migrate/journal/lock.ts';
import type { JournalPhase } from '../../../src/migrate/journal/run-state.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { tinyPlan } from '../plan/tiny-plan.ts';

const lxd = '/var/lib/lxd';
let host: FakeHost;
let state: string;
let shown: string[];
let options: OptionsOf<'plan'>;

beforeEach(() => {
  const made = fakeHost();
  onTestFinished(() => made.dispose());
  host = made;
  state = join(temporaryFolder(), 'state');
  shown = [];
  options = { state };
});
afterEach(() => vi.restoreAllMocks());

const output = () => ({
  ...openOutput({ json: false, colour: false }),
  line: (text: string) => void shown.push(text),
});

/** A run of which one step was begun. */
function begun(phase: JournalPhase, failed?: string): void {
  const journal = openJournal(state);
  journal.begin('a-run', tinyPlan, [{ kind: 'empty-runtime-folder', path: '/run/incus' }], new Date(0));
  journal.mark('a-run', 0, 'begun', new Date(0));
  if (phase !== 'applying' || failed !== undefined) journal.enter('a-run', phase, new Date(0), failed);
  journal.close();
}

function putDatabase(directory: string): void {
  const { database } = unpackDatabaseFixture('lxd-5.0.2-clean', temporaryFolder());
  fs.mkdirSync(host.path(directory), { recursive: true });
  fs.renameSync(database, host.path(join(directory, 'database')));
}

const commands = {
  plan: () => planCommand(host, options, output()),
  rehearse: () => rehearseCommand(host, options, output()),
  inspect: () => inspectCommand(host, options, output()),
} as const;
const names = Object.keys(commands) as (keyof typeof commands)[];

const problemOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    return await work;
  } catch (error) {
    return { ...(error as { problem?: object }).problem, exit: (error as { exitCode?: number }).exitCode };
  }
};

describe.each(names)('%s', (name) => {
  test.each<JournalPhase>(['applying', 'rolling-back', 'purging'])(
    'beside a process that is %s names it, whatever is left of the source',
    async (phase) => {
      begun(phase);
      const release = takeLock(host, state);

      const problem = await problemOf(commands[name]());
      release();

      expect(problem).toEqual({ code: 'already-running', state, process: String(process.pid), exit: 1 });
    },
  );

  test.each<JournalPhase>(['applying', 'rolling-back'])(
    'after one that was interrupted while %s names the ways out',
    async (phase) => {
      begun(phase);

      expect(await problemOf(commands[name]())).toMatchObject({ code: 'unfinished-migration', exit: 5 });
    },
  );

  test('of a host that was moved says so, and ends with 4', async () => {
    begun('done');
    host.writeFile(join(lxd, movedNote), '');

    expect(await commands[name]()).toBe(4);
    expect(shown).toEqual(['This server was migrated already; there is no LXD left to move.']);
  });

  test('of a host whose LXD was removed after the move says so as well', async () => {
    begun('purged');

    expect(await commands[name]()).toBe(4);
  });
});

test('a user who may not look at the journal learns it from the note', async () => {
  host.machine.userId = 1000;
  host.writeFile(join(lxd, movedNote), '');

  expect(await commands.plan()).toBe(4);
});

test('without any migration it is said that there is no LXD', async () => {
  expect(await problemOf(commands.plan())).toMatchObject({ code: 'no-source', exit: 1 });
});

describe('a copy that lies elsewhere is read', () => {
  test.each<JournalPhase>(['applying', 'done'])('beside a run that is %s', async (phase) => {
    begun(phase);
    putDatabase('/srv/copy');
    options = { ...options, lxdDir: host.path('/srv/copy') };
    vi.spyOn(host, 'path').mockImplementation((path) => path);

    expect(await inspectCommand(host, options, output())).toBe(0);
    expect(shown.join()).toContain('3 instances');
  });
});

test('the old database that a migration by copy leaves can be inspected, and is not planned', async () => {
  begun('done');
  putDatabase(lxd);
  host.writeFile(join(lxd, movedNote), '');
  options = { ...options, lxdDir: lxd };

  expect(await commands.inspect()).toBe(0);
  expect(await commands.plan()).toBe(4);
});

test('a new LXD in the place of the one that was moved is planned', async () => {
  begun('done');
  putDatabase(lxd);

  expect(await problemOf(commands.plan())).toBe(3);
});

describe('a migration that begins in the middle of it', () => {
  const gone = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', path: `${lxd}/x` });

  test('is what is said, not the file that it took away', async () => {
    putDatabase(lxd);
    let release = (): void => {};
    const read = async (): Promise<never> => {
      begun('applying');
      release = takeLock(host, state);
      throw gone;
    };

    const problem = await problemOf(besideRuns({ host, options, output: output() }, 'server', read));
    release();

    expect(problem).toMatchObject({ code: 'already-running', exit: 1 });
  });

  test('a file that is gone for another reason is a failure with its path', async () => {
    putDatabase(lxd);

    const problem = await problemOf(
      besideRuns({ host, options, output: output() }, 'server', () => Promise.reject(gone)),
    );

    expect(problem).toMatchObject({ code: 'file-system', path: `${lxd}/x`, errno: 'ENOENT' });
  });
});
