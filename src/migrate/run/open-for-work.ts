// Opens the journal for a command that changes something: only where all of the latest run can be understood.

import { parseMemo } from '../apply/index.ts';
import { hasEnded, type Journal, type JournalRun, openJournal, readJournal } from '../journal/journal.ts';
import { noteNames, requiredNote } from '../journal/noted.ts';
import type { NoteName } from '../journal/notes.ts';

/**
 * Looked at as a copy first: one that this version cannot read whole stays, byte for byte, as another version wrote it.
 * Bringing it into this version's form would keep that version from reading it.
 * @throws {Failure<MigrateProblem>} journal-unreadable, already-running
 */
export function openForWork(state: string): Journal {
  const copy = readJournal(state);
  try {
    const latest = copy?.latest();
    if (copy !== undefined && latest !== undefined && !hasEnded(latest)) requireReadable(copy, latest);
  } finally {
    copy?.close();
  }
  return openJournal(state);
}

/** Found in the middle of a rollback, the rest of it could not be done. */
function requireReadable(journal: Journal, { id: run, phase }: JournalRun): void {
  journal.plan(run);
  for (const { step, memo } of journal.steps(run)) parseMemo(step, memo, { journal, run });
  for (const name of Object.values(noteNames)) journal.noted(run, name);
  for (const name of writtenBy(journal, run, phase)) requiredNote(journal, run, name);
}

/** Notes that such a run has by now. */
function writtenBy(journal: Journal, run: string, phase: JournalRun['phase']): NoteName[] {
  const knowsPower = journal
    .steps(run)
    .some(({ step, state }) => step.kind === 'record-power' && state === 'done');
  return [
    noteNames.pins,
    ...(knowsPower ? [noteNames.power] : []),
    ...(phase === 'purging' ? [noteNames.purge] : []),
  ];
}
