// The network devices that each instance really has: those of its profiles in their order, and its own, which win.
import type { Database } from 'better-sqlite3';
import { effectiveProjects, instanceName } from './broken.ts';
import { deviceValues } from './device-values.ts';

export interface ExpandedNic {
  /** `instance PROJECT/NAME, device NAME`. */
  readonly object: string;
  /** What it is given, or LXD once gave it; '' where neither. */
  readonly mac: string;
  readonly addresses: readonly string[];
  /** The network or the interface it is on; '' where it names none. */
  readonly network: string;
  /** Networks of one name in two projects are two. */
  readonly networkProject: string;
}

interface Device {
  readonly object: string;
  readonly name: string;
  readonly instance: number;
  readonly networkProject: number;
  readonly isNic: boolean;
  /** Of its row; own devices and those of profiles are counted apart. */
  readonly key: string;
}

export function expandedNics(db: Database): ExpandedNic[] {
  const config = deviceValues(db, ['hwaddr', 'network', 'parent', 'ipv4.address', 'ipv6.address']);
  const volatile = volatileMacs(db);
  return applied(db).map(({ object, name, instance, networkProject, key }) => {
    const values = config.get(key) ?? new Map<string, string>();
    const value = (of: string): string => values.get(of) ?? '';
    const managed = value('network');
    return {
      object,
      mac: (value('hwaddr') || (volatile.get(`${instance} ${name}`) ?? '')).toLowerCase(),
      addresses: ['ipv4.address', 'ipv6.address'].flatMap((of) => listed(value(of))),
      network: managed || value('parent'),
      networkProject: managed === '' ? '' : String(networkProject),
    };
  });
}

/** Rows come in the order in which they apply, so that the last one of a name counts (both projects' ExpandInstanceDevices). */
function applied(db: Database): Device[] {
  const rows = db
    .prepare<[], [number, string, number, string, string, number]>(
      `${effectiveProjects('features.networks')}, devices AS (
         SELECT ip.instance_id AS instance_id, d.name AS name, d.type AS type, 'p' || d.id AS key, 0 AS own, ip.apply_order AS place, ip.id AS id
           FROM instances_profiles ip JOIN profiles_devices d ON d.profile_id = ip.profile_id
         UNION ALL SELECT instance_id, name, type, 'i' || id, 1, 0, id FROM instances_devices)
       SELECT d.instance_id, d.name, d.type, d.key, ${instanceName}, e.owner_id FROM devices d
         JOIN instances i ON i.id = d.instance_id JOIN projects p ON p.id = i.project_id JOIN effective e ON e.project_id = p.id
        ORDER BY d.own, d.place, d.id`,
    )
    .raw()
    .all();
  const devices = new Map<string, Device>();
  for (const [instance, name, type, key, owner, networkProject] of rows)
    devices.set(`${instance} ${name}`, {
      object: `${owner}, device ${name}`,
      name,
      instance,
      networkProject,
      isNic: type === 1,
      key,
    });
  return [...devices.values()].filter(({ isNic }) => isNic);
}

/** By instance and device. */
function volatileMacs(db: Database): ReadonlyMap<string, string> {
  const rows = db
    .prepare<[], [number, string, string]>(
      "SELECT instance_id, key, coalesce(value, '') FROM instances_config WHERE key GLOB 'volatile.*.hwaddr'",
    )
    .raw()
    .all();
  return new Map(
    rows.map(([instance, key, value]) => [
      `${instance} ${key.slice('volatile.'.length, -'.hwaddr'.length)}`,
      String(value),
    ]),
  );
}

/** Routed devices take several. */
function listed(value: string): string[] {
  return value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => !['', 'none', 'auto'].includes(one));
}
