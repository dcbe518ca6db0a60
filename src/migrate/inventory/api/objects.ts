// Projects, profiles, images, certificates and members, from the answers of a daemon.
import {
  configOf,
  configsOf,
  type Fields,
  fields,
  fieldsList,
  flagOf,
  numberOf,
  rawOf,
  textOf,
  textsOf,
} from '../../daemon/fields.ts';
import type {
  Backup,
  Certificate,
  ClusterGroup,
  Image,
  Member,
  Profile,
  Project,
} from '../../model/inventory.ts';
import { instant } from '../instant.ts';
import { sortBy } from '../order.ts';

/** Last part of `c1/snap0`; some answers give only that. */
export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function listOf<T>(from: Fields, key: string, make: (item: Fields) => T): T[] {
  return fieldsList(rawOf(from, key), `${from.where}.${key}`).map(make);
}

export function toProject(from: Fields): Project {
  return {
    name: textOf(from, 'name'),
    description: textOf(from, 'description'),
    config: configOf(from, 'config'),
  };
}

/** LXD 5.0 does not say of which project a profile is. */
export function toProfile(from: Fields, project: string): Profile {
  return {
    project,
    name: textOf(from, 'name'),
    description: textOf(from, 'description'),
    config: configOf(from, 'config'),
    devices: configsOf(from, 'devices'),
  };
}

export function toBackup(from: Fields, withoutSnapshots: 'instance_only' | 'volume_only'): Backup {
  return {
    name: lastPart(textOf(from, 'name')),
    created: instant(rawOf(from, 'created_at')),
    expires: instant(rawOf(from, 'expires_at')),
    withoutSnapshots: flagOf(from, withoutSnapshots),
    optimized: flagOf(from, 'optimized_storage'),
  };
}

export function toImage(from: Fields, project: string): Image {
  const source = rawOf(from, 'update_source');
  const sourceFields =
    source === undefined || source === null ? undefined : fields(source, `${from.where}.update_source`);
  return {
    project,
    fingerprint: textOf(from, 'fingerprint'),
    filename: textOf(from, 'filename'),
    size: numberOf(from, 'size'),
    type: textOf(from, 'type'),
    architecture: textOf(from, 'architecture'),
    public: flagOf(from, 'public'),
    cached: flagOf(from, 'cached'),
    autoUpdate: flagOf(from, 'auto_update'),
    created: instant(rawOf(from, 'created_at')),
    uploaded: instant(rawOf(from, 'uploaded_at')),
    lastUsed: instant(rawOf(from, 'last_used_at')),
    expires: instant(rawOf(from, 'expires_at')),
    properties: configOf(from, 'properties'),
    aliases: sortBy(
      listOf(from, 'aliases', (alias) => ({
        name: textOf(alias, 'name'),
        description: textOf(alias, 'description'),
      })),
      ({ name }) => name,
    ),
    profiles: textsOf(from, 'profiles').toSorted(),
    source:
      sourceFields === undefined
        ? undefined
        : {
            server: textOf(sourceFields, 'server'),
            protocol: textOf(sourceFields, 'protocol'),
            alias: textOf(sourceFields, 'alias'),
            certificate: textOf(sourceFields, 'certificate'),
          },
    members: undefined,
  };
}

export function toCertificate(from: Fields): Certificate {
  return {
    fingerprint: textOf(from, 'fingerprint'),
    name: textOf(from, 'name'),
    type: textOf(from, 'type'),
    restricted: flagOf(from, 'restricted'),
    description: rawOf(from, 'description') === undefined ? undefined : textOf(from, 'description'),
    projects: textsOf(from, 'projects').toSorted(),
  };
}

export function toMember(from: Fields): Member {
  return {
    name: textOf(from, 'server_name'),
    address: textOf(from, 'url').replace(/^https:\/\//, ''),
    description: textOf(from, 'description'),
    architecture: textOf(from, 'architecture'),
    schema: undefined,
    apiExtensions: undefined,
    failureDomain: textOf(from, 'failure_domain'),
    // Roles of the database are what raft says at the moment, and in no table.
    roles: textsOf(from, 'roles')
      .filter((role) => !role.startsWith('database'))
      .toSorted(),
    config: configOf(from, 'config'),
  };
}

export function toClusterGroup(from: Fields): ClusterGroup {
  return {
    name: textOf(from, 'name'),
    description: textOf(from, 'description'),
    config: configOf(from, 'config'),
    members: textsOf(from, 'members').toSorted(),
  };
}
