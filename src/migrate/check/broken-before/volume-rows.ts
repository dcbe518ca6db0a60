// Instances without the row of their volume, and rows of volumes that belong to nothing.
import type { Database } from 'better-sqlite3';
import type { Finding } from '../../model/finding.ts';
import { instanceName, note, objects, volumeJoins, volumeName, volumeType } from './broken.ts';

export function checkVolumeRows(db: Database): Finding[] {
  return [
    ...note('instance-without-volume', {
      objects: objects(
        db,
        `SELECT ${instanceName} FROM instances i JOIN projects p ON p.id = i.project_id
          WHERE (i.project_id, i.name, ${volumeType}) NOT IN (SELECT project_id, name, type FROM storage_volumes) ORDER BY 1`,
      ),
      what: 'The database has no volume for these instances. They could not be started in LXD either, and cannot in Incus.',
      action:
        'They are moved as they are. Where their files are still there, "lxd recover" or "incus admin recover" finds them again after the instance was deleted; otherwise delete them.',
    }),
    ...note('volume-without-instance', {
      objects: objects(
        db,
        `SELECT ${volumeName} FROM storage_volumes v ${volumeJoins}
          WHERE v.type IN (0, 3) AND instr(v.name, '/') = 0
            AND (v.project_id, v.name, v.type) NOT IN (SELECT project_id, name, ${volumeType} FROM instances i) ORDER BY 1`,
      ),
      what: 'These are volumes of instances that do not exist. Nothing uses them; Incus lists them as LXD does, and neither deletes one by command.',
      action:
        'They are moved as they are. To be rid of one, delete its row in LXD (lxd sql global "…") and its files.',
    }),
    ...note('image-volume-without-image', {
      objects: objects(
        db,
        `SELECT ${volumeName} FROM storage_volumes v ${volumeJoins}
          WHERE v.type = 1 AND v.name NOT IN (SELECT fingerprint FROM images) ORDER BY 1`,
      ),
      what: 'These are volumes of images that do not exist. Nothing uses them.',
      action:
        'They are moved as they are. To be rid of one, delete its row in LXD (lxd sql global "…") and its files.',
    }),
    ...note('volume-snapshot-without-snapshot', {
      objects: objects(
        db,
        `SELECT ${volumeName} || '/' || s.name FROM storage_volumes_snapshots s
           JOIN storage_volumes v ON v.id = s.storage_volume_id ${volumeJoins}
           JOIN instances i ON i.project_id = v.project_id AND i.name = v.name AND v.type = ${volumeType}
          WHERE (i.id, s.name) NOT IN (SELECT instance_id, name FROM instances_snapshots) ORDER BY 1`,
      ),
      what: 'Volumes of instances have these snapshots, and their instances do not. Neither LXD nor Incus shows them with the instance.',
      action: 'They are moved as they are.',
    }),
  ];
}
