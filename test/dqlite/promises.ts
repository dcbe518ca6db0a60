// What reading must do with any directory whatsoever; shared by the unit test on mutations and by fuzzing.
import { createHash } from 'node:crypto';
import { Failure } from '../../src/core/failure.ts';
import { type DatabaseImage, raftPosition, readDatabase } from '../../src/dqlite/index.ts';

export type Outcome = 'read' | 'salvaged' | 'refused';

/**
 * Reads a directory in every way. Throws for anything but results that agree with each other and known failures.
 * `around` is called for each reading, to watch over its time.
 */
export function holdPromises(folder: string, around: <T>(use: () => T) => T = (use) => use()): Outcome {
  const plain = attempt(() => summary(around(() => readDatabase(folder))));
  const salvaged = attempt(() => summary(around(() => readDatabase(folder, { salvage: true }))));
  const position = attempt(() => around(() => raftPosition(folder)));
  if (plain !== undefined) {
    // It goes further only where a daemon would leave out a snapshot whose pages are there.
    if (salvaged === undefined || (salvaged.hash !== plain.hash && salvaged.lastIndex <= plain.lastIndex))
      throw new Error('salvage gives something else');
    if (position === undefined) throw new Error('the database can be read, but not its position');
    if (position.lastIndex !== plain.lastIndex || position.lastTerm !== plain.lastTerm)
      throw new Error(
        `position ${position.lastIndex}/${position.lastTerm} of ${plain.lastIndex}/${plain.lastTerm}`,
      );
    return 'read';
  }
  return salvaged === undefined ? 'refused' : 'salvaged';
}

function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** What is compared, without the image itself: two large ones would not both fit the limit of memory. */
function summary({ bytes, lastIndex, lastTerm, notices }: DatabaseImage): {
  readonly hash: string;
  readonly lastIndex: number;
  readonly lastTerm: number;
} {
  if (bytes.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw new Error('no SQLite file');
  if (bytes[18] !== 1 || bytes[19] !== 1) throw new Error('not in rollback mode');
  if (bytes.length % 512 !== 0 || bytes.length === 0) throw new Error(`a file of ${bytes.length} bytes`);
  // The copy from the last clean stop does not say which entry it goes up to.
  const fromDump = notices.some(({ code }) => code === 'from-dump');
  if (lastIndex < 1 !== fromDump) throw new Error(`last index ${lastIndex}`);
  return { hash: createHash('sha1').update(bytes).digest('hex'), lastIndex, lastTerm };
}
