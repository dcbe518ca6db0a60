// What changed in Incus since the switch, and what of it LXD would not have after a rollback.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import type { Finding } from '../check/index.ts';
import { readDatabaseFiles } from '../inventory/database-files.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { readInventory } from '../inventory/read-inventory.ts';
import { convertFiles, type Plan } from '../plan/index.ts';
import { migrationRules } from '../rules/migration-rules.ts';
import { compareInventories, describeDifference } from '../verify/compare.ts';
import { releaseHeld } from '../verify/release-held.ts';
import type { Journal } from './journal.ts';
import { noteNames, type StoredPower, toPowerRecord } from './step-handler.ts';

/**
 * Compares Incus's database, read from its files, with the one that it was given.
 * @param folder where the run keeps LXD's own database
 */
export function changesSinceSwitch(host: Host, journal: Journal, run: string, folder: string): Finding[] {
  const plan = journal.plan(run) as Plan;
  const source = join(folder, 'source-database');
  if (plan.target === undefined || !existsSync(host.path(source))) return [];
  const database = join(plan.target.dataDirectory, 'database', 'global');
  if (!existsSync(host.path(database))) return [];
  const { conversion } = convertFiles(host, source, {
    plan,
    power: toPowerRecord(journal.noted(run, noteNames.power) as StoredPower),
    pinsFromHost: new Map(journal.noted(run, noteNames.pins) as [string, string][]),
  });
  const given = readInventory(conversion.image);
  const expected = {
    ...given,
    instances: given.instances.map((instance) => releaseHeld(instance, conversion.held)),
  };
  let now: Inventory;
  try {
    now = readInventory(readDatabaseFiles(host.path(plan.target.dataDirectory)).image.bytes);
  } catch (error) {
    if (!(error instanceof Failure) && systemErrorCode(error) === undefined) throw error;
    // It may be why somebody goes back.
    return finding(
      'since-switch-unknown',
      'note',
      [error instanceof Error ? error.message : String(error)],
      "Incus's database cannot be read, so nobody can tell what changed in Incus since the move.",
      'LXD comes back as it was before the move. The database of Incus is kept in the folder of the run.',
    );
  }
  const differences = compareInventories(expected, now, migrationRules().accepted_differences);
  const whole = (change: 'missing' | 'extra'): string[] =>
    differences
      .filter((found) => found.change === change && found.field === undefined)
      .map(({ object }) => object);
  const changed = differences.filter(({ field }) => field !== undefined).map(describeDifference);
  return [
    ...finding(
      'gone-since-switch',
      'loss',
      whole('missing'),
      'These were deleted or renamed in Incus. LXD would still list them, without their data.',
      'With --accept LXD comes back all the same; delete them there.',
      ['accept'],
    ),
    ...finding(
      'new-since-switch',
      'note',
      whole('extra'),
      'These were made in Incus. LXD will not know them.',
      'Nothing of them is deleted: their data stays in the storage pools. Until it is removed there, LXD can neither delete what has a new snapshot nor make something of the same name.',
    ),
    ...finding(
      'changed-since-switch',
      'note',
      changed,
      'These were changed in Incus.',
      'LXD shows them as they were before the move.',
    ),
  ];
}

function finding(
  id: string,
  severity: Finding['severity'],
  objects: readonly string[],
  what: string,
  action: string,
  answers?: Finding['answers'],
): Finding[] {
  if (objects.length === 0) return [];
  return [{ id, severity, objects, what, action, ...(answers === undefined ? {} : { answers }) }];
}
