// The journal: what was written is there after any interruption, and one process works at a time.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { openJournal, readJournal, type StepState } from '../../../src/migrate/journal/journal.ts';
import { isLocked, takeLock } from '../../../src/migrate/journal/lock.ts';
import type { NoteValue } from '../../../src/migrate/journal/notes.ts';
import type { Step } from '../../../src/migrate/model/step.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { tinyPlan as plan } from '../plan/tiny-plan.ts';

const steps: readonly Step[] = [
  { kind: 'move-directory', from: '/a', to: "/b'; DROP TABLE step; --" },
  { kind: 'empty-runtime-folder', path: '/run/ünïcode\n' },
  { kind: 'add-id-range', file: '/etc/subuid', line: 'root:1:2' },
];
/** Each kind of note keeps the fields that it knows. */
function noteAsRead(name: 'held' | 'power-outcomes', value: unknown): unknown {
  if (value === undefined) return undefined;
  const keys = name === 'held' ? ['project', 'name', 'autostart'] : ['instance', 'wanted'];
  return (value as Record<string, unknown>[]).map((one) =>
    Object.fromEntries(keys.map((key) => [key, one[key]])),
  );
}

const at = (second: number): Date => new Date(Date.UTC(2026, 10, 24, 0, 0, second));

type Action =
  | { readonly do: 'mark'; readonly position: number; readonly state: StepState }
  | { readonly do: 'remember'; readonly position: number; readonly memo: unknown }
  | {
      readonly do: 'note';
      readonly name: 'held' | 'power-outcomes';
      readonly value: NoteValue<'held'> & NoteValue<'power-outcomes'>;
    }
  | { readonly do: 'reopen' };

const json = fc.jsonValue({ maxDepth: 2 });
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    do: fc.constant('mark' as const),
    position: fc.nat(steps.length - 1),
    state: fc.constantFrom<StepState>('planned', 'begun', 'done', 'undone'),
  }),
  fc.record({ do: fc.constant('remember' as const), position: fc.nat(steps.length - 1), memo: json }),
  fc.record({
    do: fc.constant('note' as const),
    name: fc.constantFrom('held' as const, 'power-outcomes' as const),
    value: fc.array(
      fc.record({
        project: fc.string(),
        name: fc.string({ unit: 'binary' }),
        autostart: fc.option(fc.string()),
        instance: fc.string(),
        wanted: fc.constantFrom('Running' as const, 'Stopped' as const),
      }),
      { maxLength: 2 },
    ),
  }),
  fc.record({ do: fc.constant('reopen' as const) }),
);

test('a run is written down with its first facts, or not at all', () => {
  const state = temporaryFolder();
  const journal = openJournal(state);
  onTestFinished(() => journal.close());

  expect(() => journal.begin('half', {}, steps, at(0), { pins: [], power: 1n as never })).toThrow(TypeError);
  const none = journal.latest();
  journal.begin('whole', {}, steps, at(0), { pins: [['a', 'b']] });

  expect(none).toBeUndefined();
  expect(journal.noted('whole', 'pins')).toEqual([['a', 'b']]);
});

test('keeps everything that was written to it, whenever it is opened again', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 12 }), (actions) => {
      const state = temporaryFolder();
      let journal = openJournal(state);
      journal.begin('run', plan, steps, at(0));
      const expected = steps.map((step, position) => ({
        position,
        step,
        state: 'planned',
        memo: null as unknown,
      }));
      const notes = new Map<string, unknown>();

      for (const one of actions) {
        const entry = 'position' in one ? expected[one.position] : undefined;
        if (one.do === 'mark' && entry !== undefined) {
          journal.mark('run', one.position, one.state, at(1));
          entry.state = one.state;
        } else if (one.do === 'remember' && entry !== undefined) {
          journal.remember('run', one.position, one.memo);
          entry.memo = one.memo;
        } else if (one.do === 'note') {
          journal.note('run', one.name, one.value);
          notes.set(one.name, one.value);
        } else {
          journal.close();
          journal = openJournal(state);
        }
      }
      journal.close();
      journal = openJournal(state);

      // What JSON cannot hold (-0) is none of the values that steps write.
      expect(JSON.stringify(journal.steps('run'))).toBe(JSON.stringify(expected));
      for (const name of ['power', 'held', 'power-outcomes'] as const)
        expect(journal.noted('run', name)).toEqual(
          name === 'power' ? undefined : noteAsRead(name, notes.get(name)),
        );
      expect(journal.plan('run')).toEqual(plan);
      expect(journal.latest()).toMatchObject({
        id: 'run',
        number: 1,
        begunAt: at(0).toISOString(),
        phase: 'applying',
        failed: undefined,
        pruned: false,
      });
      journal.close();
    }),
    { numRuns: 15 },
  );
});

test('the run that was begun last is the latest, whatever the clock says; the steps of each stay apart', () => {
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => journal.close());

  expect(journal.latest()).toBeUndefined();
  journal.begin('first', {}, steps, at(1));
  journal.mark('first', 0, 'done', at(2));
  journal.enter('first', 'rolled-back', at(3));
  expect(journal.latest()).toMatchObject({ id: 'first', number: 1, phase: 'rolled-back', anyBegun: true });
  journal.begin('second', {}, steps.slice(0, 1), at(-86_400));
  journal.begin('third', {}, [], at(86_400));
  journal.begin('fourth', {}, steps.slice(0, 1), at(0));

  expect(journal.latest()).toMatchObject({ id: 'fourth', number: 4, phase: 'applying', anyBegun: false });
  expect(journal.runs().map(({ id }) => id)).toEqual(['first', 'second', 'third', 'fourth']);
  expect(journal.steps('first').map(({ state }) => state)).toEqual(['done', 'planned', 'planned']);
  expect(journal.steps('second').map(({ state }) => state)).toEqual(['planned']);
});

test('the end of a step and the begin of the next are written together, or neither is', () => {
  const state = temporaryFolder();
  const journal = openJournal(state);
  onTestFinished(() => journal.close());
  journal.begin('run', {}, steps, at(0));
  const states = (): unknown[] => journal.steps('run').map((step) => step.state);

  journal.goOn('run', undefined, 0, at(1));
  const first = states();
  journal.goOn('run', 0, 1, at(2));
  const second = states();
  const reader = new Database(join(state, 'journal.db'));
  onTestFinished(() => void reader.close());
  reader.exec(
    "CREATE TRIGGER full BEFORE UPDATE ON step WHEN new.position = 2 BEGIN SELECT RAISE(ABORT, 'full'); END",
  );
  expect(() => journal.goOn('run', 1, 2, at(3))).toThrow();

  expect(first).toEqual(['begun', 'planned', 'planned']);
  expect(second).toEqual(['done', 'begun', 'planned']);
  expect(states()).toEqual(second);
});

test('a step that is written down anew keeps its state and memo', () => {
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => journal.close());
  journal.begin('run', {}, steps, at(0));
  journal.mark('run', 0, 'done', at(1));
  journal.remember('run', 0, 'kept');
  const amended = { kind: 'empty-runtime-folder', path: '/elsewhere' } as const;

  journal.amend('run', 0, amended);

  expect(journal.steps('run')[0]).toEqual({ position: 0, step: amended, state: 'done', memo: 'kept' });
  expect(
    journal
      .steps('run')
      .slice(1)
      .map(({ step }) => step),
  ).toEqual(steps.slice(1));
});

test('is looked at as a copy: what is written to that changes nothing, and nothing is made where there is none', () => {
  const state = temporaryFolder();
  const journal = openJournal(state);
  onTestFinished(() => journal.close());
  journal.begin('run', {}, steps, at(0));
  const before = fs.readFileSync(join(state, 'journal.db'));

  const look = readJournal(state);
  look?.mark('run', 0, 'done', at(1));

  expect(look?.steps('run')[0]?.state).toBe('done');
  expect(journal.steps('run')[0]?.state).toBe('planned');
  expect(fs.readFileSync(join(state, 'journal.db'))).toEqual(before);
  expect(readJournal(join(state, 'nowhere'))).toBeUndefined();
  expect(fs.existsSync(join(state, 'nowhere'))).toBe(false);
});

test('a pruned run is known, and nothing of it is kept', () => {
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => journal.close());
  journal.begin('old', plan, steps, at(0));
  journal.enter('old', 'rolled-back', at(1));
  journal.begin('new', plan, steps, at(2));

  journal.prune('old');

  expect(journal.runs()).toMatchObject([
    { id: 'old', number: 1, phase: 'rolled-back', pruned: true },
    { id: 'new', number: 2, pruned: false },
  ]);
  expect(journal.steps('old')).toEqual([]);
  expect(journal.steps('new')).toHaveLength(steps.length);
});

test('a run is begun whole or not at all', () => {
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => journal.close());
  journal.begin('run', {}, steps, at(0));

  expect(() => journal.begin('run', {}, steps, at(1))).toThrow(/UNIQUE/);
  expect(journal.steps('run')).toHaveLength(steps.length);
});

test('nobody else can read it, whatever the mask, and it takes no folder that others can write to', () => {
  const folder = temporaryFolder();
  const before = process.umask(0);

  openJournal(join(folder, 'state')).close();
  process.umask(before);

  expect(fs.statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
  expect(fs.statSync(join(folder, 'state', 'journal.db')).mode & 0o777).toBe(0o600);
  expect(process.umask()).toBe(before);
  fs.mkdirSync(join(folder, 'open'));
  fs.chmodSync(join(folder, 'open'), 0o777);
  expect(() => openJournal(join(folder, 'open'))).toThrow(/others can write/);
});

test('a journal that somebody is writing is no bug', () => {
  const state = temporaryFolder();
  openJournal(state).close();
  const writer = new Database(join(state, 'journal.db'));
  onTestFinished(() => void writer.close());
  writer.exec('BEGIN EXCLUSIVE');

  expect(() => openJournal(state, 10)).toThrow(/at work/);
});

test('a journal that cannot be written says so', () => {
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => journal.close());
  journal.begin('run', {}, steps, at(0));
  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  const prepare = vi.spyOn(Database.prototype, 'prepare').mockImplementation(() => {
    throw full;
  });
  onTestFinished(() => prepare.mockRestore());

  for (const write of [
    () => journal.mark('run', 0, 'begun', at(1)),
    () => journal.goOn('run', 0, 1, at(1)),
    () => journal.remember('run', 0, {}),
    () => journal.note('run', 'pins', []),
    () => journal.enter('run', 'rolling-back', at(1)),
  ])
    expect(write).toThrow(/Could not write the journal: ENOSPC/);
});

test('a row that cannot be understood is named, also where it cannot be read which version wrote it', () => {
  const state = temporaryFolder();
  const journal = openJournal(state);
  onTestFinished(() => journal.close());
  journal.begin('run', {}, steps, at(0));
  const writer = new Database(join(state, 'journal.db'));
  writer.exec("UPDATE step SET value = '{}' WHERE position = 1");
  writer.close();
  const malformed = new Database.SqliteError('database disk image is malformed', 'SQLITE_CORRUPT');
  const original = Database.prototype.prepare;
  const prepare = vi.spyOn(Database.prototype, 'prepare').mockImplementation(function (
    this: Database.Database,
    sql: string,
  ) {
    if (sql.includes('tool_version')) throw malformed;
    return original.call(this, sql);
  });
  onTestFinished(() => prepare.mockRestore());

  let error: unknown;
  try {
    journal.steps('run');
  } catch (thrown) {
    error = thrown;
  }

  expect(error).toMatchObject({
    problem: { code: 'journal-unreadable', what: 'step 2 of run run', writtenBy: undefined },
  });
});

describe('the lock', () => {
  function problemOf(action: () => unknown): unknown {
    try {
      action();
      return undefined;
    } catch (error) {
      return error instanceof Failure ? error.problem : error;
    }
  }

  /** The machine whose files lie below a folder. */
  function machineIn(root: string): { path(absolute: string): string } {
    return { path: (absolute) => join(root, absolute) };
  }

  function newMachine(): string {
    const root = temporaryFolder();
    fs.mkdirSync(join(root, 'run'));
    return root;
  }

  /** Another process that has taken the lock and holds it, although nothing in it refers to it. */
  async function holder(
    root: string,
    state: string,
  ): Promise<{ readonly pid: number | undefined; now(): Promise<void> }> {
    const module = join(import.meta.dirname, '../../../src/migrate/journal/lock.ts');
    const script = `
      const { takeLock } = await import(${JSON.stringify(module)});
      (() => void takeLock({ path: (absolute) => ${JSON.stringify(root)} + absolute }, ${JSON.stringify(state)}))();
      for (let times = 0; times < 3; times += 1) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        globalThis.gc();
      }
      process.stdout.write('held');
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    return {
      pid: child.pid,
      async now() {
        child.kill('SIGKILL');
        await once(child, 'close');
      },
    };
  }

  test('is held by one process at a time, and free once that one is dead, however it died', async () => {
    const root = newMachine();
    const machine = machineIn(root);
    const state = temporaryFolder();
    const kill = await holder(root, state);

    const refused = { code: 'already-running', state } as const;
    expect(problemOf(() => takeLock(machine, state))).toEqual({ ...refused, process: String(kill.pid) });
    expect(isLocked(state)).toBe(true);
    await kill.now();
    expect(isLocked(state)).toBe(false);
    const release = takeLock(machine, state);

    expect(problemOf(() => takeLock(machine, state))).toEqual({ ...refused, process: String(process.pid) });
    release();
    takeLock(machine, state)();
  });

  test('is one for all state folders of a machine; the refusal names the one in use, and nothing is made', async () => {
    const root = newMachine();
    const state = temporaryFolder();
    const other = join(temporaryFolder(), 'other');
    const kill = await holder(root, state);

    const problem = problemOf(() => takeLock(machineIn(root), other));

    expect(problem).toEqual({ code: 'already-running', state, process: String(kill.pid) });
    expect(fs.existsSync(other)).toBe(false);
    await kill.now();
    takeLock(machineIn(root), other)();
  });

  test('on the state folder holds among machines that share it, and then the machine stays free', () => {
    const state = temporaryFolder();
    const second = machineIn(newMachine());
    const release = takeLock(machineIn(newMachine()), state);

    expect(problemOf(() => takeLock(second, state))).toMatchObject({ code: 'already-running', state });
    takeLock(second, temporaryFolder())();
    release();
  });

  test('of the machine works without /run', () => {
    const machine = machineIn(temporaryFolder());
    const release = takeLock(machine, temporaryFolder());

    expect(problemOf(() => takeLock(machine, temporaryFolder()))).toMatchObject({ code: 'already-running' });
    release();
    takeLock(machine, temporaryFolder())();
  });

  test('of the machine is a file that only its user reads, and follows no link', () => {
    const [root, planted] = [newMachine(), newMachine()];
    const elsewhere = temporaryFolder();
    takeLock(machineIn(root), temporaryFolder())();
    fs.symlinkSync(elsewhere, join(planted, 'run/lxd-to-incus'));

    const problem = problemOf(() => takeLock(machineIn(planted), temporaryFolder()));

    expect(fs.statSync(join(root, 'run/lxd-to-incus')).mode & 0o777).toBe(0o700);
    expect(fs.statSync(join(root, 'run/lxd-to-incus/lock.db')).mode & 0o777).toBe(0o600);
    expect(problem).toMatchObject({ code: 'not-a-folder-of-ours' });
    expect(fs.readdirSync(elsewhere)).toEqual([]);
  });
});
