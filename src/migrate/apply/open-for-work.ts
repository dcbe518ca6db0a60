// Opens the journal for a command that changes something: only where all of the latest run can be understood.

import { parseMemo } from './index.ts';
import { hasEnded, type Journal, openJournal, readJournal } from './journal.ts';
import { noteNames } from './step-handler.ts';

/**
 * Looked at as a copy first: one that this version cannot read whole stays, byte for byte, as another version wrote it.
 * Bringing it into this version's form would keep that version from reading it.
 * @throws {Failure<MigrateProblem>} journal-unreadable, already-running
 */
export function openForWork(state: string): Journal {
  const copy = readJournal(state);
  try {
    const latest = copy?.latest();
    if (copy !== undefined && latest !== undefined && !hasEnded(latest)) requireReadable(copy, latest.id);
  } finally {
    copy?.close();
  }
  return openJournal(state);
}

/** Found in the middle of a rollback, the rest of it could not be done. */
function requireReadable(journal: Journal, run: string): void {
  journal.plan(run);
  for (const { step, memo } of journal.steps(run)) parseMemo(step, memo, { journal, run });
  for (const name of Object.values(noteNames)) journal.noted(run, name);
}
