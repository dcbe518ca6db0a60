// The journal: every step is written down before it is begun, in SQLite with full synchronisation.
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import * as z from 'zod';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { databaseImage } from '../../core/database-image.ts';
import { ensurePrivateFolder } from '../../core/durable.ts';
import { systemErrorCode } from '../../core/failure.ts';
import { parseJson } from '../../core/parse.ts';
import { toolVersion } from '../../core/version.ts';
import type { Plan } from '../model/plan.ts';
import { planSchema } from '../model/plan-schema.ts';
import type { Step } from '../model/step.ts';
import { parseStep } from '../model/step-schema.ts';
import { migrateFailure } from '../problem.ts';
import { upgradeJournal } from './journal-format.ts';
import { holderOf } from './lock.ts';
import { type NoteName, type NoteValue, noteSchema } from './notes.ts';
import { openPrivate } from './open-private.ts';
import { type JournalPhase, journalPhases } from './run-state.ts';

const stepStates = ['planned', 'begun', 'done', 'undone'] as const;
export type StepState = (typeof stepStates)[number];

export interface JournalStep {
  readonly position: number;
  readonly step: Step;
  readonly state: StepState;
  /** What the step learned and its undo needs; null until the step wrote it. */
  readonly memo: unknown;
}

export interface JournalRun {
  readonly id: string;
  /** By which runs are ordered; the wall clock may jump. */
  readonly number: number;
  /** For people only. */
  readonly begunAt: string;
  readonly phase: JournalPhase;
  readonly failed: string | undefined;
  /** Whether a step of it was begun, undone ones included. */
  readonly anyBegun: boolean;
  /** Whether its folder and its steps were removed since it can never be rolled back. */
  readonly pruned: boolean;
}

/** Whether it can neither be resumed nor rolled back any more. */
export function hasEnded({ phase }: JournalRun): boolean {
  return phase === 'rolled-back' || phase === 'purged';
}

export interface Journal {
  /** Of the file. */
  readonly path: string;
  /** The version of this tool that began a run. */
  writtenBy(run: string): string | undefined;
  /** Every run, the first one first. */
  runs(): JournalRun[];
  /** The one that was begun last, finished or not. */
  latest(): JournalRun | undefined;
  /** @param notes facts that the run has from its first moment on: it is written down with them, or not at all */
  begin(
    id: string,
    plan: unknown,
    steps: readonly Step[],
    at: Date,
    notes?: { readonly [N in NoteName]?: NoteValue<N> },
  ): void;
  /** The plan that the run was begun with. */
  plan(run: string): Plan;
  steps(run: string): JournalStep[];
  mark(run: string, position: number, state: StepState, at: Date): void;
  /** One step is done and the next begun, in one commit: each waits for the disk several times, and instances are down meanwhile. */
  goOn(run: string, done: number | undefined, begun: number, at: Date): void;
  /** Writes the step down anew; its kind stays. */
  amend(run: string, position: number, step: Step): void;
  /** Kept at once, so that an undo finds it even if the step never ends. */
  remember(run: string, position: number, memo: unknown): void;
  /** A fact that later steps of the run need, by name. */
  note<N extends NoteName>(run: string, name: N, value: NoteValue<N>): void;
  noted<N extends NoteName>(run: string, name: N): NoteValue<N> | undefined;
  /** @param failed why it is not as it should be; undefined: nothing failed, or that is over */
  enter(run: string, phase: JournalPhase, at: Date, failed?: string): void;
  /** Forgets all of a run but that there was one. */
  prune(run: string): void;
  close(): void;
}

export function journalFile(state: string): string {
  return join(state, 'journal.db');
}

/**
 * Opens (or makes) the journal in the tool's own folder, which only this user may read. What a former version wrote is
 * brought into this version's form.
 * @param waitMs how long another process may be in the middle of writing it
 * @throws {Failure<MigrateProblem>} already-running; journal-unreadable where another version wrote it or it is damaged;
 *   file-system, as do all methods that write
 */
export function openJournal(state: string, waitMs = 5_000): Journal {
  const path = journalFile(state);
  return journalOn(
    path,
    guarded(state, () => asFileFailure('open the journal', path, () => openTables(path, state, waitMs))),
  );
}

/**
 * The journal as it is at this moment, to be looked at: a copy in memory, so that neither a process at work on it nor the
 * version that wrote it is disturbed. undefined where there is none.
 * @throws {Failure<MigrateProblem>} as openJournal
 */
export function readJournal(state: string, waitMs = 5_000): Journal | undefined {
  const path = journalFile(state);
  // Looking must not make a folder where nothing was ever begun.
  if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  return journalOn(
    path,
    guarded(state, () => asFileFailure('read the journal', path, () => copyOf(path, waitMs))),
  );
}

function journalOn(path: string, db: Database.Database): Journal {
  const writing = (write: () => void): void => asFileFailure('write the journal', path, write);
  const reading = <T>(read: () => T): T =>
    readable(path, () => asFileFailure('read the journal', path, read));
  const unreadable = (run: string, what: string, why: string): Error =>
    migrateFailure({ code: 'journal-unreadable', path, what, why, writtenBy: writerOf(run) });
  const writerOf = (run: string): string | undefined => {
    try {
      const row = db.prepare('SELECT tool_version AS version FROM run WHERE id = ?').get(run);
      return textOrUndefined(columnOf(row, 'version'));
    } catch (error) {
      // It is asked for a failure of reading, and where a page is damaged it is not known.
      if (sqliteCode(error).startsWith('SQLITE_')) return undefined;
      throw error;
    }
  };
  const writeNote = (run: string, name: string, value: unknown): void => {
    const text = JSON.stringify(value);
    writing(() => {
      db.prepare(
        'INSERT INTO note (run, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      ).run(run, name, text);
    });
  };
  const writeState = (run: string, position: number, state: StepState, at: Date): void => {
    db.prepare('UPDATE step SET state = ?, changed_at = ? WHERE run = ? AND position = ?').run(
      state,
      at.toISOString(),
      run,
      position,
    );
  };
  const toRun = (row: unknown): JournalRun => {
    const text = (name: string): string => textOrUndefined(columnOf(row, name)) ?? '';
    const id = text('id');
    if (!/^[\w-][\w.-]*$/.test(id)) throw unreadable(id, 'the name of a run', 'it is no name of a folder');
    const phase = journalPhases.find((one) => one === text('phase'));
    if (phase === undefined)
      throw unreadable(id, `run ${id}`, `its phase ${JSON.stringify(text('phase'))} is not known`);
    return {
      id,
      number: Number(columnOf(row, 'number')),
      begunAt: text('begunAt'),
      phase,
      failed: textOrUndefined(columnOf(row, 'failed')),
      anyBegun: columnOf(row, 'anyBegun') === 1,
      pruned: columnOf(row, 'pruned') === 1,
    };
  };
  const runsBy = (rest: string): JournalRun[] =>
    reading(() =>
      db
        .prepare(
          `SELECT id, number, begun_at AS begunAt, phase, failed, pruned,
             EXISTS (SELECT 1 FROM step WHERE step.run = run.id AND step.state <> 'planned') AS anyBegun
           FROM run ${rest}`,
        )
        .all(),
    ).map(toRun);
  return {
    path,
    writtenBy: writerOf,
    runs: () => runsBy('ORDER BY number'),
    latest: () => runsBy('ORDER BY number DESC LIMIT 1')[0],
    begin(id, plan, steps, at, notes = {}) {
      const insertStep = db.prepare(
        "INSERT INTO step (run, position, value, state, changed_at) VALUES (?, ?, ?, 'planned', ?)",
      );
      const writeAll = db.transaction(() => {
        db.prepare(
          `INSERT INTO run (id, number, begun_at, phase, plan, tool_version)
           VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM run), ?, 'applying', ?, ?)`,
        ).run(id, at.toISOString(), JSON.stringify(plan), toolVersion);
        steps.forEach((step, position) => {
          insertStep.run(id, position, JSON.stringify(step), at.toISOString());
        });
        for (const [name, value] of Object.entries(notes)) writeNote(id, name, value);
      });
      writing(() => writeAll());
    },
    plan(run) {
      const row = reading(() => db.prepare('SELECT plan FROM run WHERE id = ?').get(run));
      const parsed = parseJson(planSchema, textOrUndefined(columnOf(row, 'plan')) ?? '');
      if ('why' in parsed) throw unreadable(run, `the plan of run ${run}`, parsed.why);
      return parsed.value;
    },
    steps(run) {
      const rows = reading(() =>
        db.prepare('SELECT position, value, state, memo FROM step WHERE run = ? ORDER BY position').all(run),
      );
      return rows.map((row) => {
        const position = Number(columnOf(row, 'position'));
        const what = `step ${position + 1} of run ${run}`;
        const step = parseStep(jsonOf(columnOf(row, 'value')));
        if ('why' in step) throw unreadable(run, what, step.why);
        const state = stepStates.find((one) => one === columnOf(row, 'state'));
        if (state === undefined) throw unreadable(run, what, 'its state is not known');
        const memo = columnOf(row, 'memo');
        const remembered = memo === null ? null : jsonOf(memo);
        if (remembered === undefined) throw unreadable(run, `what ${what} remembers`, 'it is not JSON');
        return { position, step: step.value, state, memo: remembered };
      });
    },
    mark(run, position, stepState, at) {
      writing(() => writeState(run, position, stepState, at));
    },
    goOn(run, done, begun, at) {
      const both = db.transaction(() => {
        if (done !== undefined) writeState(run, done, 'done', at);
        writeState(run, begun, 'begun', at);
      });
      writing(() => both());
    },
    amend(run, position, step) {
      writing(() => {
        db.prepare('UPDATE step SET value = ? WHERE run = ? AND position = ?').run(
          JSON.stringify(step),
          run,
          position,
        );
      });
    },
    remember(run, position, memo) {
      const text = JSON.stringify(memo);
      writing(() => {
        db.prepare('UPDATE step SET memo = ? WHERE run = ? AND position = ?').run(text, run, position);
      });
    },
    note: writeNote,
    noted(run, name) {
      const row = reading(() =>
        db.prepare('SELECT value FROM note WHERE run = ? AND name = ?').get(run, name),
      );
      if (row === undefined) return undefined;
      const parsed = parseJson(noteSchema(name), textOrUndefined(columnOf(row, 'value')) ?? '');
      if ('why' in parsed) throw unreadable(run, `the note ${name} of run ${run}`, parsed.why);
      return parsed.value;
    },
    enter(run, phase, at, failed) {
      writing(() => {
        db.prepare('UPDATE run SET phase = ?, failed = ?, ended_at = ? WHERE id = ?').run(
          phase,
          failed ?? null,
          at.toISOString(),
          run,
        );
      });
    },
    prune(run) {
      const forget = db.transaction(() => {
        db.prepare('DELETE FROM step WHERE run = ?').run(run);
        db.prepare('DELETE FROM note WHERE run = ?').run(run);
        db.prepare("UPDATE run SET plan = '', pruned = 1 WHERE id = ?").run(run);
      });
      writing(() => {
        forget();
        db.exec('VACUUM');
      });
    },
    close() {
      db.close();
    },
  };
}

function openTables(path: string, state: string, waitMs: number): Database.Database {
  ensurePrivateFolder(state);
  requireFile(path);
  const db = openPrivate(path, waitMs);
  try {
    // FULL does not sync the folder in which the rollback journal is deleted (sqlite.org/pragma.html): after a power cut
    // it is there again, and undoes what was committed last (seen on btrfs: a mask stood whose memo was gone).
    db.pragma('synchronous = EXTRA');
    upgradeJournal(path, db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function copyOf(path: string, waitMs: number): Database.Database {
  requireFile(path);
  const file = openPrivate(path, waitMs);
  try {
    const copy = new Database(imageOf(path, file));
    try {
      upgradeJournal(path, copy);
      return copy;
    } catch (error) {
      copy.close();
      throw error;
    }
  } finally {
    file.close();
  }
}

function imageOf(path: string, file: Database.Database): Buffer {
  const image = databaseImage(file);
  if (image !== undefined) return image;
  throw migrateFailure({
    code: 'journal-unreadable',
    path,
    what: 'the journal',
    why: 'it is damaged',
    writtenBy: undefined,
  });
}

/** SQLite would wait for a writer of a FIFO, and read a device for ever. */
function requireFile(path: string): void {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return;
  throw migrateFailure({
    code: 'journal-unreadable',
    path,
    what: 'the journal',
    why: 'it is not a file',
    writtenBy: undefined,
  });
}

/** @throws {Failure<MigrateProblem>} already-running, where another process is in the middle of writing; journal-unreadable */
function guarded<T>(state: string, use: () => T): T {
  try {
    return readable(journalFile(state), use);
  } catch (error) {
    if (sqliteCode(error).startsWith('SQLITE_BUSY'))
      throw migrateFailure({ code: 'already-running', state, process: holderOf(state) });
    throw error;
  }
}

/** @throws {Failure<MigrateProblem>} journal-unreadable, where it is no database or a damaged one */
function readable<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    const code = sqliteCode(error);
    if (!/^SQLITE_(NOTADB|CORRUPT|CONSTRAINT|MISMATCH|TOOBIG|NOMEM|ERROR$)/.test(code)) throw error;
    const why = {
      SQLITE_NOTADB: 'it is not a database of SQLite',
      SQLITE_ERROR: 'its tables are others than any version makes',
    }[code];
    throw migrateFailure(
      {
        code: 'journal-unreadable',
        path,
        what: 'the journal',
        why: why ?? 'it is damaged',
        writtenBy: undefined,
      },
      error,
    );
  }
}

/** Of SQLite's own error, or of the failure that was made of it. */
function sqliteCode(error: unknown): string {
  return systemErrorCode(error) ?? (error instanceof Error ? (systemErrorCode(error.cause) ?? '') : '');
}

/** A column of a row that SQLite gave; whatever it holds is looked at before it is used. */
function columnOf(row: unknown, name: string): unknown {
  return typeof row === 'object' && row !== null
    ? Object.entries(row).find(([column]) => column === name)?.[1]
    : undefined;
}

function textOrUndefined(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** undefined where it is no text, or not JSON. */
function jsonOf(value: unknown): unknown {
  const parsed = parseJson(z.unknown(), textOrUndefined(value) ?? '');
  return 'value' in parsed ? parsed.value : undefined;
}
