// Compares db.bin and db.bin-wal, which a daemon writes at a clean stop, with the database that the log gives.
import { join } from 'node:path';
import type { DqliteNotice } from './notice.ts';
import { isDqliteFailure } from './problem.ts';
import { FileMoved, readWhole, type Scratch } from './read-file.ts';
import { readWal } from './wal.ts';

/** Beyond this size the comparison would not be cheap; it is left out, for the dump is not used anyway. */
const limit = 64 * 1024 * 1024;

export function compareDump(folder: string, image: Buffer, scratch: Scratch): DqliteNotice[] {
  const differs = (why: string): DqliteNotice[] => [{ code: 'dump-differs', why }];
  let main: Buffer;
  let log: Buffer;
  try {
    main = readWhole(join(folder, 'db.bin'), limit, scratch);
    log = readOptional(join(folder, 'db.bin-wal'), scratch);
  } catch (error) {
    if (error instanceof FileMoved) return [];
    if (isDqliteFailure(error))
      return error.problem.code === 'file-too-large' ? [] : differs('it cannot be read');
    throw error;
  }
  const pageSize = image.readUInt16BE(16) === 1 ? 65_536 : image.readUInt16BE(16);
  if (main.length % pageSize !== 0) return differs('it does not hold whole pages');
  const wal = log.length === 0 ? undefined : readWal(log, { checksums: false });
  if (typeof wal === 'string') return differs(wal);
  if (wal !== undefined && wal.pageSize !== pageSize) return differs('its pages have another size');
  const latest = new Map(wal?.frames.map(({ page, bytes }) => [page, bytes]));
  let different = 0;
  for (let page = 1; page * pageSize <= image.length; page += 1) {
    const dumped = latest.get(page) ?? main.subarray((page - 1) * pageSize, page * pageSize);
    const from = page === 1 ? 20 : 0;
    const start = (page - 1) * pageSize;
    if (dumped.length !== pageSize || dumped.compare(image, start + from, start + pageSize, from) !== 0)
      different += 1;
  }
  return different === 0 ? [] : differs(`${different} of ${image.length / pageSize} pages are different`);
}

function readOptional(file: string, scratch: Scratch): Buffer {
  try {
    return readWhole(file, limit, scratch);
  } catch (error) {
    if (error instanceof FileMoved) return Buffer.alloc(0);
    throw error;
  }
}
