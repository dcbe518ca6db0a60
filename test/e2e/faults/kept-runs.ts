// What the tool's own folder in a machine says of its runs, read from a copy: looking must not mend what a kill left.
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Journal, type JournalRun, readJournal } from '../../../src/migrate/journal/journal.ts';
import { runFolder } from '../../../src/migrate/plan/make-steps.ts';
import type { Machine } from '../machine/machine.ts';

const state = '/var/lib/lxd-to-incus';

function inJournal<T>(machine: Machine, look: (journal: Journal) => T): T | undefined {
  const copy = mkdtempSync(join(tmpdir(), 'lxd-to-incus-journal-'));
  try {
    for (const name of ['journal.db', 'journal.db-journal', 'journal.db-wal'])
      if (existsSync(machine.rootPath(join(state, name))))
        cpSync(machine.rootPath(join(state, name)), join(copy, name));
    const journal = readJournal(copy);
    try {
      return journal === undefined ? undefined : look(journal);
    } finally {
      journal?.close();
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

export interface LatestOnDisk {
  readonly run: JournalRun;
  /** Whether it is written down which instances ran. */
  readonly knowsPower: boolean;
}

export function latestOnDisk(machine: Machine): LatestOnDisk | undefined {
  return inJournal(machine, (journal) => {
    const run = journal.latest();
    return run === undefined ? undefined : { run, knowsPower: journal.noted(run.id, 'power') !== undefined };
  });
}

/** In words, the runs that a rollback could still need and whose folder is not whole. */
export function lostFolders(machine: Machine): string[] {
  const lost = inJournal(machine, (journal) =>
    journal
      .runs()
      .filter(({ id, phase }) => phase !== 'rolled-back' || id === journal.latest()?.id)
      .map(({ id }) => join(runFolder(state, id), 'planned-database.sqlite'))
      .filter((path) => !existsSync(machine.rootPath(path))),
  );
  return (lost ?? []).map((path) => `the folder of a run that the journal knows is not whole: ${path}`);
}
