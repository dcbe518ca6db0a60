// An instance as it is once boot.autostart, held during the switch, has been given back.

import type { Instance } from '../model/inventory.ts';
import type { Held } from '../model/power.ts';

export function releaseHeld(instance: Instance, held: readonly Held[]): Instance {
  const own = held.find(({ project, name }) => project === instance.project && name === instance.name);
  if (own === undefined) return instance;
  const { 'boot.autostart': _held, ...config } = instance.config;
  return {
    ...instance,
    config: own.autostart === null ? config : { ...config, 'boot.autostart': own.autostart },
  };
}
