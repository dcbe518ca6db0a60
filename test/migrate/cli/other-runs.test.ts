// Runs that another state folder holds than the one that a command was given: every command sees them.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openOutput } from '../../../src/core/output.ts';
import { ownCommand, ownCommandWith } from '../../../src/core/program-name.ts';
import { migrateCommand } from '../../../src/migrate/cli/migrate-command.ts';
import { planCommand } from '../../../src/migrate/cli/plan-command.ts';
import { pruneCommand } from '../../../src/migrate/cli/prune-command.ts';
import { rehearseCommand } from '../../../src/migrate/cli/rehearse-command.ts';
import { resumeCommand } from '../../../src/migrate/cli/resume-command.ts';
import { rollbackCommand } from '../../../src/migrate/cli/rollback-command.ts';
import { statusCommand } from '../../../src/migrate/cli/status-command.ts';
import { verifyCommand } from '../../../src/migrate/cli/verify-command.ts';
import { withJournal } from '../../../src/migrate/cli/with-run.ts';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import { takeLock } from '../../../src/migrate/journal/lock.ts';
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
let state: string;
let other: string;
let lines: string[];
let messages: string[];
let events: Readonly<Record<string, unknown>>[];

beforeEach(() => {
  const made = fakeHost();
  onTestFinished(() => made.dispose());
  host = made;
  state = join(temporaryFolder(), 'state');
  other = join(temporaryFolder(), 'other');
  lines = [];
  messages = [];
  events = [];
});

const output = () => ({
  ...openOutput({ json: false, colour: false }),
  line: (text: string) => void lines.push(...text.split('\n')),
  message: (text: string) => void messages.push(text),
  event: (value: Readonly<Record<string, unknown>>) => void events.push(value),
});

/** A run of which one step was begun. */
function begun(folder: string, phase: JournalPhase, failed?: string): void {
  const journal = openJournal(folder);
  journal.begin('a-run', tinyPlan, [{ kind: 'empty-runtime-folder', path: '/run/incus' }], new Date(0), {
    pins: [],
  });
  journal.mark('a-run', 0, 'begun', new Date(0));
  if (phase !== 'applying' || failed !== undefined) journal.enter('a-run', phase, new Date(0), failed);
  journal.close();
}

/** The same in a folder that was written down. */
function elsewhere(phase: JournalPhase, failed?: string): void {
  listFolder(host, other, () => {});
  begun(other, phase, failed);
}

const commands = {
  migrate: () => migrateCommand(host, { state, yes: true }, output()),
  plan: () => planCommand(host, { state }, output()),
  rehearse: () => rehearseCommand(host, { state }, output()),
  status: () => statusCommand(host, { state }, output()),
  resume: () => resumeCommand(host, { state, yes: true }, output()),
  rollback: () => rollbackCommand(host, { state, yes: true }, output()),
  verify: () => verifyCommand(host, { state }, output()),
} as const;

const problemOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    return await work;
  } catch (error) {
    return error;
  }
};

const commandOf = (word: string): string => ownCommandWith(['--state', other], word);

describe.each(['migrate', 'plan', 'rehearse'] as const)('%s', (name) => {
  test.each<readonly [JournalPhase, string | undefined]>([
    ['applying', undefined],
    ['rolling-back', undefined],
    ['done', '1 of 2 checks failed'],
  ])('refuses where a run elsewhere is left %s, and names the ways out', async (phase, failed) => {
    elsewhere(phase, failed);

    const problem = await problemOf(commands[name]());

    expect(problem).toMatchObject({
      exitCode: 5,
      problem: { code: 'unfinished-migration', run: 'a-run', state: other },
      explanation: {
        what: `A migration (a-run) was begun in the state folder ${other} and is not finished.`,
        next: `Run "${commandOf('resume')}" to finish it, or "${commandOf('rollback')}" to have LXD back as it was.`,
      },
    });
    expect(fs.existsSync(join(state, 'runs'))).toBe(false);
  });

  test.each<JournalPhase>(['rolled-back', 'purged'])('goes on where it is %s', async (phase) => {
    elsewhere(phase);

    const problem = await problemOf(commands[name]());

    expect(problem).not.toMatchObject({ problem: { code: 'unfinished-migration' } });
  });

  test('says of a server that a run elsewhere has moved where that run is', async () => {
    elsewhere('done');

    expect(await commands[name]()).toBe(4);
    expect(lines).toEqual([
      'This server was migrated already; there is no LXD left to move.',
      `The state folder ${other} holds another migration (a-run). Migrated and verified.`,
      `  "${commandOf('status')}" says more.`,
    ]);
  });

  test('names the process that is at work elsewhere', async () => {
    elsewhere('applying');
    const release = takeLock(host, other);

    const problem = await problemOf(commands[name]());
    release();

    expect(problem).toMatchObject({
      exitCode: 1,
      problem: { code: 'already-running', state: other, process: String(process.pid) },
    });
  });
});

describe.each([
  ['status', 'says more.', 'Rolled back: LXD is as it was'],
  ['resume', 'goes on with it.', 'There is no unfinished migration to go on with.'],
  ['rollback', 'brings LXD back.', 'Rolled back: LXD is as it was'],
] as const)('%s', (name, does, own) => {
  test('without a run of its own names the one elsewhere with the command for it', async () => {
    elsewhere('applying');

    expect(await commands[name]()).toBe(4);
    expect(lines).toEqual([
      `The state folder ${other} holds another migration (a-run). Not finished: the migration was interrupted.`,
      `  "${commandOf(name)}" ${does}`,
      'No migration was begun here.',
    ]);
    expect(events[0]).toEqual({
      event: 'other-runs',
      folders: [{ folder: other, run: 'a-run', state: 'interrupted' }],
    });
  });

  test('with one that is rolled back names it as well', async () => {
    begun(state, 'rolled-back');
    elsewhere('applying');

    await commands[name]();

    expect(lines[0]).toContain(`The state folder ${other} holds another migration`);
    expect(lines.slice(2).join('\n')).toContain(own);
  });
});

test('rollback of a finished run waits until an unfinished one elsewhere is over', async () => {
  begun(state, 'done');
  elsewhere('applying');

  const problem = await problemOf(commands.rollback());

  expect(problem).toMatchObject({
    exitCode: 5,
    problem: { code: 'unfinished-migration', run: 'a-run', state: other },
  });
});

test('rollback of an unfinished run is not kept back by an unfinished one elsewhere', async () => {
  begun(state, 'applying');
  elsewhere('applying');

  const problem = await problemOf(commands.rollback());

  // The run has no folder: that is what it comes to.
  expect(problem).toMatchObject({ problem: { code: 'run-folder-gone' } });
});

test('verify names a finished run elsewhere with the command that verifies it', async () => {
  elsewhere('done');

  expect(await commands.verify()).toBe(4);
  expect(lines.slice(0, 2)).toEqual([
    `The state folder ${other} holds another migration (a-run). Migrated and verified.`,
    `  "${commandOf('verify')}" checks it.`,
  ]);
});

describe('status', () => {
  test.each<JournalPhase>(['rolled-back', 'purged'])(
    'says nothing of a run elsewhere that is %s',
    async (phase) => {
      elsewhere(phase);

      await commands.status();

      expect(lines).toEqual(['No migration was begun here.']);
    },
  );

  test('says that a folder is gone whose run was not known to be rolled back', async () => {
    elsewhere('applying');
    fs.rmSync(other, { recursive: true });

    await commands.status();

    expect(lines[0]).toBe(
      `A migration was begun in the state folder ${other}, and the folder is not there any more. It is not known to be finished or rolled back.`,
    );
    expect(lines[1]).toContain(`take it out of ${listOfFolders}`);
  });

  test('looks into the usual folder, where former versions wrote nothing down', async () => {
    begun(host.path('/var/lib/lxd-to-incus'), 'applying');

    await commands.status();

    expect(lines[0]).toContain(
      `The state folder ${host.path('/var/lib/lxd-to-incus')} holds another migration`,
    );
  });

  test.each([
    ['others can write to', () => fs.chmodSync(other, 0o777), 'others can write to it'],
    [
      'has a damaged journal',
      () => fs.writeFileSync(join(other, 'journal.db'), 'x'.repeat(600)),
      'The journal cannot',
    ],
  ])('says what keeps it from looking into a folder that %s', async (_what, change, why) => {
    elsewhere('applying');
    change();

    expect(await commands.status()).toBe(4);
    expect(lines[0]).toContain(`in the state folder ${other}, which cannot be looked at: `);
    expect(lines[0]).toContain(why);
  });

  test.each(['{', '["relative"]', '{"a": 1}'])('goes on where the list is %s', async (text) => {
    host.writeFile(listOfFolders, text);

    expect(await commands.status()).toBe(4);
    expect(messages).toEqual([expect.stringContaining(`${listOfFolders} cannot be read: `)]);
    expect(lines).toEqual(['No migration was begun here.']);
  });

  test('takes its own folder for no other, by whatever link it was named', async () => {
    elsewhere('applying');
    const link = join(temporaryFolder(), 'link');
    fs.symlinkSync(dirname(other), link);
    state = join(link, 'other');

    expect(await commands.status()).toBe(0);

    expect(lines.join('\n')).not.toContain('holds another migration');
  });
});

describe('a folder that is gone', () => {
  function gone(phase: JournalPhase): void {
    elsewhere(phase);
    recordFolder(host, other, () => {});
    fs.rmSync(other, { recursive: true });
  }
  const prune = () => pruneCommand(host, { state, yes: true }, output());

  test('after its migration was finished is named with the command that forgets it', async () => {
    gone('done');

    await commands.status();

    expect(lines.slice(0, 2)).toEqual([
      `The migration in the state folder ${other} was finished, and the folder is not there any more: without it, it cannot be rolled back.`,
      `  Where the folder lies on a file system that is not mounted, mount it; where it is lost, "${ownCommand('prune')}" takes it out of the list.`,
    ]);
    expect(events[0]).toEqual({
      event: 'other-runs',
      folders: [{ folder: other, lost: 'gone', why: 'the folder is not there', finished: true }],
    });
  });

  test('after its migration was finished is forgotten by prune, which says so', async () => {
    gone('done');

    expect(await prune()).toBe(0);

    expect(lines).toEqual([
      'These state folders are gone, and the migration in each was finished. Without them it cannot be rolled back:',
      `  ${other}`,
      `1 of them taken out of ${listOfFolders}.`,
    ]);
    expect(events).toEqual([{ event: 'end', outcome: 'pruned', removed: [], forgotten: [other], exit: 0 }]);
    expect(knownFolders(host, () => {})).toEqual([]);
    expect(fs.existsSync(state)).toBe(false);
  });

  test('where the list cannot be written stays in it, and is not said to be forgotten', () => {
    gone('done');
    const folder = dirname(host.path(listOfFolders));
    fs.chmodSync(folder, 0o777);

    expect(forgetFolders(host, [other], (text) => void messages.push(text))).toEqual([]);

    expect(messages).toEqual([expect.stringContaining('others can write to it')]);
    expect(messages[0]).not.toContain('this run');
    fs.chmodSync(folder, 0o700);
    expect(knownFolders(host, () => {})).toHaveLength(1);
  });

  test('is forgotten beside runs of the own folder that stay', async () => {
    begun(state, 'done');
    gone('done');

    expect(await prune()).toBe(0);

    expect(events.map(({ event }) => event)).toEqual(['end']);
    expect(await prune()).toBe(4);
  });

  test('stays listed where nobody says yes', async () => {
    gone('done');

    const problem = await problemOf(pruneCommand(host, { state }, output()));

    expect(problem).toMatchObject({ exitCode: 2 });
    expect(knownFolders(host, () => {})).toHaveLength(1);
  });

  test.each<JournalPhase>(['applying', 'rolling-back', 'purging'])(
    'while its migration was %s stays named whatever prune does',
    async (phase) => {
      gone(phase);

      expect(await prune()).toBe(4);

      expect(knownFolders(host, () => {})).toEqual([{ folder: other, finished: false }]);
      await commands.status();
      expect(lines.join('\n')).toContain('It is not known to be finished or rolled back.');
    },
  );

  test('is never one that is there, whose migration was finished', async () => {
    elsewhere('done');
    recordFolder(host, other, () => {});

    expect(await prune()).toBe(4);

    expect(knownFolders(host, () => {})).toEqual([{ folder: other, finished: true }]);
  });
});

test.each(['resume', 'rollback'] as const)(
  'while %s is at work, its folder counts as one with a run under way',
  async (command) => {
    listFolder(host, state, () => {});
    begun(state, 'done');
    recordFolder(host, state, () => {});
    const finished = () => knownFolders(host, () => {}).map((one) => one.finished);
    expect(finished()).toEqual([true]);
    const during: boolean[] = [];

    await withJournal({ host, options: { state }, output: output() }, command, async () => {
      during.push(...finished());
      return 0;
    });

    expect(during).toEqual([false]);
    expect(finished()).toEqual([true]);
  },
);
