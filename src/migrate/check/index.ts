// check: everything that stands in the way of a move, would be lost by it, or will be changed.

import type { Finding } from '../model/finding.ts';
import { checkBrokenBefore } from './broken-before/index.ts';
import { checkCapabilities } from './capabilities.ts';
import { checkCells } from './cells.ts';
import type { CheckContext } from './context.ts';
import { checkDatabase, checkSchema } from './database.ts';
import { checkFileSystem } from './file-system.ts';
import { checkInstances } from './instances.ts';
import { checkMemberConfig } from './member-config.ts';
import { checkTarget } from './target.ts';

export type { CheckContext, OpenDatabase } from './context.ts';

/** Ids after which nothing more is asked of the database, and nothing of it converted. */
export const unreadableDatabase: readonly string[] = ['schema-unknown', 'database-cell'];

/** Looks only; nothing is changed and no daemon is asked. */
export function check(context: CheckContext): Finding[] {
  const unknown = checkSchema(context);
  if (unknown.length > 0) return unknown;
  const odd = checkCells(context);
  if (odd.length > 0) return odd;
  return [
    ...checkDatabase(context),
    ...checkTarget(context),
    ...checkFileSystem(context),
    ...checkMemberConfig(context),
    ...checkInstances(context),
    ...checkCapabilities(context),
    ...checkBrokenBefore(context),
  ];
}
