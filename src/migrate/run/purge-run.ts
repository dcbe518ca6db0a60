// Removes LXD after a move, as it was listed before the user said "go", and writes down how far that came.
import { noteNames } from '../journal/noted.ts';
import type { Plan } from '../model/plan.ts';
import { type Purge, purgeSource, refuseMoreThanListed } from './purge-source.ts';
import type { RunWork } from './run-work.ts';

type PurgeWork = Pick<RunWork, 'host' | 'journal' | 'run' | 'say'> & { readonly plan: Plan };

/** From the first file on there is no way back, however far it gets. @throws where there is more by now than was listed */
export async function purgeRun(work: PurgeWork, listed: Purge): Promise<void> {
  const { host, plan, journal, run } = work;
  await refuseMoreThanListed(host, plan, listed);
  journal.note(run, noteNames.purge, listed);
  await goOnPurging(work, listed);
}

/** Also after an interruption: what is gone already is passed over. */
export async function goOnPurging(
  { host, plan, journal, run, say }: PurgeWork,
  listed: Purge,
): Promise<void> {
  journal.enter(run, 'purging', host.now());
  await purgeSource(host, plan, listed, (text) => say(`removing ${text}`));
  journal.enter(run, 'purged', host.now());
}
