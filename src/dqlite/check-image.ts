// Says whether a daemon can be given a database: what it would refuse or die of is refused here.
import { lockBytePage } from './page-store.ts';
import { dqliteFailure } from './problem.ts';

/** dqlite and cowsql abort on any other (tried with cowsql 1.15.8). */
export const requiredPageSize = 4096;

/** No version writes files of 2 GiB, and canonical raft before 0.18 cannot read them. */
const maxImage = 2 ** 31 - 2 ** 24;

/** @throws {Failure<DqliteProblem>} image-unsuitable */
export function checkImage(image: Buffer): void {
  const unsuitable = (why: string) => dqliteFailure({ code: 'image-unsuitable', why });
  if (image.length < 512 || image.toString('latin1', 0, 16) !== 'SQLite format 3\0')
    throw unsuitable('it is not an SQLite database');
  if (image.readUInt16BE(16) !== requiredPageSize)
    throw unsuitable(`its pages do not have ${requiredPageSize} bytes`);
  if (image.length % requiredPageSize !== 0) throw unsuitable('it does not consist of whole pages');
  if (image.length > maxImage) throw unsuitable('it is larger than a log segment may be');
  if (image.readUInt8(20) !== 0) throw unsuitable('it reserves bytes at the end of its pages');
  if (image.readUInt32BE(52) !== 0) throw unsuitable('it uses auto_vacuum');
  if (image.readUInt32BE(28) !== image.length / requiredPageSize)
    throw unsuitable(
      `its header counts ${image.readUInt32BE(28)} pages, but it has ${image.length / requiredPageSize}`,
    );
  if (image.readUInt32BE(24) !== image.readUInt32BE(92))
    throw unsuitable('its page count is not valid: it was written by an SQLite before 3.7.0');
}

/** A page as a daemon keeps it: page 1 says that the database is in WAL mode. */
export function pageForLog(image: Buffer, page: number): Buffer {
  const bytes = image.subarray((page - 1) * requiredPageSize, page * requiredPageSize);
  if (page !== 1) return bytes;
  const first = Buffer.from(bytes);
  first[18] = 2;
  first[19] = 2;
  return first;
}

/** Numbers of all pages that hold something. */
export function pageNumbersOf(image: Buffer): number[] {
  const lock = lockBytePage(requiredPageSize);
  const all = Array.from({ length: image.length / requiredPageSize }, (_, at) => at + 1);
  return all.filter((page) => page !== lock);
}
