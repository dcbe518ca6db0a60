// Projects and profiles, from the tables of the database.
import type { Profile, Project } from '../../model/inventory.ts';
import { sortBy } from '../order.ts';
import type { ObjectNames } from './read-names.ts';
import { configs, devices, type Tables, text } from './rows.ts';

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

export function readProfiles(tables: Tables, { project, showsOwn }: ObjectNames): Profile[] {
  const isShown = showsOwn('features.profiles');
  const config = configs(tables, 'profiles_config', 'profile_id');
  const deviceSet = devices(tables, 'profiles_devices', 'profile_id');
  const list = tables
    .rows('profiles', ['id', 'name', 'description', 'project_id'])
    .filter((row) => isShown(row['project_id']))
    .map(
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
