// Reads db.bin and db.bin-wal, the copy of the database that a daemon writes when it stops cleanly, as one SQLite file.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { makeImage, makePageStore, putPage, setBase } from './page-store.ts';
import { dqliteFailure } from './problem.ts';
import { fileLimit, readWhole, type Scratch } from './read-file.ts';
import { mainPageSize } from './snapshot.ts';
import { readWal } from './wal.ts';

/** @throws {Failure<DqliteProblem>} dump-damaged, and what keeps a file from being read */
export function readDump(
  folder: string,
  scratch: Scratch,
): { readonly bytes: Buffer; readonly files: readonly string[] } {
  const [file, logFile] = [join(folder, 'db.bin'), join(folder, 'db.bin-wal')];
  const damaged = (why: string) => dqliteFailure({ code: 'dump-damaged', file, why });
  const main = readWhole(file, fileLimit, scratch);
  // Daemons leave an empty one where all is in db.bin.
  const log = fs.existsSync(logFile) ? readWhole(logFile, fileLimit, scratch) : Buffer.alloc(0);
  const wal = log.length === 0 ? undefined : readWal(log, { checksums: false });
  if (typeof wal === 'string') throw damaged(wal);
  const pageSize = mainPageSize(main) ?? (main.length === 0 ? wal?.pageSize : undefined);
  if (pageSize === undefined || main.length % pageSize !== 0)
    throw damaged('it does not hold whole pages of an SQLite database');
  if (wal !== undefined && wal.pageSize !== pageSize)
    throw damaged('its write-ahead log has pages of another size');
  const pages = makePageStore();
  setBase(pages, pageSize, main);
  for (const frame of wal?.frames ?? []) putPage(pages, pageSize, frame.page, frame.bytes);
  const bytes = makeImage(pages);
  if (typeof bytes === 'string') throw damaged(bytes);
  return { bytes, files: wal === undefined ? ['db.bin'] : ['db.bin', 'db.bin-wal'] };
}
