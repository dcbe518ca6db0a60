// What every server has from its first start on and a person may have deleted by SQL: project and profile default, rows of the member.
import type { Database } from 'better-sqlite3';
import type { Finding } from '../../model/finding.ts';
import { blocker, effectiveProjects, note, objects } from './broken.ts';

export function checkDefaults(db: Database): Finding[] {
  return [
    ...blocker('default-project-missing', {
      objects: objects(
        db,
        "SELECT 'project default' WHERE NOT EXISTS (SELECT 1 FROM projects WHERE name = 'default')",
      ),
      what: 'There is no project default. Incus reads it when it updates the database, and would not start; LXD works with it everywhere.',
      action:
        'Give the project its name back in LXD (lxd sql global "UPDATE projects SET name = \'default\' WHERE id = 1"), then plan again.',
    }),
    ...note('default-profile-missing', {
      objects: objects(
        db,
        `${effectiveProjects('features.profiles')} SELECT 'profile ' || p.name || '/default' FROM projects p JOIN effective e ON e.project_id = p.id AND e.owner_id = p.id
          WHERE p.id NOT IN (SELECT project_id FROM profiles WHERE name = 'default') ORDER BY 1`,
      ),
      what: 'These projects have no profile default. New instances need one unless they name another, in LXD as in Incus.',
      action:
        'They are moved as they are. Make the profile in Incus, or in LXD before (lxc profile create default).',
    }),
    ...note('not-on-this-member', {
      objects: [
        ...objects(
          db,
          "SELECT 'storage pool ' || name FROM storage_pools WHERE id NOT IN (SELECT storage_pool_id FROM storage_pools_nodes) ORDER BY 1",
        ),
        ...objects(
          db,
          "SELECT 'network ' || p.name || '/' || n.name FROM networks n JOIN projects p ON p.id = n.project_id WHERE n.id NOT IN (SELECT network_id FROM networks_nodes) ORDER BY 1",
        ),
      ],
      what: 'The database does not say that these are on this server. LXD shows them as Unknown and could not use them; so does Incus.',
      action: 'They are moved as they are. Verify will find them unavailable.',
    }),
    ...note('image-not-on-this-member', {
      objects: objects(
        db,
        "SELECT 'image ' || p.name || '/' || i.fingerprint FROM images i JOIN projects p ON p.id = i.project_id WHERE i.id NOT IN (SELECT image_id FROM images_nodes) ORDER BY 1",
      ),
      what: 'The database does not say that the files of these images are on this server. They could not be used in LXD either, and each daemon deletes such files at its start.',
      action: 'They are moved as they are. Delete the images, or import them again.',
    }),
  ];
}
