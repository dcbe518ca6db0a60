// Turns what the file system refuses into a failure that names the file: no space, no permission, no such folder.
import { type CoreProblem, coreFailure } from './core-problem.ts';
import { type Failure, systemErrorCode } from './failure.ts';

/** Codes of Node's own mistakes (`ERR_INVALID_ARG_TYPE`) begin alike and stay bugs; the others are SQLite's words for the same. */
const refused =
  /^(?!ERR_)E[A-Z0-9]+$|^SQLITE_(FULL|PERM|NOTADB|READONLY|CANTOPEN|IOERR|CORRUPT)(_[A-Z0-9]+)*$/;

/**
 * @param operation goes on after "Could not "
 * @throws {Failure<CoreProblem>} file-system
 */
export function asFileFailure<T>(operation: string, path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw fileFailureOf(operation, path, error) ?? error;
  }
}

/** Full, broken or read-only: the fault of a disk, whatever was being done; other refusals where nobody expected them are bugs. */
const ofDisk = /^(ENOSPC|EDQUOT|EIO|EROFS)$|^SQLITE_(FULL|READONLY|IOERR)(_[A-Z0-9]+)*$/;

/** A full or broken disk shows anywhere; undefined where the error is something else. */
export function diskFailureOf(error: unknown): Failure<CoreProblem> | undefined {
  if (!ofDisk.test(systemErrorCode(error) ?? '')) return undefined;
  const { path = '' } = error as NodeJS.ErrnoException;
  return fileFailureOf('go on with a file', path, error);
}

/** The same for an error that was caught already; undefined where it is none of the file system. */
export function fileFailureOf(
  operation: string,
  path: string,
  error: unknown,
): Failure<CoreProblem> | undefined {
  const code = systemErrorCode(error);
  if (code === undefined || !refused.test(code)) return undefined;
  const errno = code === 'SQLITE_FULL' ? 'ENOSPC' : code;
  return coreFailure({ code: 'file-system', operation, path, errno }, error);
}
