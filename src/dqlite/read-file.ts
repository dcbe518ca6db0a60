// Opens files of the database directory: regular ones only, never through a link, and never writing.
import * as fs from 'node:fs';
import { Failure, systemErrorCode } from '../core/failure.ts';
import { openRegularFile } from '../core/read-regular-file.ts';
import { dqliteFailure } from './problem.ts';

/** No version of dqlite or cowsql writes files of 2 GiB, and canonical raft before 0.18 cannot read them. */
export const fileLimit = 2 ** 31 - 1;

/** Thrown when a file went away or became shorter since the directory was listed; the reader starts again. */
export class FileMoved extends Error {
  constructor(file: string) {
    super(`${file} changed while it was read`);
    this.name = 'FileMoved';
  }
}

/** A file that can be looked at piece by piece. */
export interface ByteSource {
  readonly file: string;
  readonly size: number;
  /** Differs between two files, and between two states of one. */
  readonly version: string;
  /** Bytes at an offset; the caller has checked that they are there. Valid until the next call. */
  view(offset: number, length: number): Buffer;
}

/** A buffer that readers of one file after the other share. */
export interface Scratch {
  buffer: Buffer;
  bytesRead: number;
}

export function makeScratch(): Scratch {
  return { buffer: Buffer.alloc(0), bytesRead: 0 };
}

const chunkSize = 1024 * 1024;

/** Opens a file for the time of a callback. */
export function withSource<T>(file: string, scratch: Scratch, use: (source: ByteSource) => T): T {
  const fd = openRegular(file);
  try {
    const { size, version } = stateOf(fd, file);
    if (scratch.buffer.length < Math.min(size, chunkSize))
      scratch.buffer = Buffer.allocUnsafeSlow(Math.min(size, chunkSize));
    let start = 0;
    let end = 0;
    const view = (offset: number, length: number): Buffer => {
      if (offset < start || offset + length > end) {
        if (length > scratch.buffer.length) scratch.buffer = Buffer.allocUnsafeSlow(length);
        start = offset;
        end = offset + Math.min(scratch.buffer.length, size - offset);
        readExactly(fd, scratch.buffer.subarray(0, end - start), offset, file);
        scratch.bytesRead += end - start;
      }
      return scratch.buffer.subarray(offset - start, offset - start + length);
    };
    return use({ file, size, version, view });
  } finally {
    fs.closeSync(fd);
  }
}

/** A whole small file, or undefined if it has more bytes than `limit`. */
export function readWhole(file: string, limit: number, scratch: Scratch): Buffer {
  const fd = openRegular(file);
  try {
    const { size } = stateOf(fd, file);
    if (size > limit) throw dqliteFailure({ code: 'file-too-large', file, bytes: size, limit });
    const bytes = Buffer.allocUnsafeSlow(size);
    readExactly(fd, bytes, 0, file);
    scratch.bytesRead += size;
    return bytes;
  } finally {
    fs.closeSync(fd);
  }
}

function openRegular(file: string): number {
  try {
    return openRegularFile(file, 'refuse');
  } catch (error) {
    if (error instanceof Failure) throw dqliteFailure({ code: 'not-a-regular-file', file }, error);
    const errno = systemErrorCode(error);
    if (errno === 'ENOENT') throw new FileMoved(file);
    if (errno === undefined) throw error;
    throw dqliteFailure({ code: 'file-unreadable', file, errno }, error);
  }
}

function stateOf(fd: number, file: string): { size: number; version: string } {
  const { dev, ino, size: length, ctimeNs } = fs.fstatSync(fd, { bigint: true });
  const size = Number(length);
  if (size > fileLimit) throw dqliteFailure({ code: 'file-too-large', file, bytes: size, limit: fileLimit });
  return { size, version: [dev, ino, size, ctimeNs].join(' ') };
}

function readExactly(fd: number, into: Buffer, offset: number, file: string): void {
  let done = 0;
  while (done < into.length) {
    let count: number;
    try {
      count = fs.readSync(fd, into, done, into.length - done, offset + done);
    } catch (error) {
      const errno = systemErrorCode(error);
      if (errno === undefined) throw error;
      throw dqliteFailure({ code: 'file-unreadable', file, errno }, error);
    }
    if (count === 0) throw new FileMoved(file);
    done += count;
  }
}
