// What changed in Incus since the switch, and what of it LXD would not have after a rollback.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { inline } from '../../core/text.ts';
import { readDatabase } from '../../dqlite/index.ts';
import { compareInventories, describeDifference } from '../inventory/compare.ts';
import { requireDatabase } from '../inventory/database/database-files.ts';
import { readInventory } from '../inventory/database/read-inventory.ts';
import { releaseHeld } from '../inventory/release-held.ts';
import type { Journal } from '../journal/journal.ts';
import { noteNames, requiredNote, toPowerRecord } from '../journal/noted.ts';
import type { Finding } from '../model/finding.ts';
import type { Inventory } from '../model/inventory.ts';
import { convertFiles } from '../plan/index.ts';
import { migrationRules } from '../rules/migration-rules.ts';

export interface ChangesSinceSwitch {
  readonly findings: readonly Finding[];
  /** What is gone, each with its kind (`instance default/c1`): LXD has it in its database and nowhere else. */
  readonly gone: readonly string[];
}

/**
 * Compares Incus's database, read from its files, with the one that it was given.
 * @param folder where the run keeps LXD's own database
 */
export function changesSinceSwitch(
  host: Host,
  journal: Journal,
  run: string,
  folder: string,
): ChangesSinceSwitch {
  const nothing = { findings: [], gone: [] };
  const plan = journal.plan(run);
  const source = join(folder, 'source-database');
  if (plan.target === undefined || !existsSync(host.path(source))) return nothing;
  const database = join(plan.target.dataDirectory, 'database', 'global');
  if (!existsSync(host.path(database))) return nothing;
  const { conversion } = convertFiles(host, source, {
    plan,
    power: toPowerRecord(requiredNote(journal, run, noteNames.power)),
    pinsFromHost: new Map(requiredNote(journal, run, noteNames.pins)),
  });
  const given = readInventory(conversion.image);
  const expected = {
    ...given,
    instances: given.instances.map((instance) => releaseHeld(instance, conversion.held)),
  };
  let now: Inventory;
  try {
    now = readInventory(readDatabase(requireDatabase(host.path(plan.target.dataDirectory)).global).bytes);
  } catch (error) {
    if (!(error instanceof Failure) && systemErrorCode(error) === undefined) throw error;
    // It may be why somebody goes back.
    const unknown = withObjects({
      id: 'since-switch-unknown',
      severity: 'note',
      objects: [inline(error instanceof Error ? error.message : String(error))],
      what: "Incus's database cannot be read, so nobody can tell what changed in Incus since the move.",
      action:
        'LXD comes back as it was before the move. The database of Incus is kept in the folder of the run.',
    });
    return { findings: unknown, gone: [] };
  }
  const differences = compareInventories(expected, now, migrationRules().accepted_differences);
  const whole = (change: 'missing' | 'extra'): string[] =>
    differences
      .filter((found) => found.change === change && found.field === undefined)
      .map(({ object }) => object);
  const changed = differences.filter(({ field }) => field !== undefined).map(describeDifference);
  const gone = whole('missing');
  const findings = [
    ...withObjects({
      id: 'gone-since-switch',
      severity: 'loss',
      objects: gone,
      what: 'These were deleted or renamed in Incus. LXD would still list them, without their data.',
      action: 'With --accept LXD comes back all the same, and starts none of them; delete them there.',
      answers: ['accept'],
    }),
    ...withObjects({
      id: 'new-since-switch',
      severity: 'note',
      objects: whole('extra'),
      what: 'These were made in Incus. LXD will not know them.',
      action:
        'Nothing of them is deleted: their data stays in the storage pools. Until it is removed there, LXD can neither delete what has a new snapshot nor make something of the same name.',
    }),
    ...withObjects({
      id: 'changed-since-switch',
      severity: 'note',
      objects: changed,
      what: 'These were changed in Incus.',
      action: 'LXD shows them as they were before the move.',
    }),
  ];
  return { findings, gone };
}

function withObjects(finding: Finding): Finding[] {
  return finding.objects.length === 0 ? [] : [finding];
}
