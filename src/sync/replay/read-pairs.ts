// Reads a file of pairs: an upstream commit and the fork commit that people made from it, one pair a line.
import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../../core/failure.ts';
import { syncFailure } from '../problem.ts';

export interface Pair {
  readonly upstream: string;
  readonly fork: string;
  /** The commit of the file, where another one is picked in its place. */
  readonly asked?: string;
}

const sha = /^[0-9a-f]{40}$/;

/** @throws {Failure<SyncProblem>} pairs-invalid, with the line */
export function readPairs(path: string): readonly Pair[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const why = `the file cannot be read (${systemErrorCode(error) ?? String(error)})`;
    throw syncFailure({ code: 'pairs-invalid', path, line: 0, why }, error);
  }
  return text.split('\n').flatMap((line, index): readonly Pair[] => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [upstream = '', fork = ''] = line.split('\t');
    if (!sha.test(upstream) || !sha.test(fork))
      throw syncFailure({ code: 'pairs-invalid', path, line: index + 1, why: 'two full shas are needed' });
    return [{ upstream, fork }];
  });
}
