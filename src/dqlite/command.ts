// Decodes the dqlite commands that log entries carry.

export type Command =
  /** No effect on the database: OPEN (dqlite up to 1.5) and CHECKPOINT. */
  | { readonly type: 'open' | 'checkpoint' }
  /** Drops the frames that are not committed yet (dqlite up to 1.5). */
  | { readonly type: 'undo' }
  | {
      readonly type: 'frames';
      readonly database: string;
      readonly isCommit: boolean;
      readonly pageSize: number;
      readonly pageNumbers: readonly number[];
      /** The pages, one after the other, in the order of their numbers; a view into the payload. */
      readonly pages: Buffer;
    };

/** SQLite's own limit of a page number (sqlite.org/limits.html). */
const maxPage = 4_294_967_294;

/** A file system's limit; LXD and Incus always say `db.bin`. */
export const maxNameSize = 256;

/** The command, or what is wrong with it. */
export function decodeCommand(payload: Buffer): Command | string {
  if (payload.length < 8) return 'the command is cut off';
  const format = payload.readUInt8(0);
  if (format !== 1) return `the command has the unknown format ${format}`;
  const type = payload.readUInt8(1);
  switch (type) {
    case 1:
      return { type: 'open' };
    case 2:
      return decodeFrames(payload);
    case 3:
      return { type: 'undo' };
    case 4:
      return { type: 'checkpoint' };
    default:
      return `the command has the unknown type ${type}`;
  }
}

function decodeFrames(payload: Buffer): Command | string {
  const nameEnd = payload.subarray(0, 8 + maxNameSize).indexOf(0, 8);
  if (nameEnd < 0) return 'the name of the database has no end';
  const at = 8 + Math.ceil((nameEnd + 1 - 8) / 8) * 8;
  if (payload.length < at + 24) return 'the command is cut off';
  const count = payload.readUInt32LE(at + 16);
  const pageSize = payload.readUInt16LE(at + 20);
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) return `the page size is ${pageSize}`;
  const numbersAt = at + 24;
  const pagesAt = numbersAt + 8 * count;
  if (payload.length !== pagesAt + count * pageSize)
    return `the command has ${payload.length} bytes, but ${count} pages of ${pageSize} bytes need ${pagesAt + count * pageSize}`;
  const pageNumbers: number[] = [];
  for (let entry = 0; entry < count; entry += 1) {
    const low = payload.readUInt32LE(numbersAt + 8 * entry);
    if (payload.readUInt32LE(numbersAt + 8 * entry + 4) !== 0 || low === 0 || low > maxPage)
      return 'a page number is out of range';
    pageNumbers.push(low);
  }
  return {
    type: 'frames',
    database: payload.toString('utf8', 8, nameEnd),
    isCommit: payload.readUInt8(at + 12) !== 0,
    pageSize,
    pageNumbers,
    pages: payload.subarray(pagesAt),
  };
}
