// Units of both daemons as they were when the migration began: which were active, and how each was enabled.
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { isUp, type UnitActivity, type UnitState, unitActivity, unitStates } from '../detect/systemctl.ts';
import type { Journal } from '../journal/journal.ts';
import type { ApplyContext } from './step-handler.ts';
import { daemonMemo, unitsMemo } from './steps/units-memo.ts';

const startLimitMs = 700_000;
/** systemd may have a unit's start still before it when the daemon answers already. */
const comingUpMs = 10_000;

/** Units that were active before the daemon was stopped; none where a former version did not write them down. */
export function activeBefore(journal: Journal, run: string, role: 'source' | 'target'): string[] {
  return journal
    .steps(run)
    .flatMap(({ step, memo }) =>
      step.kind === 'stop-daemon' && step.daemon.role === role
        ? (daemonMemo.safeParse(memo).data?.active ?? [])
        : [],
    );
}

/** Not a service whose socket starts it: it comes when somebody calls, and may end by itself when nobody does. */
export function mustBeUp(active: readonly string[]): string[] {
  return active.filter(
    (unit) => unit.endsWith('.socket') || !active.includes(unit.replace(/\.service$/, '.socket')),
  );
}

/** Starts those that are not up. What does not start is said, and is found again when all is compared at the end. */
export async function startUnits({ host, warn }: ApplyContext, units: readonly string[]): Promise<void> {
  try {
    const down = (await unitActivity(host, units)).filter((unit) => !isUp(unit)).map(({ unit }) => unit);
    if (down.length > 0) await host.run(['systemctl', 'start', ...down], { timeoutMs: startLimitMs });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(`of ${units.join(', ')}, which were active before, not all were started again: ${error.message}`);
  }
}

/** Those that are not up, and do not come up in a moment. */
export async function unitsDown(host: Host, units: readonly string[]): Promise<UnitActivity[]> {
  const end = host.clock() + comingUpMs;
  for (;;) {
    const down = (await unitActivity(host, units)).filter((unit) => !isUp(unit));
    if (down.length === 0 || host.clock() >= end) return down;
    await host.sleep(250);
  }
}

/** How the units of a daemon were enabled; undefined of one whose units no step has touched. */
export function enabledBefore(
  journal: Journal,
  run: string,
  role: 'source' | 'target',
): readonly UnitState[] {
  // LXD's are masked after they were disabled: the earlier step has seen them as they were.
  const kind = role === 'source' ? 'disable-source' : 'mask-target';
  return journal
    .steps(run)
    .flatMap(({ step, memo }) => (step.kind === kind ? (unitsMemo.safeParse(memo).data?.states ?? []) : []));
}

export interface ChangedUnit extends UnitState {
  readonly now: string;
}

export async function unitsEnabledOtherwise(
  host: Host,
  before: readonly UnitState[],
): Promise<ChangedUnit[]> {
  const known = before.filter(({ enabled }) => enabled !== 'unknown');
  const now = await unitStates(
    host,
    known.map(({ unit }) => unit),
  );
  return known.flatMap((state, index) => {
    const found = now[index]?.enabled ?? '';
    return found === state.enabled ? [] : [{ ...state, now: found }];
  });
}

/** What of the units of both is not as the run found it, each in words; for the end of a rollback. */
export async function unitsNotAsBefore(host: Host, journal: Journal, run: string): Promise<string[]> {
  const lines: string[] = [];
  for (const role of ['source', 'target'] as const) {
    try {
      const changed = await unitsEnabledOtherwise(host, enabledBefore(journal, run, role));
      const down = await unitsDown(host, mustBeUp(activeBefore(journal, run, role)));
      lines.push(
        ...changed.map(({ unit, enabled, now }) => `unit ${unit} is ${now}; it was ${enabled}`),
        ...down.map(({ unit, state }) => `unit ${unit} is ${state}; it was active`),
      );
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const name = role === 'source' ? 'LXD' : 'Incus';
      lines.push(`whether the units of ${name} are as before could not be asked: ${error.message}`);
    }
  }
  return lines;
}
