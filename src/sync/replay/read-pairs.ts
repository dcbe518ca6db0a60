// Reads a file of pairs: an upstream commit and the fork commit that people made from it, one pair a line.
import { syncFailure } from '../problem.ts';
import { readGivenText } from '../read-given-text.ts';

export interface Pair {
  readonly upstream: string;
  readonly fork: string;
  /** The commit of the file, where another one is picked in its place. */
  readonly asked?: string;
}

/** More than 300,000 pairs. */
const largestFile = 64 * 1024 * 1024;
const sha = /^[0-9a-f]{40}$/;

/** @throws {Failure<SyncProblem>} pairs-invalid, with the line */
export function readPairs(path: string): readonly Pair[] {
  const read = readGivenText(path, largestFile);
  if ('why' in read)
    throw syncFailure({ code: 'pairs-invalid', path, line: undefined, why: read.why }, read.cause);
  return read.text.split('\n').flatMap((line, index): readonly Pair[] => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [upstream = '', fork = ''] = line.split('\t');
    if (!sha.test(upstream) || !sha.test(fork))
      throw syncFailure({ code: 'pairs-invalid', path, line: index + 1, why: 'two full shas are needed' });
    return [{ upstream, fork }];
  });
}
