// Adds one transaction to the database of a daemon that was stopped cleanly; raft state and identity stay as they are.
import { join } from 'node:path';
import { writeFileDurable } from '../core/durable.ts';
import { checkImage, pageForLog, pageNumbersOf, requiredPageSize } from './check-image.ts';
import { encodeSegment, framesEntry } from './encode-log.ts';
import { listFolder } from './list-folder.ts';
import { readMetadata } from './metadata.ts';
import { dqliteFailure } from './problem.ts';
import { readDatabase } from './read-database.ts';
import { makeScratch } from './read-file.ts';

export interface Appended {
  /** Name of the new file; removing it, before a daemon has started, undoes the change. */
  readonly segment: string;
  readonly index: number;
  readonly pages: number;
}

/**
 * Writes the pages in which `after` differs from `before` as one more log segment. `before` must be what the directory
 * holds now; `db.bin`, the daemon's own copy for people, is left as it is.
 * @throws {Failure<DqliteProblem>} unclean-stop, database-moved-on, image-unsuitable
 */
export function appendTransaction(folder: string, before: Buffer, after: Buffer): Appended {
  const listing = listFolder(folder);
  if (listing.open.length > 0)
    throw dqliteFailure({ code: 'unclean-stop', folder, files: listing.open.map(({ name }) => name) });
  checkImage(before);
  checkImage(after);
  const unsuitable = (why: string) => dqliteFailure({ code: 'image-unsuitable', why });
  // Before dqlite 1.17.3, and in cowsql, a database never shrinks: its snapshots fail for ever afterwards.
  if (after.length < before.length)
    throw unsuitable('it has fewer pages than before; a log cannot shrink it');
  const current = readDatabase(folder);
  if (!samePages(current.bytes, before)) throw dqliteFailure({ code: 'database-moved-on', folder });
  const metadata = readMetadata(listing, makeScratch(), []);
  if (metadata === undefined || metadata.term < current.lastTerm)
    throw unsuitable('the metadata of the directory are missing or older than its log');

  const changed = pageNumbersOf(after).filter((page) => page === 1 || !samePage(before, after, page));
  if (changed.length === 1 && samePage(before, after, 1))
    throw unsuitable('it does not differ from the one before');
  const index = current.lastIndex + 1;
  const number = String(index).padStart(16, '0');
  const segment = `${number}-${number}`;
  const entry = framesEntry(metadata.term, requiredPageSize, changed, (page) => pageForLog(after, page));
  writeFileDurable(join(folder, segment), encodeSegment([entry]));
  return { segment, index, pages: changed.length };
}

function samePages(a: Buffer, b: Buffer): boolean {
  return (
    a.length === b.length &&
    samePage(a, b, 1) &&
    a.compare(b, requiredPageSize, b.length, requiredPageSize) === 0
  );
}

function samePage(a: Buffer, b: Buffer, page: number): boolean {
  return pageForLog(a, page).equals(pageForLog(b, page));
}
