// The one guarded reader of files that somebody else wrote: regular files only, up to a size, and never waiting for one.
import * as fs from 'node:fs';
import { coreFailure } from './core-problem.ts';
import { systemErrorCode } from './failure.ts';

export interface ReadLimits {
  /** More bytes than this are refused before any is read. */
  readonly limit: number;
  /** `refuse` wherever a user could plant one; a link of the administrator's leads to the file that is meant. */
  readonly links: 'follow' | 'refuse';
}

/**
 * @throws {Failure<CoreProblem>} not-a-regular-file, file-too-large
 * @throws system errors (ENOENT, EACCES, …), of which only the caller knows what they mean
 */
export function readRegularFile(path: string, { limit, links }: ReadLimits): Buffer {
  const fd = openRegularFile(path, links);
  try {
    const { size } = fs.fstatSync(fd);
    if (size > limit) throw coreFailure({ code: 'file-too-large', path, bytes: size, limit });
    return readUpTo(fd, limit, path);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Opens for reading. Looked at before it is opened, since opening alone makes some devices act (a watchdog), and again
 * afterwards, since it may have been replaced between; O_NONBLOCK so that even then no FIFO is waited for.
 * @throws {Failure<CoreProblem>} not-a-regular-file
 */
export function openRegularFile(path: string, links: ReadLimits['links']): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const before = links === 'follow' ? fs.statSync(path) : fs.lstatSync(path);
  if (!before.isFile()) throw coreFailure({ code: 'not-a-regular-file', path, is: kindOf(before) });
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | (links === 'follow' ? 0 : O_NOFOLLOW));
  } catch (error) {
    if (links === 'refuse' && systemErrorCode(error) === 'ELOOP')
      throw coreFailure({ code: 'not-a-regular-file', path, is: 'a link' }, error);
    throw error;
  }
  const after = fs.fstatSync(fd);
  if (after.isFile()) return fd;
  fs.closeSync(fd);
  throw coreFailure({ code: 'not-a-regular-file', path, is: kindOf(after) });
}

/** In words, what stands under a path at which a file was expected. */
export function kindOf(stat: fs.Stats): string {
  if (stat.isFile()) return 'a file';
  if (stat.isDirectory()) return 'a folder';
  if (stat.isSymbolicLink()) return 'a link';
  if (stat.isFIFO()) return 'a named pipe';
  if (stat.isSocket()) return 'a socket';
  return 'a device';
}

/** Until the end, whatever size was announced: files below /proc announce none, and others grow. */
function readUpTo(fd: number, limit: number, path: string): Buffer {
  const pieces: Buffer[] = [];
  let total = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(Math.max(1, Math.min(1024 * 1024, limit + 1 - total)));
    const count = fs.readSync(fd, piece, 0, piece.length, null);
    if (count === 0) return Buffer.concat(pieces, total);
    total += count;
    if (total > limit) throw coreFailure({ code: 'file-too-large', path, bytes: total, limit });
    pieces.push(piece.subarray(0, count));
  }
}
