// Findings about instances that run and could not start again: something of this machine that a device needs is gone.
import type { Host } from '../../core/host.ts';
import { expandedDevices } from '../inventory/expanded-devices.ts';
import { missingForDevice } from '../machine/missing-for-device.ts';
import type { Finding } from '../model/finding.ts';
import type { Inventory } from '../model/inventory.ts';

export interface Starting {
  readonly host: Host;
  /** Instances that run or are frozen now, as `project/name`. */
  readonly running: readonly string[];
  /** Those that would be started where nothing runs. */
  readonly wouldStart: readonly string[];
}

/** Only for the machine on which the server lives. */
export function checkStartable({ host, running, wouldStart }: Starting, inventory: Inventory): Finding[] {
  const live = new Set(running);
  const starting = new Set([...running, ...wouldStart]);
  const objects = inventory.instances
    .filter(({ project, name }) => starting.has(`${project}/${name}`))
    .flatMap((instance) => {
      const object = `instance ${instance.project}/${instance.name}`;
      const runs = live.has(`${instance.project}/${instance.name}`);
      return expandedDevices(inventory, instance).flatMap(({ name, config, profile }) => {
        const missing = missingForDevice({ host, networks: inventory.networks, runs }, config);
        const from = profile === undefined ? '' : ` (of profile ${profile})`;
        return missing === undefined ? [] : [`${object}, device ${name}${from}: ${missing}`];
      });
    });
  if (objects.length === 0) return [];
  return [
    {
      id: 'instance-not-startable',
      severity: 'loss',
      objects,
      what: 'These instances are to run after the move and cannot be started: what a device needs of this machine is gone. Those that run now live on what was there when they started. Once they have stopped, neither Incus nor a rollback can start them again.',
      action:
        'Put it back, remove the device, or set its required to false where it has that key, then plan again. With --accept they are moved as they are, and stay stopped.',
      answers: ['accept'],
    },
  ];
}
