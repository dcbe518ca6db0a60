// The state of a run: one typed value, made of what the journal holds and of whether a process is at work on it. Every
// command asks it what it may do.
import { unreachable } from '../../core/failure.ts';

/** What the journal holds of a run. */
export const journalPhases = [
  /** Begun, and its steps are being carried out, or were. */
  'applying',
  'done',
  'rolling-back',
  'rolled-back',
  /** Done, and the source is being removed: there is no way back any more. */
  'purging',
  'purged',
] as const;
export type JournalPhase = (typeof journalPhases)[number];

export type RunPhase =
  | 'planned'
  | 'applying'
  | 'interrupted'
  | 'done'
  | 'rolling-back'
  | 'rollback-interrupted'
  | 'rolled-back'
  | 'purging'
  | 'purge-interrupted'
  | 'purged';

export interface RunState {
  readonly phase: RunPhase;
  /**
   * Why it is not as it should be: the step that failed, the checks that verify did not pass, the undo that could not be
   * done, or what a rollback that is complete could not bring back. undefined: nothing failed.
   */
  readonly failed: string | undefined;
}

export interface RecordedState {
  readonly phase: JournalPhase;
  readonly failed: string | undefined;
  /** Whether any step was begun, undone ones included. */
  readonly anyBegun: boolean;
}

/** @param atWork whether a process holds the lock of the tool's folder */
export function runState({ phase, failed, anyBegun }: RecordedState, atWork: boolean): RunState {
  switch (phase) {
    case 'applying':
      return { phase: atWork ? 'applying' : anyBegun ? 'interrupted' : 'planned', failed };
    case 'rolling-back':
      return { phase: atWork ? 'rolling-back' : 'rollback-interrupted', failed };
    case 'purging':
      return { phase: atWork ? 'purging' : 'purge-interrupted', failed };
    case 'done':
    case 'rolled-back':
    case 'purged':
      return { phase, failed };
    default:
      return unreachable(phase);
  }
}

/** What a command may do with the latest run. */
export interface Possible {
  /** A new migration may begin. */
  readonly migrate: boolean;
  readonly resume: boolean;
  readonly rollback: boolean;
  /** Whether the target has the data, so that it can be verified. */
  readonly verify: boolean;
}

export function possible({ phase, failed }: RunState): Possible {
  const nothing = { migrate: false, resume: false, rollback: false, verify: false };
  switch (phase) {
    // Somebody is at work: the lock refuses all of them.
    case 'applying':
    case 'rolling-back':
    case 'purging':
      return nothing;
    case 'planned':
    case 'interrupted':
    case 'rollback-interrupted':
      return { ...nothing, resume: true, rollback: true };
    case 'done':
      return failed === undefined
        ? { migrate: true, resume: false, rollback: true, verify: true }
        : { migrate: false, resume: true, rollback: true, verify: true };
    case 'rolled-back':
      return { ...nothing, migrate: true };
    case 'purge-interrupted':
      return { ...nothing, resume: true, verify: true };
    case 'purged':
      return { ...nothing, migrate: true, verify: true };
    default:
      return unreachable(phase);
  }
}

/** Whether a run stands in the way of a new one until it is resumed or rolled back. */
export function isUnfinished(state: RunState): boolean {
  const { resume, rollback, migrate } = possible(state);
  return !migrate && (resume || rollback);
}

/** The first line of what `status` says. */
export function describeState({ phase, failed }: RunState): string {
  switch (phase) {
    case 'planned':
      return 'Begun, and no step was carried out yet';
    case 'applying':
      return 'A migration is under way';
    case 'interrupted':
      return failed === undefined
        ? 'Not finished: the migration was interrupted'
        : 'Not finished: a step failed';
    case 'done':
      return failed === undefined ? 'Migrated and verified' : 'Migrated, and verifying failed';
    case 'rolling-back':
      return 'A rollback is under way';
    case 'rollback-interrupted':
      return failed === undefined
        ? 'Not finished: the rollback was interrupted'
        : 'Not finished: the rollback could not be completed';
    case 'rolled-back':
      return failed === undefined
        ? 'Rolled back: LXD is as it was'
        : 'Rolled back: LXD is back, but not everything is as it was';
    case 'purging':
      return 'LXD is being removed (--purge-source)';
    case 'purge-interrupted':
      return 'Migrated and verified. Removing LXD (--purge-source) was interrupted: there is no way back';
    case 'purged':
      return 'Migrated and verified. What was left of LXD was removed (--purge-source): there is no way back';
    default:
      return unreachable(phase);
  }
}
