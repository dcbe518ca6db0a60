// An instance as it is once boot.autostart, held during the switch, has been given back.
import type { Held } from '../convert/index.ts';
import type { Instance } from '../inventory/inventory.ts';

export function releaseHeld(instance: Instance, held: readonly Held[]): Instance {
  const own = held.find(({ project, name }) => project === instance.project && name === instance.name);
  if (own === undefined) return instance;
  const { 'boot.autostart': _held, ...config } = instance.config;
  return {
    ...instance,
    config: own.autostart === null ? config : { ...config, 'boot.autostart': own.autostart },
  };
}
