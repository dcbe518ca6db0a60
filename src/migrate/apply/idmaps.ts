// Carries the id maps of root file systems from Incus's database into LXD's: they say whose the files on disk are now.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { renameDurable } from '../../core/durable.ts';
import { Failure } from '../../core/failure.ts';
import { appendTransaction, readDatabase, writeFreshDirectory } from '../../dqlite/index.ts';

/** `project/name` → value of volatile.last_state.idmap. */
export type IdMaps = Readonly<Record<string, string>>;

/** @param directory a data directory of a daemon that does not run; {} where it has no database */
export function readIdMaps(directory: string, options: { readonly salvage?: boolean } = {}): IdMaps {
  const global = join(directory, 'global');
  if (!existsSync(global)) return {};
  const db = new Database(readDatabase(global, options).bytes);
  try {
    return Object.fromEntries(rows(db).map(({ name, value }) => [name, value]));
  } finally {
    db.close();
  }
}

/**
 * Where Incus re-owned a root file system, LXD must know the map that the files have now; it shifts them again when it
 * starts the container. With the former map they would belong to nobody, and the container would run all the same.
 * @param database LXD's database directory; changed only if a map differs
 * @returns the instances whose row was changed
 */
export function carryIdMaps(database: string, maps: IdMaps): string[] {
  const global = join(database, 'global');
  const fresh = join(database, 'global.after-rollback');
  // An earlier attempt may have ended between its two renames, or before them.
  if (!existsSync(global) && existsSync(fresh)) renameDurable(fresh, global);
  rmSync(fresh, { recursive: true, force: true });
  const image = readDatabase(global);
  const db = new Database(image.bytes);
  try {
    const changed = rows(db).filter(
      ({ name, value }) => maps[name] !== undefined && !sameMap(maps[name], value),
    );
    if (changed.length === 0) return [];
    const update = db.prepare('UPDATE instances_config SET value = ? WHERE id = ?');
    for (const { id, name } of changed) update.run(maps[name], id);
    const after = db.serialize();
    try {
      appendTransaction(global, image.bytes, after);
    } catch (error) {
      // LXD was killed: its last segments are still open, and only a daemon closes them. What it left is kept beside.
      if (!(error instanceof Failure) || error.problem.code !== 'unclean-stop') throw error;
      writeFreshDirectory(fresh, after, { configuration: image.configuration, term: image.lastTerm });
      renameDurable(global, free(join(database, 'global.before-rollback')));
      renameDurable(fresh, global);
    }
    return changed.map(({ name }) => name);
  } finally {
    db.close();
  }
}

/** The path, or the same with a number, where an earlier rollback has left something under it. */
function free(path: string): string {
  let name = path;
  for (let copy = 2; existsSync(name); copy += 1) name = `${path}-${copy}`;
  return name;
}

function rows(db: Database.Database): { id: number; name: string; value: string }[] {
  return db
    .prepare(
      "SELECT c.id AS id, p.name || '/' || i.name AS name, coalesce(c.value, '') AS value FROM instances_config c JOIN instances i ON i.id = c.instance_id JOIN projects p ON p.id = i.project_id WHERE c.key = 'volatile.last_state.idmap'",
    )
    .all() as { id: number; name: string; value: string }[];
}

/** The same entries, whatever their order and however often: LXD writes some twice. */
function sameMap(a: string, b: string): boolean {
  const entries = (text: string): string => {
    try {
      const parsed: unknown = JSON.parse(text === '' ? '[]' : text);
      return Array.isArray(parsed)
        ? [...new Set(parsed.map((entry) => JSON.stringify(entry)))].sort().join()
        : text;
    } catch {
      return text;
    }
  };
  return entries(a) === entries(b);
}
