// Writes a page to where people want it; whether that can be done shows before the work for it begins.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { writeFileDurable } from '../../core/durable.ts';
import { systemErrorCode } from '../../core/failure.ts';
import { kindOf } from '../../core/read-regular-file.ts';
import { syncFailure } from '../problem.ts';

/** @throws {Failure<SyncProblem>} cannot-write, where it is certain already that the page could not be written */
export function checkPagePath(path: string | undefined): void {
  if (path === undefined) return;
  // The page takes the place of what is there: of a file it may, of a device it would leave the system without one.
  const there = fs.lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile())
    throw syncFailure({ code: 'cannot-write', path, why: `it is ${kindOf(there)}` });
  try {
    fs.accessSync(dirname(path), fs.constants.W_OK | fs.constants.X_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** Writes a page that everybody may read. */
export function writePage(path: string, html: string): void {
  try {
    writeFileDurable(path, html, 0o644);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function cannotWrite(path: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  return code === undefined ? error : syncFailure({ code: 'cannot-write', path, why: code }, error);
}
