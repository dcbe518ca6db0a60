// What keeps LXD from starting after the move, from what the steps of this run really did.
import type { Journal } from './journal.ts';
import { maskedUnits } from './steps/units-memo.ts';

/** Units that the run masked, and still holds masked. */
export function unitsKeptMasked(journal: Journal, run: string): string[] {
  return journal
    .steps(run)
    .flatMap(({ step, state, memo }) =>
      step.kind === 'mask-source' && state === 'done' ? maskedUnits(memo, step.units) : [],
    );
}

/** One or two sentences; with `kept`, LXD's old data is still in its directory. */
export function keptFromStarting(journal: Journal, run: string, kept: boolean): string {
  const units = unitsKeptMasked(journal, run);
  const otherwise = kept
    ? 'it must not run on its old data'
    : 'started there, it would make a new, empty server';
  return units.length > 0
    ? `${units.join(', ')} ${units.length === 1 ? 'is' : 'are'} masked, so that nothing starts LXD: ${otherwise}.`
    : `Nothing keeps LXD from starting: no unit of it was masked. See to it that nothing starts it: ${otherwise}.`;
}
