// Walks through the entries of one segment: a closed one must be whole, an open one may end in an unfinished write.

import { batchHeaderSize, type EntryHeader, readBatch, segmentHeaderSize } from './batch.ts';
import type { ClosedSegment, OpenSegment } from './list-folder.ts';
import type { DqliteNotice } from './notice.ts';
import { dqliteFailure } from './problem.ts';
import type { ByteSource } from './read-file.ts';

/** Called for each entry; the payload is valid during the call, and undefined when only headers are read. */
export type OnEntry = (
  index: number,
  entry: EntryHeader,
  payload: Buffer | undefined,
  offset: number,
) => void;

/** @throws {Failure<DqliteProblem>} segment-damaged, format-unsupported, and what `onEntry` throws */
export function walkClosedSegment(
  source: ByteSource,
  segment: ClosedSegment,
  onEntry: OnEntry,
  headersOnly = false,
): void {
  let index = segment.first;
  const damaged = (offset: number, why: string) =>
    dqliteFailure({ code: 'segment-damaged', file: source.file, offset, lastGoodIndex: index - 1, why });
  if (source.size < segmentHeaderSize) throw damaged(0, 'the file is cut off');
  checkFormat(source, index - 1);
  let offset = segmentHeaderSize;
  while (offset < source.size) {
    const batch = readBatch(source, offset, headersOnly);
    if ('why' in batch) throw damaged(offset, batch.why);
    if (index + batch.entries.length - 1 > segment.last)
      throw damaged(offset, `it holds more entries than its name says, which end at ${segment.last}`);
    index = visit(source, batch, index, onEntry, headersOnly);
    offset = batch.end;
  }
  if (index - 1 !== segment.last)
    throw damaged(offset, `it ends at entry ${index - 1}, but its name says ${segment.last}`);
}

export interface OpenWalk {
  /** Index of the next entry. */
  readonly next: number;
  /** What was left out at the end of it. */
  readonly dropped: Extract<DqliteNotice, { code: 'tail-dropped' }> | undefined;
}

/**
 * `first` is the index that its first entry has: an open segment does not say so itself.
 * @throws {Failure<DqliteProblem>} segment-damaged, format-unsupported, and what `onEntry` throws
 */
export function walkOpenSegment(
  source: ByteSource,
  segment: OpenSegment,
  first: number,
  onEntry: OnEntry,
): OpenWalk {
  let index = first;
  const damaged = (offset: number, why: string) =>
    dqliteFailure({ code: 'segment-damaged', file: source.file, offset, lastGoodIndex: index - 1, why });
  // Prepared, but never written to.
  if (source.size < segmentHeaderSize || source.view(0, segmentHeaderSize).every((byte) => byte === 0)) {
    if (lastNonZero(source, 0) === undefined) return { next: first, dropped: undefined };
    throw damaged(
      0,
      source.size < segmentHeaderSize ? 'the file is cut off' : 'it does not begin with a format',
    );
  }
  checkFormat(source, index - 1);
  let offset = segmentHeaderSize;
  while (offset < source.size) {
    const batch = readBatch(source, offset);
    if ('why' in batch) {
      // A few zeros left over at the end are no batch that was cut off.
      if (source.size - offset < batchHeaderSize && lastNonZero(source, offset) === undefined) break;
      if (!batch.torn) throw damaged(offset, batch.why);
      const last = lastNonZero(source, offset);
      const bytes = last === undefined ? 0 : last + 1 - offset;
      return {
        next: index,
        dropped: bytes === 0 ? undefined : dropped(segment, offset, bytes, index - 1, batch.why),
      };
    }
    index = visit(source, batch, index, onEntry, false);
    offset = batch.end;
  }
  return { next: index, dropped: undefined };
}

function dropped(
  segment: OpenSegment,
  offset: number,
  bytes: number,
  lastGoodIndex: number,
  why: string,
): Extract<DqliteNotice, { code: 'tail-dropped' }> {
  return { code: 'tail-dropped', file: segment.name, offset, bytes, lastGoodIndex, why };
}

function checkFormat(source: ByteSource, lastGoodIndex: number): void {
  const format = source.view(0, segmentHeaderSize).readBigUInt64LE(0);
  if (format === 1n) return;
  if (format === 2n) throw dqliteFailure({ code: 'format-unsupported', file: source.file, format });
  throw dqliteFailure({
    code: 'segment-damaged',
    file: source.file,
    offset: 0,
    lastGoodIndex,
    why: `it begins with the unknown format ${format}`,
  });
}

function visit(
  source: ByteSource,
  batch: { readonly entries: readonly EntryHeader[]; readonly dataOffset: number; readonly end: number },
  first: number,
  onEntry: OnEntry,
  headersOnly: boolean,
): number {
  const data = headersOnly ? undefined : source.view(batch.dataOffset, batch.end - batch.dataOffset);
  let at = 0;
  let index = first;
  for (const entry of batch.entries) {
    onEntry(index, entry, data?.subarray(at, at + entry.length), batch.dataOffset + at);
    at += entry.length;
    index += 1;
  }
  return index;
}

const zeros = Buffer.alloc(1024 * 1024);

/** Offset of the last byte from `offset` on that is not zero. */
function lastNonZero(source: ByteSource, offset: number): number | undefined {
  let found: number | undefined;
  for (let at = offset; at < source.size; ) {
    const length = Math.min(zeros.length, source.size - at);
    const piece = source.view(at, length);
    if (piece.compare(zeros, 0, length) !== 0) {
      let last = length - 1;
      while (piece[last] === 0) last -= 1;
      found = at + last;
    }
    at += length;
  }
  return found;
}
