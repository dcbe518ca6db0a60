// Images with their aliases, properties and sources, from the tables of the database.

import { architectureName, imageProtocolName, instanceTypeName } from '../../catalogue/codes.ts';
import type { Image, ImageSource } from '../../model/inventory.ts';
import { instant } from '../instant.ts';
import { sortBy } from '../order.ts';
import type { ObjectNames } from './read-names.ts';
import { configs, flag, groupBy, number, type Row, type Tables, text } from './rows.ts';

export function readImages(tables: Tables, objects: ObjectNames): Image[] {
  const { project, member } = objects;
  const isShown = objects.showsOwn('features.images');
  const properties = configs(tables, 'images_properties', 'image_id');
  const aliases = groupBy(tables.rows('images_aliases', ['image_id', 'name', 'description']), 'image_id');
  const profiles = readImageProfiles(tables, objects);
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
    .filter((row) => isShown(row['project_id']))
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
        profiles: profiles(id, row['project_id']),
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

/**
 * An image has rows for the profiles of every project in which it can be used: its own, and those that have profiles and no
 * images of their own (InitProjectWithoutImages in db/cluster/projects.go). A daemon shows those of the project of which it is
 * asked, or of project default where that one has no profiles (imageFillProfiles in db/images.go).
 */
function readImageProfiles(
  tables: Tables,
  objects: ObjectNames,
): (image: number, project: unknown) => string[] {
  const profiles = new Map(
    tables.rows('profiles', ['id', 'name', 'project_id']).map((row) => [number(row['id']), row]),
  );
  const links = groupBy(tables.rows('images_profiles', ['image_id', 'profile_id']), 'image_id');
  const hasOwn = objects.showsOwn('features.profiles');
  return (image, project) => {
    const effective = hasOwn(project) ? objects.project(project) : 'default';
    return (links.get(image) ?? [])
      .map((link) => profiles.get(number(link['profile_id'])))
      .filter((profile) => profile !== undefined && objects.project(profile['project_id']) === effective)
      .map((profile) => text(profile?.['name']))
      .sort();
  };
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
