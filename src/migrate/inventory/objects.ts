// An inventory as a flat list of objects with named fields, the form in which two of them are compared.
import type {
  Backup,
  Config,
  Devices,
  Entry,
  Instance,
  InternalVolume,
  Inventory,
  NetworkZone,
  Volume,
} from '../model/inventory.ts';

export interface Field {
  /** The key by which it is told whether the value may be shown. */
  readonly key: string;
  /** undefined: not known in this inventory. */
  readonly value: string | undefined;
}

export interface ObjectFields {
  readonly kind: string;
  /** Of its kind, unique in an inventory. */
  readonly name: string;
  /** Name of the object that it is a part of; empty for none. */
  readonly parent: string;
  readonly fields: ReadonlyMap<string, Field>;
}

export interface Objects {
  readonly list: readonly ObjectFields[];
  /** Kinds of part, with the parent's name, of which this inventory does not know whether there are any. */
  readonly unknown: ReadonlySet<string>;
}

export function partsOf(kind: string, parent: string): string {
  return JSON.stringify([kind, parent]);
}

export function objectsOf(inventory: Inventory): Objects {
  const list: ObjectFields[] = [];
  const unknown = new Set<string>();
  const add = (kind: string, name: string, fields: ReadonlyMap<string, Field>, parent = ''): void => {
    list.push({ kind, name, parent, fields });
  };
  const known = <T>(kind: string, parent: string, parts: readonly T[] | undefined): readonly T[] => {
    if (parts === undefined) unknown.add(partsOf(kind, parent));
    return parts ?? [];
  };
  const addBackups = (kind: string, parent: string, backups: readonly Backup[] | undefined): void => {
    for (const backup of known(kind, parent, backups))
      add(kind, `${parent}/${backup.name}`, fieldsOf(plain(backup, ['name'])), parent);
  };
  const addWithMembers = (
    kind: string,
    name: string,
    fields: ReadonlyMap<string, Field>,
    memberConfig: Readonly<Record<string, Config>> | undefined,
  ): void => {
    add(kind, name, fields);
    const part = `configuration of ${kind}`;
    const members = memberConfig === undefined ? undefined : Object.entries(memberConfig);
    for (const [member, config] of known(part, name, members))
      add(part, `${name} on ${member}`, fieldsOf(configFields('config', config)), name);
  };
  const several = inventory.members !== undefined && inventory.members.length > 1;

  add('server', '', fieldsOf(configFields('config', inventory.server.config)));
  for (const { name, ...rest } of inventory.projects) add('project', name, fieldsOf(described(rest)));
  for (const { project, name, devices, ...rest } of inventory.profiles)
    add('profile', `${project}/${name}`, fieldsOf(described(rest), deviceFields(devices)));
  for (const instance of inventory.instances) addInstance(add, known, addBackups, instance);
  for (const { name, memberConfig, ...rest } of inventory.pools)
    addWithMembers('storage pool', name, fieldsOf(described(rest)), memberConfig);
  for (const volume of inventory.volumes) addVolume(add, known, addBackups, volume, several);
  for (const volume of inventory.internalVolumes) addInternalVolume(add, known, volume, several);
  for (const { pool, project, name, member, keys, ...rest } of inventory.buckets) {
    const id = placed(`${pool}/${project}/${name}`, member, several);
    add('bucket', id, fieldsOf(described(rest), [['member', member]]));
    for (const key of keys) add('bucket key', `${id}/${key.name}`, fieldsOf(plain(key, ['name'])), id);
  }
  for (const { project, name, memberConfig, ...rest } of inventory.networks)
    addWithMembers('network', `${project}/${name}`, fieldsOf(described(rest)), memberConfig);
  for (const { project, name, ingress, egress, ...rest } of inventory.acls)
    add(
      'network ACL',
      `${project}/${name}`,
      fieldsOf(described(rest), entryFields('ingress', ingress), entryFields('egress', egress)),
    );
  for (const zone of inventory.zones) addZone(add, zone);
  for (const { project, network, listenAddress, member, ports, ...rest } of inventory.forwards)
    add(
      'network forward',
      placed(`${project}/${network}/${listenAddress}`, member, several),
      fieldsOf(described(rest), [['member', member]], entryFields('ports', ports)),
    );
  for (const { project, network, listenAddress, member, ports, backends, ...rest } of inventory.loadBalancers)
    add(
      'load balancer',
      placed(`${project}/${network}/${listenAddress}`, member, several),
      fieldsOf(
        described(rest),
        [['member', member]],
        entryFields('ports', ports),
        entryFields('backends', backends),
      ),
    );
  for (const { project, network, name, ...rest } of inventory.peers)
    add('network peer', `${project}/${network}/${name}`, fieldsOf(described(rest)));
  for (const {
    project,
    fingerprint,
    properties,
    aliases,
    profiles,
    source,
    members,
    ...rest
  } of inventory.images)
    add(
      'image',
      `${project}/${fingerprint}`,
      fieldsOf(
        plain(rest),
        configFields('properties', properties),
        aliases.map((alias): NamedValue => [`aliases.${alias.name}`, alias.description]),
        [
          ['profiles', listText(profiles)],
          ['members', members === undefined ? undefined : listText(members)],
        ],
        configFields('source', { ...source }),
      ),
    );
  for (const { fingerprint, projects, ...rest } of inventory.certificates)
    add('certificate', fingerprint, fieldsOf(plain(rest), [['projects', listText(projects)]]));
  for (const { name, roles, config, schema: _schema, apiExtensions: _api, ...rest } of known(
    'member',
    '',
    inventory.members,
  ))
    add('member', name, fieldsOf(plain(rest), configFields('config', config), [['roles', listText(roles)]]));
  for (const { name, members, ...rest } of known('cluster group', '', inventory.clusterGroups))
    add('cluster group', name, fieldsOf(described(rest), [['members', listText(members)]]));
  return { list, unknown };
}

type Add = (kind: string, name: string, fields: ReadonlyMap<string, Field>, parent?: string) => void;
type Known = <T>(kind: string, parent: string, parts: readonly T[] | undefined) => readonly T[];
type AddBackups = (kind: string, parent: string, backups: readonly Backup[] | undefined) => void;

function addInstance(add: Add, known: Known, addBackups: AddBackups, instance: Instance): void {
  const { project, name, config, devices, profiles, snapshots, backups, status: _status, ...rest } = instance;
  const id = `${project}/${name}`;
  add(
    'instance',
    id,
    fieldsOf(plain(rest), configFields('config', config), deviceFields(devices), [
      ['profiles', listText(profiles)],
    ]),
  );
  for (const { name: snapshot, config: own, devices: ownDevices, ...more } of known(
    'instance snapshot',
    id,
    snapshots,
  ))
    add(
      'instance snapshot',
      `${id}/${snapshot}`,
      fieldsOf(plain(more), configFields('config', own), deviceFields(ownDevices)),
      id,
    );
  addBackups('instance backup', id, backups);
}

function addVolume(add: Add, known: Known, addBackups: AddBackups, volume: Volume, several: boolean): void {
  const { pool, project, name, snapshots, backups, ...rest } = volume;
  const id = placed(`${pool}/${project}/${name}`, volume.member, several);
  add('volume', id, fieldsOf(described(rest)));
  for (const { name: snapshot, ...more } of known('volume snapshot', id, snapshots))
    add('volume snapshot', `${id}/${snapshot}`, fieldsOf(described(more)), id);
  addBackups('volume backup', id, backups);
}

function addInternalVolume(add: Add, known: Known, volume: InternalVolume, several: boolean): void {
  const { pool, project, name, type, snapshots, ...rest } = volume;
  const id = placed(`${pool}/${project}/${name}`, volume.member, several);
  add(`${type} volume`, id, fieldsOf(described(rest)));
  for (const snapshot of known(`${type} volume snapshot`, id, snapshots))
    add(
      `${type} volume snapshot`,
      `${id}/${snapshot.name}`,
      fieldsOf(configFields('config', snapshot.config)),
      id,
    );
}

function addZone(add: Add, { project, name, records, ...rest }: NetworkZone): void {
  const id = `${project}/${name}`;
  add('network zone', id, fieldsOf(described(rest)));
  for (const { name: record, entries, ...more } of records)
    add(
      'network zone record',
      `${id}/${record}`,
      fieldsOf(described(more), entryFields('entries', entries)),
      id,
    );
}

/** In a cluster, objects of one name may stand on several members. */
function placed(id: string, member: string, several: boolean): string {
  return several && member !== '' ? `${id} on ${member}` : id;
}

type NamedValue = readonly [field: string, value: string | undefined, key?: string];

function fieldsOf(...groups: readonly (readonly NamedValue[])[]): ReadonlyMap<string, Field> {
  return new Map(groups.flat().map(([field, value, key]) => [field, { key: key ?? field, value }]));
}

/** Fields with one value each. */
function plain(object: object, without: readonly string[] = []): NamedValue[] {
  return Object.entries(object)
    .filter(([field]) => !without.includes(field))
    .map(
      ([field, value]: [string, unknown]): NamedValue => [
        field,
        value === undefined ? undefined : value === null ? '' : String(value),
      ],
    );
}

/** Fields with one value each, and the configuration. */
function described({ config, ...rest }: { readonly config: Config }): NamedValue[] {
  return [...plain(rest), ...configFields('config', config)];
}

function configFields(name: string, config: Config): NamedValue[] {
  return Object.entries(config).map(([key, value]): NamedValue => [`${name}.${key}`, value, key]);
}

function deviceFields(devices: Devices): NamedValue[] {
  return Object.entries(devices).flatMap(([device, config]) => configFields(`devices.${device}`, config));
}

function entryFields(name: string, entries: readonly Entry[]): NamedValue[] {
  return entries.map((entry, index): NamedValue => [`${name}.${index + 1}`, JSON.stringify(entry)]);
}

function listText(list: readonly string[]): string {
  return JSON.stringify(list);
}
