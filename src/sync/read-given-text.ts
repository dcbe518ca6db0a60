// Reads a text that a person or another version wrote: a regular file, not too large, and text; or says why not.
import { isUtf8 } from 'node:buffer';
import { Failure, systemErrorCode } from '../core/failure.ts';
import { type ReadLimits, readRegularFile } from '../core/read-regular-file.ts';

export type GivenText = { readonly text: string } | { readonly why: string; readonly cause?: unknown };

/** `why` goes on after the name of the file: a named pipe would be waited for, a device may do anything. */
export function readGivenText(path: string, limit: number, links: ReadLimits['links'] = 'follow'): GivenText {
  let bytes: Buffer;
  try {
    bytes = readRegularFile(path, { limit, links });
  } catch (cause) {
    return { why: whyNot(cause), cause };
  }
  if (!isUtf8(bytes) || bytes.includes(0)) return { why: 'it is not text (UTF-8)' };
  return { text: bytes.toString('utf8') };
}

function whyNot(cause: unknown): string {
  const code = systemErrorCode(cause);
  if (code !== undefined) return `it cannot be read (${code})`;
  if (!(cause instanceof Failure)) throw cause;
  const { problem } = cause;
  if ('is' in problem) return `it is ${problem.is}, not a file`;
  if ('bytes' in problem && 'limit' in problem)
    return `it has ${problem.bytes} bytes, and at most ${problem.limit} are read`;
  throw cause;
}
