// Journals of every released format are read, with all that is in them; what this version cannot read stays as it is.
import * as fs from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Output } from '../../../src/core/output.ts';
import { toolVersion } from '../../../src/core/version.ts';
import { resumeCommand } from '../../../src/migrate/cli/resume-command.ts';
import { rollbackCommand } from '../../../src/migrate/cli/rollback-command.ts';
import { statusCommand } from '../../../src/migrate/cli/status-command.ts';
import { type Journal, openJournal, readJournal } from '../../../src/migrate/journal/journal.ts';
import { journalFormat } from '../../../src/migrate/journal/journal-format.ts';
import { openForWork } from '../../../src/migrate/run/open-for-work.ts';
import { describeRun, latestRun, whatIsLeft } from '../../../src/migrate/run/run-status.ts';
import { fakeHost } from '../../fakes/fake-host.ts';
import { folderWith, formerJournal } from './old-journal.ts';

const first = '2026-11-29T06-22-46-477Z';
const second = '2026-11-29T06-23-16-131Z';

function opened(state: string): Journal {
  const journal = openForWork(state);
  onTestFinished(() => journal.close());
  return journal;
}

describe('format 1', () => {
  test('is read whole: order, phases, steps, notes and plans', () => {
    const { state } = folderWith(formerJournal(1));

    const journal = opened(state);

    expect(journal.runs()).toEqual([
      {
        id: first,
        number: 1,
        begunAt: '2026-11-29T06:22:50.885Z',
        phase: 'rolled-back',
        failed: undefined,
        anyBegun: true,
        pruned: false,
      },
      {
        id: second,
        number: 2,
        begunAt: '2026-11-29T06:23:19.384Z',
        phase: 'done',
        failed: undefined,
        anyBegun: true,
        pruned: false,
      },
    ]);
    expect(journal.writtenBy(second)).toBe('0.1.0');
    const steps = journal.steps(second);
    expect(steps.map(({ state: one }) => one)).toEqual(Array.from({ length: 26 }, () => 'done'));
    expect(new Set(journal.steps(first).map(({ state: one }) => one))).toEqual(new Set(['undone']));
    expect(steps.map(({ step }) => step.kind)).toEqual([
      'stop-daemon',
      'mask-target',
      'clear-leftovers',
      'set-aside-target',
      'disable-source',
      'record-power',
      'stop-instances',
      'stop-daemon',
      'mask-source',
      'clear-leftovers',
      'prove-quiet',
      'convert-again',
      'record-directory',
      'move-directory',
      'set-aside-database',
      'install-database',
      'rename-snapshots-folder',
      'repoint-links',
      'empty-runtime-folder',
      'unmask-target',
      'start-daemon',
      'restore-power',
      'release-autostart',
      'leave-note',
      'refresh-backup-files',
      'write-dump',
    ]);
    expect(steps[4]?.memo).toEqual({
      states: [
        { unit: 'lxd-containers.service', enabled: 'enabled' },
        { unit: 'lxd.socket', enabled: 'enabled' },
        { unit: 'lxd.service', enabled: 'indirect' },
      ],
    });
    expect(journal.noted(second, 'power')).toEqual({
      running: ['default/c1', 'default/c2'],
      frozen: [],
      ephemeral: [],
      daemonRan: true,
    });
    expect(journal.noted(second, 'source-listened')).toBe(true);
    expect(journal.noted(second, 'pins')).toEqual([]);
    expect(journal.noted(second, 'rehearsal')).toMatchObject({
      version: '6.0.4',
      compared: { instances: 2 },
    });
    expect(Object.keys(journal.noted(first, 'idmaps-of-target') ?? {})).toEqual(['default/c1', 'default/c2']);
    expect(journal.plan(second)).toMatchObject({ toolVersion: '0.1.0', source: { schema: 60 } });
  });

  test('looking at it leaves it in its own format; work on it brings it into the present one', () => {
    const { state, bytes } = folderWith(formerJournal(1));
    const before = bytes();

    readJournal(state)?.close();
    const looked = bytes();
    openJournal(state).close();
    const journal = openJournal(state);
    onTestFinished(() => journal.close());

    expect(looked).toEqual(before);
    expect(bytes()).not.toEqual(before);
    journal.begin('next', journal.plan(second), [], new Date(0));
    expect(journal.latest()).toMatchObject({ id: 'next', number: 3 });
  });

  const undoneFrom = (position: number) => (db: Database.Database) =>
    void db.prepare("UPDATE step SET state = 'undone' WHERE run = ? AND position >= ?").run(second, position);
  const plannedFrom = (position: number) => (db: Database.Database) =>
    void db
      .prepare("UPDATE step SET state = 'planned' WHERE run = ? AND position >= ?")
      .run(second, position);
  const nothing = (): void => {};
  test.each([
    ['finished', nothing, 'done', 'Migrated and verified', { resume: 0, rollback: 17 }],
    ['undone', undoneFrom(0), 'rolled-back', 'Rolled back: LXD is as it was', { resume: 0, rollback: 0 }],
    ['failed', nothing, 'done', 'Migrated, and verifying failed', { resume: 0, rollback: 17 }],
    ['failed', plannedFrom(20), 'interrupted', 'Not finished: a step failed', { resume: 6, rollback: 15 }],
    [
      'purged',
      nothing,
      'purged',
      'Migrated and verified. What was left of LXD was removed (--purge-source)',
      { resume: 0, rollback: 0 },
    ],
    [
      null,
      plannedFrom(20),
      'interrupted',
      'Not finished: the migration was interrupted',
      { resume: 6, rollback: 15 },
    ],
    [null, plannedFrom(0), 'planned', 'Begun, and no step was carried out yet', { resume: 26, rollback: 0 }],
    [
      null,
      undoneFrom(20),
      'rollback-interrupted',
      'Not finished: the rollback was interrupted',
      { resume: 6, rollback: 15 },
    ],
    // A rollback of a finished run left its outcome as it was until it had ended.
    [
      'finished',
      undoneFrom(20),
      'rollback-interrupted',
      'Not finished: the rollback was interrupted',
      { resume: 6, rollback: 15 },
    ],
  ] as const)('outcome %s: %#', (outcome, change, phase, words, left) => {
    const { state } = folderWith(formerJournal(1), (db) => {
      db.prepare('UPDATE run SET outcome = ? WHERE id = ?').run(outcome, second);
      change(db);
    });

    const journal = opened(state);
    const latest = latestRun(journal, false);
    if (latest === undefined) throw new Error('there is no run');

    expect(latest.state.phase).toBe(phase);
    expect(describeRun(journal, latest).startsWith(words), describeRun(journal, latest)).toBe(true);
    const { resume, rollback } = whatIsLeft(journal, latest);
    expect({ resume: resume.length, rollback: rollback.length }).toEqual(left);
  });
});

describe('what this version cannot read', () => {
  const setValue = (value: unknown) => (db: Database.Database) =>
    void db
      .prepare('UPDATE step SET value = ? WHERE run = ? AND position = 3')
      .run(JSON.stringify(value), second);
  const newest = (db: Database.Database): void => {
    db.pragma(`user_version = ${journalFormat + 1}`);
    db.exec(`ALTER TABLE run ADD COLUMN number INTEGER; ALTER TABLE run ADD COLUMN tool_version TEXT;
      UPDATE run SET number = rowid, tool_version = '7.8.9'`);
  };
  const unfinished = (db: Database.Database): void => {
    db.prepare("UPDATE run SET outcome = NULL, plan = json_set(plan, '$.toolVersion', '7.8.9')").run();
    db.prepare("UPDATE step SET state = 'planned' WHERE position >= 20").run();
  };
  const and =
    (...changes: ((db: Database.Database) => void)[]) =>
    (db: Database.Database) => {
      for (const change of changes) change(db);
    };
  test.each([
    ['a newer format', newest, `it has format ${journalFormat + 1}`],
    [
      'a path that leaves its folder',
      and(unfinished, setValue({ kind: 'set-aside-target', path: '/var/lib/incus/../../..', into: '/b' })),
      'path is not as it should be',
    ],
    [
      'a unit that is no name of a file',
      and(unfinished, setValue({ kind: 'mask-source', units: ['lxd.service', '../lxd.service'] })),
      'units.1 is not as it should be',
    ],
    [
      'a unit that no argument can hold',
      and(unfinished, setValue({ kind: 'mask-source', units: ['lxd\0.service'] })),
      'units.0 is not as it should be',
    ],
    [
      'a note that is missing',
      and(unfinished, (db) => void db.prepare("DELETE FROM note WHERE name = 'power'").run()),
      'it is missing',
    ],
    [
      'a step of a kind that is not known',
      and(unfinished, setValue({ kind: 'turn-around', path: '/' })),
      'its kind "turn-around" is not known',
    ],
    [
      'a field of a step that is not known',
      and(unfinished, setValue({ kind: 'set-aside-target', path: '/a', into: '/b', twice: true })),
      'it has a field that is not known: twice',
    ],
    [
      'a memo of another form',
      and(
        unfinished,
        (db) => void db.prepare(`UPDATE step SET memo = '{"existed":"perhaps"}' WHERE position = 3`).run(),
      ),
      'existed is not of type boolean',
    ],
    [
      'a note of another form',
      and(unfinished, (db) => void db.prepare(`UPDATE note SET value = '[1]' WHERE name = 'held'`).run()),
      '0 is not of type object',
    ],
    [
      'a plan of another form',
      and(unfinished, (db) => void db.prepare("UPDATE run SET plan = json_set(plan, '$.format', 9)").run()),
      'format is none of 1',
    ],
  ])('%s: the version that wrote it is named, and not a byte changes', async (_, change, why) => {
    const { state, bytes } = folderWith(formerJournal(1), change);
    const before = bytes();
    const host = fakeHost();
    onTestFinished(() => host.dispose());
    const said: string[] = [];
    const output: Output = {
      json: false,
      line: (text) => void said.push(text),
      message: (text) => void said.push(text),
      event: () => {},
      progress: () => {},
      colour: (__, text) => text,
    };

    for (const command of [resumeCommand, rollbackCommand]) {
      const refused = command(host, { state, yes: true }, output);

      await expect(refused).rejects.toMatchObject({
        problem: { code: 'journal-unreadable', why: expect.stringContaining(why), writtenBy: '7.8.9' },
        explanation: {
          next: expect.stringContaining(`written by lxd-to-incus 7.8.9, and this is ${toolVersion}`),
        },
      });
    }
    // It tells what it can, or refuses likewise.
    await statusCommand(host, { state }, output).catch((error: unknown) => {
      expect(error).toMatchObject({ problem: { code: 'journal-unreadable', writtenBy: '7.8.9' } });
    });
    expect(bytes()).toEqual(before);
    expect(host.log).toEqual([]);
  });

  test.each([
    ['a trigger', "CREATE TRIGGER t BEFORE UPDATE ON run BEGIN SELECT RAISE(ABORT, 'no'); END"],
    [
      'a view in place of a table',
      'ALTER TABLE note RENAME TO other; CREATE VIEW note AS SELECT * FROM other',
    ],
    ['a column less', 'ALTER TABLE step DROP COLUMN memo'],
    ['a table more', 'CREATE TABLE other (a)'],
    ['an index more', 'CREATE INDEX i ON step (state)'],
  ])('%s, in each format: nothing is written to it', (_, sql) => {
    const first = folderWith(formerJournal(1), (db) => void db.exec(sql));
    const present = folderWith(formerJournal(1));
    openJournal(present.state).close();
    const db = new Database(present.file);
    db.exec(sql);
    db.close();

    for (const { state, bytes } of [first, present]) {
      const before = bytes();

      for (const open of [openJournal, readJournal, openForWork])
        expect(() => open(state)).toThrow(/its tables are others than any version makes/);

      expect(bytes()).toEqual(before);
    }
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, 5000)],
    ['something else', () => Buffer.from('{"this": "is no database"}'.repeat(100))],
    ['a header without a database', (bytes: Buffer) => bytes.fill(0, 100)],
  ])('one that is %s is damaged, in words', (_, damage) => {
    const { state, file, bytes } = folderWith(formerJournal(1));
    fs.writeFileSync(file, damage(bytes()));
    const before = bytes();

    for (const open of [openJournal, readJournal, openForWork])
      expect(() => open(state)).toThrow(/The journal cannot be understood/);

    expect(bytes()).toEqual(before);
  });

  test('one that was made and never written to has no run', () => {
    const { state, file } = folderWith(formerJournal(1));
    fs.writeFileSync(file, '');

    const journal = readJournal(state);
    onTestFinished(() => journal?.close());

    expect(journal?.runs()).toEqual([]);
  });

  test('resume and rollback of a run that has ended do not need its steps', async () => {
    const { state } = folderWith(
      formerJournal(1),
      and(
        setValue({ kind: 'turn-around' }),
        (db) => void db.prepare("UPDATE run SET outcome = 'undone'").run(),
      ),
    );
    const host = fakeHost();
    onTestFinished(() => host.dispose());
    const said: string[] = [];
    const output: Output = {
      json: false,
      line: (text) => void said.push(text),
      message: () => {},
      event: () => {},
      progress: () => {},
      colour: (__, text) => text,
    };

    const statuses = [
      await resumeCommand(host, { state, yes: true }, output),
      await rollbackCommand(host, { state, yes: true }, output),
    ];

    expect(statuses).toEqual([4, 4]);
    expect(said).toEqual([
      'There is no unfinished migration to go on with.',
      `Rolled back: LXD is as it was (${second}).`,
    ]);
  });

  test('a run that has ended stands in nobody’s way, whatever its steps are', () => {
    const { state } = folderWith(
      formerJournal(1),
      and(
        setValue({ kind: 'turn-around' }),
        (db) => void db.prepare("UPDATE run SET outcome = 'undone'").run(),
      ),
    );

    const journal = opened(state);

    expect(journal.latest()).toMatchObject({ id: second, phase: 'rolled-back' });
  });
});
