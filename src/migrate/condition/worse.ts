// What of a server is worse than it was.
import type { Condition } from '../model/condition.ts';

/**
 * A line each. What nobody could say before or now is not compared, and what is better is not told: a pool that is there
 * again, an address that is served.
 */
export function worseThan(before: Condition, now: Condition): string[] {
  const wasPool = new Map(before.pools.map(({ name, status }) => [name, status]));
  const wasNetwork = new Map(
    before.networks.map(({ project, name, status }) => [`${project}/${name}`, status]),
  );
  const wasInstance = new Set(before.instances.map(({ project, name }) => `${project}/${name}`));
  const wasAddress = new Map(before.addresses.map(({ key, holder }) => [key, holder]));
  const wasImage = new Set(before.images.map(({ fingerprint }) => fingerprint));
  return [
    ...now.pools.flatMap(({ name, status }) => compared(`storage pool ${name}`, wasPool.get(name), status)),
    ...now.networks.flatMap(({ project, name, status }) =>
      compared(`network ${project}/${name}`, wasNetwork.get(`${project}/${name}`), status),
    ),
    ...now.instances
      .filter(({ project, name }) => !wasInstance.has(`${project}/${name}`))
      .map(({ project, name, status }) => `instance ${project}/${name} is now ${status}`),
    ...now.addresses
      .filter(({ key, holder }) => holder !== 'daemon' && wasAddress.get(key) === 'daemon')
      .map(({ key, value, who }) =>
        who === ''
          ? `nobody listens on ${key} (${value}) any more`
          : `${key} (${value}) is now held by ${who}`,
      ),
    ...now.images
      .filter(({ fingerprint }) => !wasImage.has(fingerprint))
      .map(({ fingerprint, problem }) => `image ${fingerprint}: ${problem}`),
  ];
}

function compared(object: string, was: string | null | undefined, is: string | null): string[] {
  if (is === null || was === null || was === undefined || is === was || is === 'Created') return [];
  return [`${object} was ${was} and is ${is}`];
}
