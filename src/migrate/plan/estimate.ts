// About how long a move takes, from what is on the server.
import type { Plan } from '../model/plan.ts';

export interface Estimate {
  /** From the rehearsal to the end of verify, in seconds. */
  readonly whole: number;
  /** The same without the rehearsal. */
  readonly afterRehearsal: number;
  /** How long the instance that starts first is down; undefined where none runs. */
  readonly firstDown: number | undefined;
  /** The same of the one that starts last. */
  readonly lastDown: number | undefined;
  /** Whether data is copied, which takes as long as its disks need. */
  readonly copies: boolean;
}

/**
 * Seconds, as `npm run bench move` printed them of 506 instances on two processors at a load of 8 to 14: what a phase takes for
 * itself, and for each instance, snapshot and instance that runs. How long instances take to stop is theirs, and not in here.
 */
const measured = {
  rehearsal: { itself: 2, perInstance: 0.004 },
  steps: { itself: 8, perInstance: 0.01, perSnapshot: 0.01 },
  verify: { itself: 1.5, perInstance: 0.005 },
  down: { itself: 4.5, perInstance: 0.002 },
  perStart: 0.5,
} as const;

/** undefined where nothing will be carried out, or the plan does not say how large the server is. */
export function estimate({ counts, power, steps }: Plan): Estimate | undefined {
  if (counts === undefined || steps.length === 0) return undefined;
  const { instances, snapshots } = counts;
  const running = power.running.length + power.frozen.length;
  const of = ({ itself, perInstance }: { readonly itself: number; readonly perInstance: number }): number =>
    itself + perInstance * instances;
  const afterRehearsal =
    of(measured.steps) +
    measured.steps.perSnapshot * snapshots +
    measured.perStart * running +
    of(measured.verify);
  const firstDown = running === 0 ? undefined : of(measured.down);
  return {
    whole: of(measured.rehearsal) + afterRehearsal,
    afterRehearsal,
    firstDown,
    lastDown: firstDown === undefined ? undefined : firstDown + measured.perStart * (running - 1),
    copies: steps.some(({ kind }) => kind === 'copy-directory'),
  };
}

/** `20 s`, `3 min`: no more of the number than an estimate can say. */
export function roughly(seconds: number): string {
  if (seconds < 60) return `${Math.max(5, Math.ceil(seconds / 5) * 5)} s`;
  return `${Math.ceil(seconds / 60)} min`;
}

/** For a person who is about to say "go". */
export function inWords({ whole, firstDown, lastDown, copies }: Estimate): string {
  const down =
    firstDown === undefined || lastDown === undefined
      ? 'nothing runs that would be down'
      : roughly(firstDown) === roughly(lastDown)
        ? `what runs is down for about ${roughly(firstDown)} of it`
        : `what runs is down for about ${roughly(firstDown)} (the first to start) to ${roughly(lastDown)} (the last) of it`;
  const more = copies
    ? ', and as long as instances take to stop and data to be copied, most of it before anything stops'
    : firstDown === undefined
      ? ''
      : ', and as long as instances take to stop';
  return `about ${roughly(whole)}, rehearsal and verification included; ${down}${more}`;
}
