// Whether nothing is at a path.
import { statSync } from 'node:fs';
import { systemErrorCode } from '../../core/failure.ts';

/** What this user may not see is not missing. */
export function isMissing(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' || code === 'ENOTDIR';
  }
}
