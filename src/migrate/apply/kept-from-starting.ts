// What keeps LXD from starting after the move, from what the steps of this run really did.
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { type UnitState, unitStates } from '../detect/systemctl.ts';
import type { Journal } from '../journal/journal.ts';
import { maskedUnits } from './steps/units-memo.ts';

/** Units that the run masked, and still holds masked. */
export function unitsKeptMasked(journal: Journal, run: string): string[] {
  return journal
    .steps(run)
    .flatMap(({ step, state, memo }) =>
      step.kind === 'mask-source' && state === 'done' ? maskedUnits(memo, step.units) : [],
    );
}

/** When the steps have just been done. One or two sentences; with `kept`, LXD's old data is still in its directory. */
export function keptFromStarting(journal: Journal, run: string, kept: boolean): string {
  const units = unitsKeptMasked(journal, run);
  return units.length > 0
    ? `${areMasked(units)}, so that nothing starts LXD: ${otherwise(kept)}.`
    : `Nothing keeps LXD from starting: no unit of it was masked. ${seeToIt(kept)}`;
}

/** The same at any later time: units as systemd has them now. @param cameBack whether something of LXD is there again */
export async function keptFromStartingNow(
  host: Host,
  journal: Journal,
  run: string,
  { kept, cameBack }: { readonly kept: boolean; readonly cameBack: boolean },
): Promise<string> {
  const units = unitsKeptMasked(journal, run);
  if (units.length === 0) return keptFromStarting(journal, run, kept);
  let states: UnitState[];
  try {
    states = await unitStates(host, units);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `The migration masked ${units.join(', ')}; whether they still are could not be asked: ${error.explanation.what}`;
  }
  const open = states.filter(({ enabled }) => enabled !== 'masked' && enabled !== 'not-found');
  if (open.length > 0)
    return `The migration masked ${open.map(({ unit }) => unit).join(', ')}, and now systemd says: ${open.map(({ enabled }) => enabled).join(', ')}. Nothing keeps LXD from starting. ${seeToIt(kept)}`;
  const masked = states.filter(({ enabled }) => enabled === 'masked').map(({ unit }) => unit);
  if (masked.length === 0) return `The units that the migration masked are gone: ${units.join(', ')}.`;
  return cameBack
    ? `${areMasked(masked)}, and something of LXD is there again all the same.`
    : `${areMasked(masked)}, so that nothing starts LXD: ${otherwise(kept)}.`;
}

function areMasked(units: readonly string[]): string {
  return `${units.join(', ')} ${units.length === 1 ? 'is' : 'are'} masked`;
}

function seeToIt(kept: boolean): string {
  return `See to it that nothing starts it: ${otherwise(kept)}.`;
}

function otherwise(kept: boolean): string {
  return kept ? 'it must not run on its old data' : 'started there, it would make a new, empty server';
}
