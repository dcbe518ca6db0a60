// Rows without files and files without rows, in a whole data directory; only names in folders are read, each folder once.
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { systemErrorCode } from '../../../core/failure.ts';
import { hasTable } from '../../catalogue/schema-facts.ts';
import type { Finding } from '../../model/finding.ts';
import type { CheckContext } from '../context.ts';
import { note } from './broken.ts';

/** A folder of the data directory, and what the database says is in it. */
interface Place {
  readonly folder: string;
  /** Names in it, with the object that each is of. */
  readonly rows: ReadonlyMap<string, string>;
  /** What a name in it is that no row stands for; undefined: not looked at. */
  readonly extra: string | undefined;
  /** A name without what makes it another file of the same object. */
  readonly stem?: (name: string) => string;
}

export function checkFiles({ host, source, sourceDatabase: { db }, sourceIsWhole }: CheckContext): Finding[] {
  if (!sourceIsWhole) return [];
  const at = (path: string): string => host.path(join(source.dataDirectory, path));
  const missing: string[] = [];
  const extra: string[] = [];
  const present = new Map<string, string>();
  for (const { folder, rows, extra: word, stem = whole } of places(db)) {
    const names = namesIn(at(folder));
    // Not there, not to be read, or of a pool that is not mounted: nothing is said.
    if (names === undefined) continue;
    for (const [name, object] of rows) {
      if (names.has(name)) present.set(`${folder}/${name}`, object);
      else missing.push(`${object}: ${folder}/${name}`);
    }
    if (word !== undefined)
      for (const name of names) if (!rows.has(stem(name))) extra.push(`${word}: ${folder}/${name}`);
  }
  return [
    ...note('files-missing', {
      objects: [...missing, ...withoutRoot(present, at)].sort(),
      what: 'The database has these, and their files are not there. An instance among them could not be started in LXD either, and cannot in Incus.',
      action:
        'They are moved as they are. Bring the files back, or delete the objects, before or after the move.',
    }),
    ...note('files-without-row', {
      objects: extra.sort(),
      what: 'The database has nothing for these files. LXD does not show them, nor will Incus; each of both deletes those of images at its start.',
      action:
        'They are moved along. Where they matter, "lxd recover" before the move, or "incus admin recover" after it, finds instances and volumes.',
    }),
  ];
}

const whole = (name: string): string => name;

/** undefined: it cannot be read. */
function namesIn(folder: string): ReadonlySet<string> | undefined {
  try {
    return new Set(fs.readdirSync(folder));
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** What an instance's folder must hold, by the folder that it is in. */
const rootOf: Readonly<Record<string, string>> = { containers: 'rootfs', 'virtual-machines': 'root.img' };

function withoutRoot(present: ReadonlyMap<string, string>, at: (path: string) => string): string[] {
  return [...present].flatMap(([path, object]) => {
    const [top, , folder] = path.split('/');
    const root = top === 'storage-pools' ? rootOf[folder ?? ''] : undefined;
    return root === undefined || !isAbsent(at(`${path}/${root}`)) ? [] : [`${object}: ${path}/${root}`];
  });
}

/** Links are not followed: what is in an instance is its owner's. */
function isAbsent(path: string): boolean {
  try {
    fs.lstatSync(path);
    return false;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' || code === 'ENOTDIR';
  }
}

interface VolumeRow {
  readonly id: number;
  readonly pool: string;
  readonly project: string;
  readonly name: string;
  readonly type: number;
}

/** By the type of volume: storage/drivers, BaseDirectories. */
const volumeFolders = ['containers', 'images', 'custom', 'virtual-machines'];

function places(db: Database): Place[] {
  return [...links(db), ...images(db), ...backups(db), ...volumes(db), ...buckets(db)];
}

/** project.Instance and project.StorageVolume. */
function folderName({ type, project, name }: Pick<VolumeRow, 'type' | 'project' | 'name'>): string {
  if (type === 1) return name;
  return type === 2 || project !== 'default' ? `${project}_${name}` : name;
}

/** A name that leads elsewhere is a finding of its own; nothing is looked for by it. */
function isFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
}

function objectOf({ type, pool, project, name }: VolumeRow): string {
  const kinds = ['container volume', 'image volume', 'volume', 'virtual-machine volume'];
  return `${kinds[type] ?? 'volume'} ${pool}/${project}/${name}`;
}

/** The links by which the daemons find instances. */
function links(db: Database): Place[] {
  const rows = db
    .prepare(
      'SELECT i.type AS type, p.name AS project, i.name AS name FROM instances i JOIN projects p ON p.id = i.project_id',
    )
    .all() as { type: number; project: string; name: string }[];
  return ['containers', 'virtual-machines'].map((folder, type) => ({
    folder,
    rows: new Map(
      rows
        .filter((row) => row.type === type)
        .map((row) => [folderName({ ...row, type: 0 }), `instance ${row.project}/${row.name}`]),
    ),
    extra: 'link of an instance',
  }));
}

function images(db: Database): Place[] {
  const rows = db
    .prepare(
      'SELECT p.name AS project, i.fingerprint AS fingerprint FROM images i JOIN projects p ON p.id = i.project_id WHERE i.id IN (SELECT image_id FROM images_nodes)',
    )
    .all() as { project: string; fingerprint: string }[];
  return [
    {
      folder: 'images',
      rows: new Map(rows.map(({ project, fingerprint }) => [fingerprint, `image ${project}/${fingerprint}`])),
      extra: 'image file',
      // `<fingerprint>.rootfs` is the other half of an image.
      stem: (name) => name.split('.')[0] ?? name,
    },
  ];
}

/** Archives of instances lie in `backups/instances/<instance>/<backup>`. */
function backups(db: Database): Place[] {
  const rows = db
    .prepare(
      'SELECT p.name AS project, b.name AS name FROM instances_backups b JOIN instances i ON i.id = b.instance_id JOIN projects p ON p.id = i.project_id',
    )
    .all() as { project: string; name: string }[];
  const byInstance = Map.groupBy(rows, ({ project, name }) =>
    folderName({ type: 0, project, name: name.split('/')[0] ?? '' }),
  );
  return [...byInstance]
    .filter(([folder]) => isFileName(folder))
    .map(([folder, list]) => ({
      folder: `backups/instances/${folder}`,
      rows: new Map(
        list.map(({ project, name }) => [name.split('/').at(-1) ?? '', `instance backup ${project}/${name}`]),
      ),
      extra: undefined,
    }));
}

/** Drivers that keep each volume as a folder of the pool; in the others a folder is no more than where one is mounted. */
const ofFolders = "sp.driver IN ('dir', 'btrfs')";

function volumes(db: Database): Place[] {
  const pools = db.prepare(`SELECT name FROM storage_pools sp WHERE ${ofFolders}`).pluck().all() as string[];
  const rows = db
    .prepare(
      `SELECT v.id AS id, sp.name AS pool, p.name AS project, v.name AS name, v.type AS type FROM storage_volumes v
         JOIN storage_pools sp ON sp.id = v.storage_pool_id JOIN projects p ON p.id = v.project_id
        WHERE ${ofFolders} AND instr(v.name, '/') = 0`,
    )
    .all() as VolumeRow[];
  const byPlace = Map.groupBy(rows, ({ pool, type }) => `storage-pools/${pool}/${volumeFolders[type]}`);
  const folders = pools
    .filter(isFileName)
    .flatMap((pool) => volumeFolders.map((folder) => `storage-pools/${pool}/${folder}`));
  return [
    ...folders.map((folder) => ({
      folder,
      rows: new Map((byPlace.get(folder) ?? []).map((row) => [folderName(row), objectOf(row)])),
      extra: 'files of a volume',
    })),
    ...snapshots(db, rows),
  ];
}

function snapshots(db: Database, volumeRows: readonly VolumeRow[]): Place[] {
  const names = db.prepare('SELECT storage_volume_id AS id, name FROM storage_volumes_snapshots').all() as {
    id: number;
    name: string;
  }[];
  const byVolume = Map.groupBy(names, ({ id }) => id);
  return volumeRows.flatMap((row) => {
    const taken = byVolume.get(row.id);
    const folder = folderName(row);
    if (taken === undefined || !isFileName(folder) || !isFileName(row.pool)) return [];
    return [
      {
        folder: `storage-pools/${row.pool}/${volumeFolders[row.type]}-snapshots/${folder}`,
        rows: new Map(taken.map(({ name }) => [name, `${objectOf(row)}/${name}`])),
        extra: 'files of a snapshot',
      },
    ];
  });
}

function buckets(db: Database): Place[] {
  if (!hasTable(db, 'storage_buckets')) return [];
  const rows = db
    .prepare(
      `SELECT sp.name AS pool, p.name AS project, k.name AS name FROM storage_buckets k
         JOIN storage_pools sp ON sp.id = k.storage_pool_id JOIN projects p ON p.id = k.project_id WHERE ${ofFolders}`,
    )
    .all() as { pool: string; project: string; name: string }[];
  return [...Map.groupBy(rows, ({ pool }) => pool)]
    .filter(([pool]) => isFileName(pool))
    .map(([pool, list]) => ({
      folder: `storage-pools/${pool}/buckets`,
      rows: new Map(
        list.map(({ project, name }) => [`${project}_${name}`, `storage bucket ${pool}/${project}/${name}`]),
      ),
      extra: 'files of a bucket',
    }));
}
