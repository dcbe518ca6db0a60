// What `inspect` prints: tables for people, one object for programs; confidential values only where they were asked for.
import { formatBytes, formatTable, inertJson } from '../../core/text.ts';
import type { Config, Devices, Entry, Instant, Inventory } from '../model/inventory.ts';
import { redactInventory } from './redact-inventory.ts';

export interface RenderOptions {
  /** Confidential values as they are; for a terminal only. */
  readonly showValues?: boolean;
}

export function inventoryJson(inventory: Inventory, options: RenderOptions = {}): string {
  return `${inertJson(options.showValues === true ? inventory : redactInventory(inventory), 2)}\n`;
}

interface Section {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function inventoryText(inventory: Inventory, options: RenderOptions = {}): string {
  const shown = options.showValues === true ? inventory : redactInventory(inventory);
  const parts = sections(shown)
    .filter(({ rows }) => rows.length > 0)
    .map(({ title, head, rows }) => `${title} (${rows.length})\n${indent(formatTable(head, rows))}`);
  return `${[summary(shown), ...parts].join('\n\n')}\n`;
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}

function summary(inventory: Inventory): string {
  const counts: readonly (readonly [number, string, string])[] = [
    [inventory.instances.length, 'instance', 'instances'],
    [inventory.volumes.length, 'custom volume', 'custom volumes'],
    [inventory.images.length, 'image', 'images'],
    [inventory.networks.length, 'network', 'networks'],
    [inventory.pools.length, 'storage pool', 'storage pools'],
    [inventory.projects.length, 'project', 'projects'],
  ];
  const schema = inventory.schema === undefined ? '' : `Schema ${inventory.schema}: `;
  return `${schema}${counts.map(([count, one, many]) => `${count} ${count === 1 ? one : many}`).join(', ')}.`;
}

function sections(inventory: Inventory): Section[] {
  return [
    ...serverSections(inventory),
    ...instanceSections(inventory),
    ...storageSections(inventory),
    ...networkSections(inventory),
    configurationSection(inventory),
    deviceSection(inventory),
    {
      title: 'Other tables',
      head: ['TABLE', 'ROWS'],
      rows: (inventory.otherTables ?? []).map(({ table, rows }) => [table, String(rows)]),
    },
  ];
}

function serverSections({ server, members, clusterGroups, projects, certificates }: Inventory): Section[] {
  return [
    {
      title: 'Server configuration',
      head: ['KEY', 'VALUE'],
      rows: Object.entries(server.config).map(([key, value]) => [key, short(value)]),
    },
    {
      title: 'Members',
      head: ['NAME', 'ADDRESS', 'ARCHITECTURE', 'SCHEMA', 'API', 'ROLES'],
      rows: (members ?? []).map((member) => [
        member.name,
        member.address,
        member.architecture,
        String(member.schema ?? ''),
        String(member.apiExtensions ?? ''),
        member.roles.join(' '),
      ]),
    },
    {
      title: 'Cluster groups',
      head: ['NAME', 'MEMBERS', 'DESCRIPTION'],
      rows: (clusterGroups ?? []).map((group) => [
        group.name,
        group.members.join(' '),
        short(group.description),
      ]),
    },
    {
      title: 'Projects',
      head: ['NAME', 'CONFIGURATION', 'DESCRIPTION'],
      rows: projects.map((project) => [project.name, pairs(project.config), short(project.description)]),
    },
    {
      title: 'Trusted certificates',
      head: ['FINGERPRINT', 'NAME', 'TYPE', 'RESTRICTED TO'],
      rows: certificates.map((certificate) => [
        certificate.fingerprint.slice(0, 12),
        certificate.name,
        certificate.type,
        certificate.restricted ? certificate.projects.join(' ') || 'no project' : '',
      ]),
    },
  ];
}

function instanceSections({ instances, profiles, images }: Inventory): Section[] {
  return [
    {
      title: 'Instances',
      head: ['PROJECT', 'NAME', 'TYPE', 'STATE', 'PROFILES', 'SNAPSHOTS', 'BACKUPS', 'MEMBER', 'CREATED'],
      rows: instances.map((instance) => [
        instance.project,
        instance.name,
        instance.type,
        [
          instance.status ?? instance.config['volatile.last_state.power'] ?? '',
          instance.ephemeral ? 'ephemeral' : '',
          instance.stateful ? 'saved state' : '',
        ]
          .filter((word) => word !== '')
          .join(', '),
        instance.profiles.join(' '),
        String(instance.snapshots?.length ?? ''),
        String(instance.backups?.length ?? ''),
        instance.member,
        day(instance.created),
      ]),
    },
    {
      title: 'Profiles',
      head: ['PROJECT', 'NAME', 'DEVICES', 'DESCRIPTION'],
      rows: profiles.map((profile) => [
        profile.project,
        profile.name,
        Object.keys(profile.devices).join(' '),
        short(profile.description),
      ]),
    },
    {
      title: 'Images',
      head: ['PROJECT', 'FINGERPRINT', 'ALIASES', 'TYPE', 'SIZE', 'FLAGS', 'UPLOADED'],
      rows: images.map((image) => [
        image.project,
        image.fingerprint.slice(0, 12),
        image.aliases.map(({ name }) => name).join(' '),
        image.type,
        formatBytes(image.size),
        [image.public ? 'public' : '', image.cached ? 'cached' : '', image.autoUpdate ? 'auto-update' : '']
          .filter((word) => word !== '')
          .join(' '),
        day(image.uploaded),
      ]),
    },
  ];
}

function storageSections({ pools, volumes, internalVolumes, buckets }: Inventory): Section[] {
  return [
    {
      title: 'Storage pools',
      head: ['NAME', 'DRIVER', 'STATE', 'VOLUMES OF INSTANCES AND IMAGES', 'CONFIGURATION'],
      rows: pools.map((pool) => [
        pool.name,
        pool.driver,
        pool.state,
        String(internalVolumes.filter((volume) => volume.pool === pool.name).length),
        [
          pairs(pool.config),
          ...Object.entries(pool.memberConfig ?? {}).map(([member, own]) => `${member}: ${pairs(own)}`),
        ]
          .filter((text) => text !== '')
          .join('; '),
      ]),
    },
    {
      title: 'Custom volumes',
      head: ['PROJECT', 'POOL', 'NAME', 'CONTENT', 'SNAPSHOTS', 'BACKUPS', 'MEMBER', 'CONFIGURATION'],
      rows: volumes.map((volume) => [
        volume.project,
        volume.pool,
        volume.name,
        volume.contentType,
        String(volume.snapshots?.length ?? ''),
        String(volume.backups?.length ?? ''),
        volume.member,
        pairs(volume.config),
      ]),
    },
    {
      title: 'Buckets',
      head: ['PROJECT', 'POOL', 'NAME', 'KEYS', 'CONFIGURATION'],
      rows: buckets.map((bucket) => [
        bucket.project,
        bucket.pool,
        bucket.name,
        bucket.keys.map(({ name, role }) => `${name} (${role})`).join(' '),
        pairs(bucket.config),
      ]),
    },
  ];
}

function networkSections(inventory: Inventory): Section[] {
  return [
    {
      title: 'Networks',
      head: ['PROJECT', 'NAME', 'TYPE', 'STATE', 'CONFIGURATION'],
      rows: inventory.networks.map((network) => [
        network.project,
        network.name,
        network.type,
        network.state,
        [
          pairs(network.config),
          ...Object.entries(network.memberConfig ?? {}).map(([member, own]) => `${member}: ${pairs(own)}`),
        ]
          .filter((text) => text !== '')
          .join('; '),
      ]),
    },
    {
      title: 'Network ACLs',
      head: ['PROJECT', 'NAME', 'INGRESS', 'EGRESS'],
      rows: inventory.acls.map((acl) => [acl.project, acl.name, rules(acl.ingress), rules(acl.egress)]),
    },
    {
      title: 'Network zones',
      head: ['PROJECT', 'NAME', 'RECORDS', 'CONFIGURATION'],
      rows: inventory.zones.map((zone) => [
        zone.project,
        zone.name,
        zone.records.map(({ name }) => name).join(' '),
        pairs(zone.config),
      ]),
    },
    {
      title: 'Network forwards',
      head: ['PROJECT', 'NETWORK', 'ADDRESS', 'PORTS', 'CONFIGURATION'],
      rows: inventory.forwards.map((forward) => [
        forward.project,
        forward.network,
        forward.listenAddress,
        rules(forward.ports),
        pairs(forward.config),
      ]),
    },
    {
      title: 'Load balancers',
      head: ['PROJECT', 'NETWORK', 'ADDRESS', 'BACKENDS', 'PORTS'],
      rows: inventory.loadBalancers.map((balancer) => [
        balancer.project,
        balancer.network,
        balancer.listenAddress,
        rules(balancer.backends),
        rules(balancer.ports),
      ]),
    },
    {
      title: 'Network peers',
      head: ['PROJECT', 'NETWORK', 'NAME', 'TARGET'],
      rows: inventory.peers.map((peer) => [
        peer.project,
        peer.network,
        peer.name,
        `${peer.targetProject}/${peer.targetNetwork}`,
      ]),
    },
  ];
}

/** What a daemon writes by itself, or copies from the image: only in the JSON. */
function isOwn(key: string): boolean {
  return !key.startsWith('volatile.') && !key.startsWith('image.');
}

function configurationSection({ profiles, instances }: Inventory): Section {
  const rows = (kind: string, list: readonly { project: string; name: string; config: Config }[]) =>
    list.flatMap(({ project, name, config }) =>
      Object.entries(config)
        .filter(([key]) => isOwn(key))
        .map(([key, value]) => [`${kind} ${project}/${name}`, key, short(value)]),
    );
  return {
    title: 'Configuration of profiles and instances',
    head: ['OBJECT', 'KEY', 'VALUE'],
    rows: [...rows('profile', profiles), ...rows('instance', instances)],
  };
}

function deviceSection({ profiles, instances }: Inventory): Section {
  const rows = (kind: string, list: readonly { project: string; name: string; devices: Devices }[]) =>
    list.flatMap(({ project, name, devices }) =>
      Object.entries(devices).map(([device, config]) => [
        `${kind} ${project}/${name}`,
        device,
        pairs(config),
      ]),
    );
  return {
    title: 'Devices of profiles and instances',
    head: ['OBJECT', 'DEVICE', 'CONFIGURATION'],
    rows: [...rows('profile', profiles), ...rows('instance', instances)],
  };
}

function pairs(config: Config): string {
  return Object.entries(config)
    .map(([key, value]) => `${key}=${short(value)}`)
    .join(' ');
}

function rules(list: readonly Entry[]): string {
  return list.map((entry) => Object.values(entry).join(' ')).join('; ');
}

function day(moment: Instant): string {
  return moment?.slice(0, 10) ?? '';
}

function short(value: string): string {
  const characters = [...value];
  return characters.length <= 80 ? value : `${characters.slice(0, 79).join('')}…`;
}
