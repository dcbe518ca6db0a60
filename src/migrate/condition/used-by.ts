// What hangs on a pool or a network.

import { isTrue } from '../is-true.ts';
import type { Devices, Inventory } from '../model/inventory.ts';

/** Instances, volumes, buckets and profiles that a pool holds or serves, as `instance default/c1`. */
export function usersOfPool(inventory: Inventory, pool: string): string[] {
  const instances = inventory.internalVolumes
    .filter((volume) => volume.pool === pool && volume.type !== 'image')
    .map(({ project, name }) => `instance ${project}/${name}`);
  const disks = (devices: Devices): boolean =>
    Object.values(devices).some(({ type, pool: of }) => type === 'disk' && of === pool);
  return unique([
    ...instances,
    ...inventory.instances
      .filter(({ devices }) => disks(devices))
      .map(({ project, name }) => `instance ${project}/${name}`),
    ...inventory.volumes
      .filter((volume) => volume.pool === pool)
      .map(({ project, name }) => `volume ${project}/${name}`),
    ...inventory.buckets
      .filter((bucket) => bucket.pool === pool)
      .map(({ project, name }) => `bucket ${project}/${name}`),
    ...inventory.profiles
      .filter(({ devices }) => disks(devices))
      .map(({ project, name }) => `profile ${project}/${name}`),
  ]);
}

/** Instances and profiles with an interface in a network; an instance also by one of its profiles. */
export function usersOfNetwork(
  inventory: Inventory,
  network: { readonly project: string; readonly name: string },
): string[] {
  // A project without networks of its own uses those of project default.
  const own = new Set(
    inventory.projects.filter(({ config }) => isTrue(config['features.networks'])).map(({ name }) => name),
  );
  const reaches = (project: string): boolean =>
    (project === 'default' || own.has(project) ? project : 'default') === network.project;
  const uses = (devices: Devices): boolean =>
    Object.values(devices).some(
      ({ type, network: of, parent }) => type === 'nic' && (of ?? parent) === network.name,
    );
  const profiles = inventory.profiles.filter(({ project, devices }) => reaches(project) && uses(devices));
  const named = new Set(profiles.map(({ project, name }) => JSON.stringify([project, name])));
  const withProfiles = new Set(
    inventory.projects
      .filter(({ name, config }) => name === 'default' || isTrue(config['features.profiles']))
      .map(({ name }) => name),
  );
  const instances = inventory.instances.filter(
    ({ project, devices, profiles: applied }) =>
      (reaches(project) && uses(devices)) ||
      applied.some((name) =>
        named.has(JSON.stringify([withProfiles.has(project) ? project : 'default', name])),
      ),
  );
  return unique([
    ...instances.map(({ project, name }) => `instance ${project}/${name}`),
    ...profiles.map(({ project, name }) => `profile ${project}/${name}`),
  ]);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
