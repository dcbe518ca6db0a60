// Checks that systemd's units are as they were: what was active is, and is enabled alike; LXD's stay masked.
import type { Host } from '../../core/host.ts';
import { unitsKeptMasked } from '../apply/kept-from-starting.ts';
import {
  activeBefore,
  enabledBefore,
  mustBeUp,
  unitsDown,
  unitsEnabledOtherwise,
} from '../apply/units-as-before.ts';
import { unitStates } from '../detect/systemctl.ts';
import type { Journal } from '../journal/journal.ts';
import type { Check } from '../model/verification.ts';

/** @throws {Failure<MigrateProblem>} service-manager-failed */
export async function unitChecks(host: Host, journal: Journal, run: string): Promise<Check[]> {
  // Then LXD's units went with it.
  const isPurged = journal.latest()?.phase === 'purged';
  return [
    ...(await activeAsBefore(host, mustBeUp(activeBefore(journal, run, 'target')))),
    ...(await enabledAsBefore(host, journal, run)),
    ...(isPurged ? [] : await stillMasked(host, unitsKeptMasked(journal, run))),
  ];
}

async function activeAsBefore(host: Host, units: readonly string[]): Promise<Check[]> {
  const down = new Map((await unitsDown(host, units)).map(({ unit, state }) => [unit, state]));
  return units.map((unit) => check('unit-active-as-before', unit, 'is active as before', down.get(unit)));
}

async function enabledAsBefore(host: Host, journal: Journal, run: string): Promise<Check[]> {
  const before = enabledBefore(journal, run, 'target');
  const changed = new Map((await unitsEnabledOtherwise(host, before)).map(({ unit, now }) => [unit, now]));
  return before.map(({ unit, enabled }) =>
    check('unit-enabled-as-before', unit, `is ${enabled} as before`, changed.get(unit)),
  );
}

async function stillMasked(host: Host, units: readonly string[]): Promise<Check[]> {
  return (await unitStates(host, units)).map(({ unit, enabled }) =>
    check(
      'unit-stays-masked',
      unit,
      'is masked, so that nothing starts LXD',
      enabled === 'masked' ? undefined : enabled,
    ),
  );
}

/** @param instead how it is, where it is not as it should be */
function check(id: string, unit: string, what: string, instead: string | undefined): Check {
  return {
    id,
    object: `unit ${unit}`,
    what,
    ok: instead === undefined,
    ...(instead === undefined ? {} : { detail: `it is ${instead}` }),
  };
}
