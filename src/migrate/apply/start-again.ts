// Starts a source that ran when a migration began, and that something else than the migration ended.

import { answeringSocket } from '../daemon/answering-socket.ts';
import { noteNames } from '../journal/noted.ts';
import { powerFromProcesses } from '../machine/power-from-processes.ts';
import type { DaemonRef } from '../model/step.ts';
import type { ApplyContext } from './step-handler.ts';
import { restoreExactly, startUntilReady } from './steps/daemons.ts';
import { daemonMemo } from './steps/units-memo.ts';

const startMs = 600_000;

/**
 * After a rollback: the steps start a source that they stopped, but one that was killed before it came to that is dead
 * still while its instances live on. A daemon that starts brings up what has boot.autostart; what ran is what runs then.
 * Where the machine was restarted once the source was disabled, nothing of it runs, and nothing else would start it.
 * @throws {Failure<MigrateProblem>} daemon-did-not-start
 */
export async function startAgain(context: ApplyContext, source: DaemonRef): Promise<void> {
  const { host, journal, run } = context;
  if (journal.noted(run, noteNames.sourceListened) !== true) return;
  if ((await answeringSocket(host, source)) !== undefined) return;
  const power = powerFromProcesses(host, source.dataDirectory);
  const nothingRuns = power.running.length + power.frozen.length === 0;
  if (source.service.kind === 'none' || (nothingRuns && !isLeftDisabled(context))) {
    context.warn('LXD ran when the migration began, has ended by itself since, and is not started: start it');
    return;
  }
  if (nothingRuns) {
    context.warn('LXD has ended while the migration kept it from starting, and is started again');
    const socket = await startUntilReady(context, source, startMs);
    const recorded = journal.noted(run, noteNames.power);
    // Before that was written down, nothing was stopped: LXD itself knows what ran.
    if (recorded !== undefined) await restoreExactly(context, source, socket, recorded);
    return;
  }
  context.warn('LXD has ended while its instances run, and is started again');
  const socket = await startUntilReady(context, source, startMs);
  await restoreExactly(context, source, socket, { ...power, daemonRan: true });
}

/**
 * Whether the run has kept it from starting with the machine, undone by now or not, and has not stopped it itself: then that
 * step starts it again, or says why it does not come up.
 */
function isLeftDisabled({ journal, run }: ApplyContext): boolean {
  const begun = journal.steps(run).filter(({ state }) => state !== 'planned');
  const stopped = begun.some(
    ({ step, memo }) =>
      step.kind === 'stop-daemon' &&
      step.daemon.role === 'source' &&
      daemonMemo.safeParse(memo).data?.ran === true,
  );
  return !stopped && begun.some(({ step }) => step.kind === 'disable-source');
}
