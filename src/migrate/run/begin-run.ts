// Begins a run: from here on it is either finished or taken back.
import { dirname } from 'node:path';
import { noteNames } from '../journal/noted.ts';
import type { Answers } from '../model/finding.ts';
import type { FreshRehearsal } from '../model/rehearsal.ts';
import { differsId } from '../rehearse/index.ts';
import { listFolder } from './known-folders.ts';
import { keepPlannedOn } from './planned-on.ts';
import { pruneBefore } from './prune.ts';
import type { RunWork } from './run-work.ts';

/** Writes the run down; from here on it is either finished or taken back. */
export function beginRun(
  { host, plannedOn, journal, run, folder, warn }: RunWork,
  { differences, ...rehearsal }: FreshRehearsal,
  { accept, fix }: Answers,
): void {
  const isAccepted = rehearsal.findings.some((finding) => finding.id === differsId && accept.has(differsId));
  const { plan, pinsFromHost } = plannedOn;
  keepPlannedOn(folder, plannedOn);
  const state = dirname(dirname(folder));
  listFolder(host, state, warn);
  journal.begin(run, plan, plan.steps, host.now(), {
    [noteNames.pins]: [...pinsFromHost],
    [noteNames.rehearsal]: rehearsal,
    [noteNames.answers]: { accept: [...accept], fix, differences: isAccepted ? differences : [] },
    [noteNames.sourceListened]: plan.source.sockets.some((socket) => host.listener(socket) !== undefined),
  });
  pruneBefore(journal, state, run, warn);
}
