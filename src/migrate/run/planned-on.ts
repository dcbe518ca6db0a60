// What a run was planned on, kept with it so that it can be compared after an interruption.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { writeFileDurable } from '../../core/durable.ts';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { readInventory } from '../inventory/database/read-inventory.ts';
import type { Journal } from '../journal/journal.ts';
import { noteNames, requiredNote } from '../journal/noted.ts';
import type { PlannedOn } from './conversions.ts';

/** The source's database as the plan found it. */
const plannedDatabase = 'planned-database.sqlite';
/** Of a Buffer; a database of LXD has some megabytes. */
const plannedLimit = 4 * 1024 ** 3 - 1;

export function keepPlannedOn(folder: string, { sourceImage }: PlannedOn): void {
  writeFileDurable(join(folder, plannedDatabase), sourceImage, 0o600);
}

/** What an interrupted run was planned on; nothing of it where its database cannot be read any more. */
export function plannedOnOf(
  journal: Journal,
  run: string,
  folder: string,
): { readonly plannedOn: PlannedOn; readonly unreadable: string | undefined } {
  const path = join(folder, plannedDatabase);
  const image = readPlanned(path);
  const isRead = Buffer.isBuffer(image);
  return {
    plannedOn: {
      plan: journal.plan(run),
      sourceImage: isRead ? image : Buffer.alloc(0),
      pinsFromHost: new Map(requiredNote(journal, run, noteNames.pins)),
    },
    unreadable: isRead ? undefined : `${path} (${image})`,
  };
}

/** @returns why not, where it cannot be read */
function readPlanned(path: string): Buffer | string {
  try {
    const image = readRegularFile(path, { limit: plannedLimit, links: 'refuse' });
    if (!isWhole(image)) return 'it is damaged';
    readInventory(image);
    return image;
  } catch (error) {
    if (error instanceof Failure) return error.explanation.what;
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' ? 'it is not there' : error instanceof Error ? error.message : code;
  }
}

/** Every page of it; @throws errors of SQLite */
function isWhole(image: Buffer): boolean {
  const db = new Database(image);
  try {
    return db.pragma('quick_check(1)', { simple: true }) === 'ok';
  } finally {
    db.close();
  }
}
