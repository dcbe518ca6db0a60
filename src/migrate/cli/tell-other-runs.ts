// What a command says of migrations that another state folder holds, on lines of their own.
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { ownCommand } from '../../core/program-name.ts';
import { inert } from '../../core/text.ts';
import { commandOn } from '../command-on.ts';
import { hasEnded } from '../journal/journal.ts';
import { describeState, possible } from '../journal/run-state.ts';
import { listOfFolders } from '../run/known-folders.ts';
import { type LostFolder, type OtherRun, otherRuns } from '../run/other-runs.ts';

type Asking = 'status' | 'resume' | 'rollback' | 'verify';

/** Nothing where every other folder's latest run was rolled back or purged. */
export function tellOtherRuns(host: Host, state: string, command: Asking, output: Output): void {
  const others = otherRuns(host, state, (text) => output.message(text)).filter(
    (one) => one.kind !== 'run' || !hasEnded(one.run),
  );
  if (others.length === 0) return;
  output.event({
    event: 'other-runs',
    folders: others.map((one) =>
      one.kind === 'run'
        ? {
            folder: one.folder,
            run: one.run.id,
            state: one.state.phase,
            ...(one.state.failed === undefined ? {} : { failed: one.state.failed }),
          }
        : { folder: one.folder, lost: one.kind, why: one.why, finished: one.finished },
    ),
  });
  for (const one of others) output.line(one.kind === 'run' ? runLines(one, command) : lostLines(one));
}

function runLines({ folder, run, state }: OtherRun, command: Asking): string {
  return [
    `The state folder ${inert(folder)} holds another migration (${inert(run.id)}). ${describeState(state)}.`,
    `  ${inert(wayOf(folder, command, possible(state)))}`,
  ].join('\n');
}

function wayOf(folder: string, command: Asking, can: ReturnType<typeof possible>): string {
  if (command === 'resume' && can.resume) return `"${commandOn(folder, 'resume')}" goes on with it.`;
  if (command === 'rollback' && can.rollback) return `"${commandOn(folder, 'rollback')}" brings LXD back.`;
  if (command === 'verify' && can.verify) return `"${commandOn(folder, 'verify')}" checks it.`;
  return `"${commandOn(folder, 'status')}" says more.`;
}

function lostLines({ kind, folder, why, finished }: LostFolder): string {
  const shown = inert(folder);
  if (kind !== 'gone')
    return `A migration was begun in the state folder ${shown}, which cannot be looked at: ${inert(why)}`;
  const unmounted = 'Where the folder lies on a file system that is not mounted, mount it';
  return finished
    ? `The migration in the state folder ${shown} was finished, and ${why} any more: without it, it cannot be rolled back.\n  ${unmounted}; where it is lost, "${ownCommand('prune')}" takes it out of the list.`
    : `A migration was begun in the state folder ${shown}, and ${why} any more. It is not known to be finished or rolled back.\n  ${unmounted}; where it is lost, take it out of ${listOfFolders}.`;
}
