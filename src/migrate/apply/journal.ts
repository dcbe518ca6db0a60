// The journal: every step is written down before it is begun, in SQLite with full synchronisation.
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { ensurePrivateFolder } from '../../core/durable.ts';
import { systemErrorCode } from '../../core/failure.ts';
import type { Step } from '../plan/step.ts';
import { migrateFailure } from '../problem.ts';

export type StepState = 'planned' | 'begun' | 'done' | 'undone';
/** purged: finished, and then LXD was removed. */
export type RunOutcome = 'finished' | 'undone' | 'failed' | 'purged';

export interface JournalStep {
  readonly position: number;
  readonly step: Step;
  readonly state: StepState;
  /** What the step learned and its inverse needs; null until the step wrote it. */
  readonly memo: unknown;
}

export interface JournalRun {
  readonly id: string;
  readonly begunAt: string;
  readonly outcome: RunOutcome | undefined;
}

export interface Journal {
  /** The latest run, finished or not. */
  latest(): JournalRun | undefined;
  /** @param notes facts that the run has from its first moment on: it is written down with them, or not at all */
  begin(
    id: string,
    plan: unknown,
    steps: readonly Step[],
    at: Date,
    notes?: Readonly<Record<string, unknown>>,
  ): void;
  /** The plan that the run was begun with. */
  plan(run: string): unknown;
  steps(run: string): JournalStep[];
  mark(run: string, position: number, state: StepState, at: Date): void;
  /** Writes the step down anew; its kind stays. */
  amend(run: string, position: number, step: Step): void;
  /** Kept at once, so that an inverse finds it even if the step never ends. */
  remember(run: string, position: number, memo: unknown): void;
  /** A fact that later steps of the run need, by name. */
  note(run: string, name: string, value: unknown): void;
  noted(run: string, name: string): unknown;
  end(run: string, outcome: RunOutcome, at: Date): void;
  close(): void;
}

/**
 * Opens (or makes) the journal in the tool's own folder, which only this user may read.
 * @param waitMs how long somebody else may be in the middle of writing it
 * @throws {Failure<MigrateProblem>} already-running; file-system, as do all methods that write
 */
export function openJournal(state: string, waitMs = 5_000): Journal {
  const path = join(state, 'journal.db');
  const db = inTurn(state, () => asFileFailure('open the journal', path, () => openTables(state, waitMs)));
  const writing = (write: () => void): void => asFileFailure('write the journal', path, write);
  const writeNote = (run: string, name: string, value: unknown): void => {
    const text = JSON.stringify(value);
    writing(() => {
      db.prepare(
        'INSERT INTO note (run, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      ).run(run, name, text);
    });
  };
  return {
    latest() {
      const row = db
        .prepare('SELECT id, begun_at AS begunAt, outcome FROM run ORDER BY begun_at DESC, id DESC LIMIT 1')
        .get() as { id: string; begunAt: string; outcome: RunOutcome | null } | undefined;
      return row === undefined ? undefined : { ...row, outcome: row.outcome ?? undefined };
    },
    begin(id, plan, steps, at, notes = {}) {
      const insertStep = db.prepare(
        "INSERT INTO step (run, position, value, state, changed_at) VALUES (?, ?, ?, 'planned', ?)",
      );
      const writeAll = db.transaction(() => {
        db.prepare('INSERT INTO run (id, begun_at, plan) VALUES (?, ?, ?)').run(
          id,
          at.toISOString(),
          JSON.stringify(plan),
        );
        steps.forEach((step, position) => {
          insertStep.run(id, position, JSON.stringify(step), at.toISOString());
        });
        for (const [name, value] of Object.entries(notes)) writeNote(id, name, value);
      });
      writing(() => writeAll());
    },
    plan(run) {
      const row = db.prepare('SELECT plan FROM run WHERE id = ?').get(run) as { plan: string };
      return JSON.parse(row.plan) as unknown;
    },
    steps(run) {
      const rows = db
        .prepare('SELECT position, value, state, memo FROM step WHERE run = ? ORDER BY position')
        .all(run) as {
        position: number;
        value: string;
        state: StepState;
        memo: string | null;
      }[];
      return rows.map(({ position, value, state: stepState, memo }) => ({
        position,
        step: JSON.parse(value) as Step,
        state: stepState,
        memo: memo === null ? null : (JSON.parse(memo) as unknown),
      }));
    },
    mark(run, position, stepState, at) {
      writing(() => {
        db.prepare('UPDATE step SET state = ?, changed_at = ? WHERE run = ? AND position = ?').run(
          stepState,
          at.toISOString(),
          run,
          position,
        );
      });
    },
    amend(run, position, step) {
      db.prepare('UPDATE step SET value = ? WHERE run = ? AND position = ?').run(
        JSON.stringify(step),
        run,
        position,
      );
    },
    remember(run, position, memo) {
      const text = JSON.stringify(memo);
      writing(() => {
        db.prepare('UPDATE step SET memo = ? WHERE run = ? AND position = ?').run(text, run, position);
      });
    },
    note: writeNote,
    noted(run, name) {
      const row = db.prepare('SELECT value FROM note WHERE run = ? AND name = ?').get(run, name) as
        | { value: string }
        | undefined;
      return row === undefined ? undefined : (JSON.parse(row.value) as unknown);
    },
    end(run, outcome, at) {
      writing(() => {
        db.prepare('UPDATE run SET outcome = ?, ended_at = ? WHERE id = ?').run(
          outcome,
          at.toISOString(),
          run,
        );
      });
    },
    close() {
      db.close();
    },
  };
}

function openTables(state: string, waitMs: number): Database.Database {
  ensurePrivateFolder(state);
  const db = openPrivate(join(state, 'journal.db'), waitMs);
  // FULL does not sync the folder in which the rollback journal is deleted (sqlite.org/pragma.html): after a power cut
  // it is there again, and takes back what was committed last (seen on btrfs: a mask stood whose memo was gone).
  db.pragma('synchronous = EXTRA');
  db.exec(`
    CREATE TABLE IF NOT EXISTS run (id TEXT PRIMARY KEY, begun_at TEXT NOT NULL, ended_at TEXT, outcome TEXT, plan TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS step (run TEXT NOT NULL REFERENCES run (id), position INTEGER NOT NULL, value TEXT NOT NULL, state TEXT NOT NULL, memo TEXT, changed_at TEXT NOT NULL, PRIMARY KEY (run, position)) STRICT;
    CREATE TABLE IF NOT EXISTS note (run TEXT NOT NULL REFERENCES run (id), name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, name)) STRICT;
  `);
  return db;
}

/** @throws {Failure<MigrateProblem>} already-running, where another process is in the middle of writing */
function inTurn<T>(state: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (systemErrorCode(error)?.startsWith('SQLITE_BUSY') !== true) throw error;
    const holder = readIfThere(join(state, 'lock.pid'));
    throw migrateFailure({ code: 'already-running', state, process: holder });
  }
}

/** SQLite makes the file with the process's mask: nobody else may ever read it. */
function openPrivate(path: string, waitMs: number): Database.Database {
  const before = process.umask(0o077);
  try {
    return new Database(path, { timeout: waitMs });
  } finally {
    process.umask(before);
  }
}

/**
 * Makes sure that one lxd-to-incus works on this host at a time: an exclusive transaction that the kernel lets go of
 * when the process ends, however it ends.
 * @throws {Failure<MigrateProblem>} already-running
 */
export function takeLock(state: string): () => void {
  return asFileFailure('take the lock', join(state, 'lock.db'), () => {
    ensurePrivateFolder(state);
    const holder = join(state, 'lock.pid');
    const db = openPrivate(join(state, 'lock.db'), 0);
    try {
      db.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      db.close();
      if (error instanceof Error && (error as { code?: unknown }).code === 'SQLITE_BUSY')
        throw migrateFailure({ code: 'already-running', state, process: readIfThere(holder) });
      throw error;
    }
    held.add(db);
    // For the one who is refused; the lock itself is the kernel's.
    fs.writeFileSync(holder, String(process.pid), { mode: 0o600 });
    return () => {
      held.delete(db);
      try {
        fs.unlinkSync(holder);
      } catch {
        // A disk that takes no change any more: the number of a process that is gone does no harm.
      }
      db.close();
    };
  });
}

/** A connection that nothing refers to is collected, and closed with its lock. */
const held = new Set<Database.Database>();

function readIfThere(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    // It was just ending, or has not come so far.
    return undefined;
  }
}
