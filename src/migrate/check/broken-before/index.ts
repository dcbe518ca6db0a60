// What is broken in the source already, and would be carried along in silence: found before the move, so that nobody blames it.

import type { Finding } from '../../model/finding.ts';
import type { CheckContext } from '../context.ts';
import { checkDangling } from './dangling.ts';
import { checkDefaults } from './defaults.ts';
import { checkDuplicates } from './duplicates.ts';
import { checkFiles } from './files.ts';
import { checkForeignSchema } from './foreign-schema.ts';
import { checkHiddenRows } from './hidden-rows.ts';
import { checkLocalSchema } from './local-schema.ts';
import { checkNames } from './names.ts';
import { checkUnreadable } from './unreadable.ts';
import { checkVolumeRows } from './volume-rows.ts';

/** Rows are looked at wherever the database lies, files only in a whole data directory. */
export function checkBrokenBefore(context: CheckContext): Finding[] {
  const { db, local } = context.sourceDatabase;
  return [
    ...checkForeignSchema(db),
    ...(local === undefined ? [] : checkLocalSchema(local)),
    ...checkUnreadable(db),
    ...checkDefaults(db),
    ...checkNames(db, context.targetVersion),
    ...checkVolumeRows(db),
    ...checkDangling(db),
    ...checkDuplicates(db),
    ...checkHiddenRows(db),
    ...checkFiles(context),
  ];
}
