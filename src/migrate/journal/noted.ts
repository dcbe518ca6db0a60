// What is noted of a run, by names.
import type { PowerRecord } from '../model/power.ts';
import { migrateFailure } from '../problem.ts';
import { type GivenAnswers, noAnswers } from './given-answers.ts';
import type { Journal } from './journal.ts';
import type { NoteName, NoteValue, StoredPower } from './notes.ts';

/** Names of the facts that steps leave for later ones. */
export const noteNames = {
  power: 'power',
  /** How the source was before anything of it stopped (model/condition.ts). */
  condition: 'condition',
  pins: 'pins',
  rehearsal: 'rehearsal',
  answers: 'answers',
  /** Whether somebody listened on the source's socket when the run began. */
  sourceListened: 'source-listened',
  idmaps: 'idmaps-of-target',
  held: 'held',
  outcomes: 'power-outcomes',
  notRefreshed: 'backup-files-not-refreshed',
  acceptedAsGone: 'accepted-as-gone',
  leftOpen: 'left-open',
  purge: 'purge',
  // When the last instance was gone and when the target answered: the bench reads what is between.
  instancesGoneAt: 'instances-gone-at',
  apiAnsweredAt: 'api-answered-at',
} as const;

/** What a user answered to findings when the run began; runs of the first format have none. */
export function givenAnswers(journal: Journal, run: string): GivenAnswers {
  return journal.noted(run, noteNames.answers) ?? noAnswers;
}

/** A note that the run has by now, since a step that is done has left it. */
export function requiredNote<N extends NoteName>(journal: Journal, run: string, name: N): NoteValue<N> {
  const noted = journal.noted(run, name);
  if (noted !== undefined) return noted;
  throw migrateFailure({
    code: 'journal-unreadable',
    path: journal.path,
    what: `the note ${name} of run ${run}`,
    why: 'it is missing',
    writtenBy: journal.writtenBy(run),
  });
}

export function toPowerRecord(stored: StoredPower): PowerRecord {
  return { running: new Set(stored.running), frozen: new Set(stored.frozen) };
}
