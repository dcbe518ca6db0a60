// The step that records whether the source runs. Its undo is the last work of a rollback: the source is as it was in what
// no other step brought back.
import { Failure } from '../../../core/failure.ts';
import { refreshBackupFiles } from '../../backup-files/refresh-backup-files.ts';
import { lookOnceServed } from '../../condition/look-once-served.ts';
import { worseThan } from '../../condition/worse.ts';
import { answeringSocket } from '../../daemon/answering-socket.ts';
import { type DaemonClient, daemonClient } from '../../daemon/client.ts';
import { writeAsRoot } from '../../daemon/write-as-root.ts';
import { noteNames } from '../../journal/noted.ts';
import type { DaemonRef, Step } from '../../model/step.ts';
import { removeMadeByTarget } from '../made-by-target.ts';
import { startAgain } from '../start-again.ts';
import type { ApplyContext, StepHandler } from '../step-handler.ts';

export const recordSourceStep: StepHandler<Extract<Step, { kind: 'record-source' }>> = {
  apply({ step: { daemon }, context: { host, journal, run } }) {
    // Written down with the run as well: something else may end LXD before the first step.
    if (journal.noted(run, noteNames.sourceListened) !== undefined) return;
    const listens = daemon.sockets.some((socket) => host.listener(socket) !== undefined);
    journal.note(run, noteNames.sourceListened, listens);
  },
  undo: ({ step, context }) => settleSource(context, step.daemon),
  undoIsIndependent: true,
  // Something else may have ended LXD, even before any step was begun.
  holdsUndone: async ({ step, context: { host, journal, run } }) =>
    journal.noted(run, noteNames.sourceListened) !== true ||
    (await answeringSocket(host, step.daemon)) !== undefined,
};

/** Can be called again. What does not come to be as it was is left open, and does not end the rollback. */
export async function settleSource(context: ApplyContext, source: DaemonRef): Promise<void> {
  const { host, say, leaveOpen } = context;
  await startAgain(context, source);
  const socket = await answeringSocket(host, source);
  if (socket === undefined) return;
  const client = daemonClient(host, socket, context.size);
  await compareCondition(context, source, client);
  if (!targetStarted(context)) return;
  removeMadeByTarget(host, source.dataDirectory);
  say('LXD writes its own backup.yaml again');
  for (const { project, name, error } of await refreshBackupFiles(host, client, source.dataDirectory))
    context.warn(`instance ${project}/${name}: its backup.yaml is not written again by LXD: ${error}`);
  say('a write as root in every container that runs');
  for (const { project, name, error } of await writeAsRoot(client))
    if (error !== undefined) leaveOpen(`instance ${project}/${name}: its root cannot write: ${error}`);
}

/** What worked in LXD when its record was taken works again. Files of images are where their folder is. */
async function compareCondition(
  { host, journal, run, say, warn, leaveOpen, sourceInventory }: ApplyContext,
  source: DaemonRef,
  client: DaemonClient,
): Promise<void> {
  const before = journal.noted(run, noteNames.condition);
  if (before === undefined) return;
  say('pools, networks and addresses, as they were');
  try {
    const now = await lookOnceServed(host, client, source, { ...sourceInventory(), images: [] }, before);
    const gone = new Set(journal.noted(run, noteNames.acceptedAsGone));
    const left = {
      ...now,
      pools: now.pools.filter(({ name }) => !gone.has(`storage pool ${name}`)),
      networks: now.networks.filter(({ project, name }) => !gone.has(`network ${project}/${name}`)),
      instances: now.instances.filter(({ project, name }) => !gone.has(`instance ${project}/${name}`)),
    };
    for (const line of worseThan(before, left)) leaveOpen(line);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(`LXD could not be asked whether its pools and networks work as before: ${error.message}`);
  }
}

/** Only a target that ran has changed anything of it. */
function targetStarted({ journal, run }: ApplyContext): boolean {
  return journal.steps(run).some(({ step, state }) => step.kind === 'start-daemon' && state !== 'planned');
}
