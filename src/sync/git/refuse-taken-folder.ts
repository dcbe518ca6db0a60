// Where something is to be laid out there must be nothing: a missing or an empty folder.
import * as fs from 'node:fs';
import { systemErrorCode } from '../../core/failure.ts';
import { kindOf } from '../../core/read-regular-file.ts';
import { syncFailure } from '../problem.ts';

/** @throws {Failure<SyncProblem>} checkout-refused */
export function refuseTakenFolder(path: string): void {
  const why = reasonAgainst(path);
  if (why === undefined) return;
  throw syncFailure({
    code: 'checkout-refused',
    path,
    why,
    next: 'Name a folder that does not exist yet.',
  });
}

function reasonAgainst(path: string): string | undefined {
  try {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isDirectory()) return `it is ${kindOf(stat)}`;
    return fs.readdirSync(path).length > 0 ? 'the folder is not empty' : undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return `the folder cannot be looked at (${code})`;
  }
}
