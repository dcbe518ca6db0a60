// The step that gives boot.autostart back to instances that were kept from starting during the switch.
import type { Held } from '../../convert/index.ts';
import { daemonClient } from '../../daemon/client.ts';
import type { Step } from '../../plan/step.ts';
import { migrateFailure } from '../../problem.ts';
import { instancePath } from '../power.ts';
import { answeringSocket } from '../service-control.ts';
import { noteNames, type StepHandler } from '../step-handler.ts';

export const releaseAutostartStep: StepHandler<Extract<Step, { kind: 'release-autostart' }>> = {
  async apply({ step, context }) {
    const held = (context.journal.noted(context.run, noteNames.held) ?? []) as Held[];
    if (held.length === 0) return;
    const socket = await answeringSocket(context.host, step.daemon);
    if (socket === undefined)
      throw migrateFailure({ code: 'daemon-silent', daemon: 'Incus', limitMs: 0, lastLines: [] });
    const client = daemonClient(context.host, socket);
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
