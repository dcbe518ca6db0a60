// The devices that an instance has: those of its profiles, in their order, and its own.
import { isTrue } from '../is-true.ts';
import type { Config, Instance, Inventory } from '../model/inventory.ts';

export interface ExpandedDevice {
  readonly name: string;
  readonly config: Config;
  /** The profile that it comes from; undefined: the instance itself has it. */
  readonly profile: string | undefined;
}

/** As both daemons do it (ExpandInstanceDevices of lxd/db): a device takes the place of an earlier one of its name as a whole. */
export function expandedDevices(
  { projects, profiles }: Pick<Inventory, 'projects' | 'profiles'>,
  { project, profiles: applied, devices }: Pick<Instance, 'project' | 'profiles' | 'devices'>,
): ExpandedDevice[] {
  const { config = {} } = projects.find(({ name }) => name === project) ?? {};
  const home = project === 'default' || isTrue(config['features.profiles']) ? project : 'default';
  const found = new Map<string, ExpandedDevice>();
  for (const profile of applied) {
    const own = profiles.find((one) => one.project === home && one.name === profile);
    for (const [name, device] of Object.entries(own?.devices ?? {}))
      found.set(name, { name, config: device, profile });
  }
  for (const [name, device] of Object.entries(devices))
    found.set(name, { name, config: device, profile: undefined });
  return [...found.values()];
}
