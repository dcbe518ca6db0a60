// Whether LXD, which a rollback would have to start, is still installed.
import { existsSync } from 'node:fs';
import type { Host } from '../../core/host.ts';
import { daemonMemo } from '../apply/steps/units-memo.ts';
import type { Journal } from '../journal/journal.ts';
import type { Finding } from '../model/finding.ts';

/** A finding before anything is taken back: Incus would be stopped, and LXD could not be started. */
export function sourceGone(host: Host, journal: Journal, run: string): Finding[] {
  const stopped = journal
    .steps(run)
    .find(({ step }) => step.kind === 'stop-daemon' && step.daemon.role === 'source');
  if (stopped === undefined || stopped.step.kind !== 'stop-daemon') return [];
  const { program } = stopped.step.daemon;
  const ran = daemonMemo.safeParse(stopped.memo).data?.ran === true;
  if (!ran || stopped.state === 'undone' || program === undefined || existsSync(host.path(program)))
    return [];
  return [
    {
      id: 'source-gone',
      severity: 'loss',
      objects: [program],
      what: "LXD's program is not there any more. A rollback stops Incus and starts LXD.",
      action:
        'Install LXD again, in the version that it had, and then call rollback. With --accept everything is put back, and LXD must be started by you.',
      answers: ['accept'],
    },
  ];
}
