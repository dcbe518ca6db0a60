// Whether pools, networks, addresses and image files are as they should be, or at least as they were in LXD.
import type { Condition } from '../model/condition.ts';
import type { Check } from '../model/verification.ts';

/** @param before of LXD, before anything of it stopped; undefined where nobody looked */
export function conditionChecks(before: Condition | undefined, now: Condition, imageCount: number): Check[] {
  return [
    ...now.pools.map(({ name, status }) =>
      stateCheck(
        { id: 'pool-available', object: `storage pool ${name}`, good: 'is available' },
        before?.pools.find((one) => one.name === name)?.status,
        status,
      ),
    ),
    ...now.networks.map(({ project, name, status }) =>
      stateCheck(
        { id: 'network-up', object: `network ${project}/${name}`, good: 'is up' },
        before?.networks.find((one) => one.project === project && one.name === name)?.status,
        status,
      ),
    ),
    ...now.addresses.map((address) => addressCheck(before, address)),
    ...imageChecks(before, now, imageCount),
  ];
}

interface Subject {
  readonly id: string;
  readonly object: string;
  readonly good: string;
}

function stateCheck(
  { id, object, good }: Subject,
  before: string | null | undefined,
  now: string | null,
): Check {
  if (now === 'Created') return { id, object, what: good, ok: true };
  const detail = `status ${now ?? 'unknown'}`;
  if (before === null || before === undefined)
    return { id, object, what: good, ok: false, detail: `${detail}; how it was in LXD is not known` };
  if (before === 'Created')
    return { id, object, what: good, ok: false, detail: `${detail}; it was ${before} in LXD` };
  return {
    id,
    object,
    what: `is ${(now ?? 'unknown').toLowerCase()}`,
    ok: true,
    asBefore: true,
    detail: `status ${before} in LXD`,
  };
}

function addressCheck(
  before: Condition | undefined,
  { key, value, holder, who }: Condition['addresses'][number],
): Check {
  const check = { id: 'address-served', object: `${key} ${value}` };
  if (holder === 'daemon') return { ...check, what: 'Incus listens there', ok: true };
  const detail = holder === 'other' ? `it is held by ${who}` : 'nobody listens there';
  const was = before?.addresses.find((one) => one.key === key);
  const unserved = was?.holder === 'other' || (was?.holder === 'nobody' && before?.asked === true);
  return unserved
    ? { ...check, what: 'is not served', ok: true, asBefore: true, detail }
    : { ...check, what: 'Incus listens there', ok: false, detail };
}

function imageChecks(before: Condition | undefined, { images }: Condition, count: number): Check[] {
  const known = new Set(before?.images.map(({ fingerprint }) => fingerprint));
  const checks = images.map(({ fingerprint, problem }): Check => {
    const check = { id: 'image-files', object: `image ${fingerprint}`, detail: problem };
    return known.has(fingerprint)
      ? { ...check, what: 'its files are not as its record says', ok: true, asBefore: true }
      : { ...check, what: 'its files are there, as large as its record says', ok: false };
  });
  const good = count - images.length;
  if (good === 0) return checks;
  return [
    ...checks,
    {
      id: 'image-files',
      object: 'images',
      what: `the files of ${good} image(s) are there, as large as their records say`,
      ok: true,
    },
  ];
}
