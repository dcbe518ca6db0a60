// Steps that put things in order once Incus runs: boot.autostart given back, backup.yaml and db.bin written anew.
import { Failure } from '../../../core/failure.ts';
import { onTheirWay } from '../../../core/on-their-way.ts';
import { readDatabase, writeDump } from '../../../dqlite/index.ts';
import { refreshBackupFiles } from '../../backup-files/refresh-backup-files.ts';
import { answeringSocket } from '../../daemon/answering-socket.ts';
import { daemonClient } from '../../daemon/client.ts';
import { rememberingClient } from '../../daemon/remembering-client.ts';
import { noteNames } from '../../journal/noted.ts';
import type { Step } from '../../model/step.ts';
import { migrateFailure } from '../../problem.ts';
import { instancePath } from '../power.ts';
import type { StepHandler } from '../step-handler.ts';
import { withoutSecrets } from './daemons.ts';

export const releaseAutostartStep: StepHandler<Extract<Step, { kind: 'release-autostart' }>> = {
  async apply({ step, context }) {
    const held = context.journal.noted(context.run, noteNames.held) ?? [];
    if (held.length === 0) return;
    const socket = await answeringSocket(context.host, step.daemon);
    if (socket === undefined)
      throw migrateFailure({ code: 'daemon-silent', daemon: 'Incus', limitMs: 0, lastLines: [] });
    const client = daemonClient(context.host, socket, context.size);
    for (const { project, name, autostart } of held) {
      const path = instancePath(`${project}/${name}`);
      const instance = (await client.get(path)) as { config: Record<string, string> } & Record<
        string,
        unknown
      >;
      const { 'boot.autostart': _held, ...config } = instance.config;
      // A PATCH cannot remove a key, so the whole object goes back.
      await client.change(path, 'PUT', {
        architecture: instance['architecture'],
        config: autostart === null ? config : { ...config, 'boot.autostart': autostart },
        description: instance['description'],
        devices: instance['devices'],
        ephemeral: instance['ephemeral'],
        profiles: instance['profiles'],
        stateful: instance['stateful'],
      });
      context.say(`${project}/${name}`);
    }
  },
  undo() {},
};

export const refreshBackupFilesStep: StepHandler<Extract<Step, { kind: 'refresh-backup-files' }>> = {
  async apply({ step, context }) {
    const socket = await answeringSocket(context.host, step.daemon);
    if (socket === undefined)
      throw migrateFailure({ code: 'daemon-silent', daemon: 'Incus', limitMs: 0, lastLines: [] });
    const refreshing = refreshBackupFiles(
      context.host,
      rememberingClient(daemonClient(context.host, socket, context.size), context.saidByTarget),
      step.daemon.dataDirectory,
    );
    refreshing.catch(() => {});
    // The daemon needs a second for the first answer where there are thousands of instances.
    await onTheirWay();
    context.prepareVerification();
    const failed = await refreshing;
    // A file that stays as LXD wrote it stops nothing: verify says which.
    context.journal.note(
      context.run,
      noteNames.notRefreshed,
      failed.map((one) => ({ ...one, error: withoutSecrets(context, one.error) })),
    );
    context.say(failed.length === 0 ? 'all written' : `${failed.length} not written`);
  },
  undo() {},
};

/**
 * What was installed has the schema of LXD. Incus writes its own at its first clean stop; without power before that, a
 * boot would find tables that it cannot ask, and start nothing.
 */
export const writeDumpStep: StepHandler<Extract<Step, { kind: 'write-dump' }>> = {
  apply({ step, context: { host, warn } }) {
    const folder = host.path(step.folder);
    try {
      writeDump(folder, readDatabase(folder).bytes);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      warn(
        `${step.folder}/db.bin could not be written (${error.message}); stop and start Incus once, so that it writes it itself`,
      );
    }
  },
  undo() {},
};
