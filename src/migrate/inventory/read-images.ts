// Images with their aliases, properties and sources, from the tables of the database.
import { architectureName, imageProtocolName, instanceTypeName } from './codes.ts';
import { instant } from './instant.ts';
import type { Image, ImageSource } from './inventory.ts';
import { sortBy } from './order.ts';
import type { ObjectNames } from './read-names.ts';
import { configs, flag, groupBy, names, number, type Row, type Tables, text } from './rows.ts';

export function readImages(tables: Tables, { project, member }: ObjectNames): Image[] {
  const properties = configs(tables, 'images_properties', 'image_id');
  const aliases = groupBy(tables.rows('images_aliases', ['image_id', 'name', 'description']), 'image_id');
  const profileNames = names(tables, 'profiles');
  const profiles = groupBy(tables.rows('images_profiles', ['image_id', 'profile_id']), 'image_id');
  const sources = readSources(tables);
  const members = groupBy(tables.rows('images_nodes', ['image_id', 'node_id']), 'image_id');
  const list = tables
    .rows('images', [
      'id',
      'fingerprint',
      'filename',
      'size',
      'public',
      'architecture',
      'creation_date',
      'expiry_date',
      'upload_date',
      'cached',
      'last_use_date',
      'auto_update',
      'project_id',
      'type',
    ])
    .map((row): Image => {
      const id = number(row['id']);
      return {
        project: project(row['project_id']),
        fingerprint: text(row['fingerprint']),
        filename: text(row['filename']),
        size: number(row['size']),
        type: instanceTypeName(number(row['type'])),
        architecture: architectureName(number(row['architecture'])),
        public: flag(row['public']),
        cached: flag(row['cached']),
        autoUpdate: flag(row['auto_update']),
        created: instant(row['creation_date']),
        uploaded: instant(row['upload_date']),
        lastUsed: instant(row['last_use_date']),
        expires: instant(row['expiry_date']),
        properties: properties(id),
        aliases: sortBy(
          (aliases.get(id) ?? []).map((alias) => ({
            name: text(alias['name']),
            description: text(alias['description']),
          })),
          (alias) => alias.name,
        ),
        profiles: (profiles.get(id) ?? [])
          .map((link) => profileNames.get(number(link['profile_id'])) ?? `#${number(link['profile_id'])}`)
          .sort(),
        source: sources.get(id),
        members: (members.get(id) ?? []).map((link) => member(link['node_id'])).sort(),
      };
    });
  return sortBy(
    list,
    (image) => image.project,
    (image) => image.fingerprint,
  );
}

function readSources(tables: Tables): Map<number, ImageSource> {
  // The table that Incus added with its schema 72; LXD has none of this name.
  const ownName = tables.has('networks_integrations') ? 'incus' : 'lxd';
  const rows = tables.rows('images_source', ['image_id', 'server', 'protocol', 'certificate', 'alias']);
  return new Map(
    rows.map((row: Row): [number, ImageSource] => [
      number(row['image_id']),
      {
        server: text(row['server']),
        protocol: imageProtocolName(number(row['protocol']), ownName),
        alias: text(row['alias']),
        certificate: text(row['certificate']),
      },
    ]),
  );
}
