// Projects, profiles and trusted certificates, from the tables of the database.
import { certificateTypeName } from './codes.ts';
import type { Certificate, Profile, Project } from './inventory.ts';
import { sortBy } from './order.ts';
import type { ObjectNames } from './read-names.ts';
import { configs, devices, flag, groupBy, number, type Tables, text } from './rows.ts';

export function readProjects(tables: Tables): Project[] {
  const config = configs(tables, 'projects_config', 'project_id');
  const list = tables.rows('projects', ['id', 'name', 'description']).map(
    (row): Project => ({
      name: text(row['name']),
      description: text(row['description']),
      config: config(row['id']),
    }),
  );
  return sortBy(list, (project) => project.name);
}

export function readProfiles(tables: Tables, { project }: ObjectNames): Profile[] {
  const config = configs(tables, 'profiles_config', 'profile_id');
  const deviceSet = devices(tables, 'profiles_devices', 'profile_id');
  const list = tables.rows('profiles', ['id', 'name', 'description', 'project_id']).map(
    (row): Profile => ({
      project: project(row['project_id']),
      name: text(row['name']),
      description: text(row['description']),
      config: config(row['id']),
      devices: deviceSet(row['id']),
    }),
  );
  return sortBy(
    list,
    (profile) => profile.project,
    (profile) => profile.name,
  );
}

export function readCertificates(tables: Tables, { project }: ObjectNames): Certificate[] {
  const projects = groupBy(
    tables.rows('certificates_projects', ['certificate_id', 'project_id']),
    'certificate_id',
  );
  const list = tables
    .rows('certificates', ['id', 'fingerprint', 'type', 'name', 'restricted', 'description'])
    .map(
      (row): Certificate => ({
        fingerprint: text(row['fingerprint']),
        name: text(row['name']),
        type: certificateTypeName(number(row['type'])),
        restricted: flag(row['restricted']),
        description: row['description'] === undefined ? undefined : text(row['description']),
        projects: (projects.get(number(row['id'])) ?? []).map((link) => project(link['project_id'])).sort(),
      }),
    );
  return sortBy(list, (certificate) => certificate.fingerprint);
}
