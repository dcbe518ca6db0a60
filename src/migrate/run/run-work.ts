// A run and what its work needs. Nothing here prints: who calls is told.
import type { Host } from '../../core/host.ts';
import type { Journal } from '../journal/journal.ts';
import type { PlannedOn } from './conversions.ts';
import type { Purge } from './purge-source.ts';

export interface RunWork {
  readonly host: Host;
  readonly plannedOn: PlannedOn;
  readonly journal: Journal;
  readonly run: string;
  readonly folder: string;
  readonly stopLimitMs: number;
  readonly forceStop: boolean;
  /** What goes after a green verify; undefined: LXD is kept. */
  readonly purge: Purge | undefined;
  /** Where the report goes; undefined: into the folder. */
  readonly report: string | undefined;
  readonly interrupted: () => boolean;
  /** A line for the person who waits. */
  say(text: string): void;
  /** A line that stays. */
  warn(text: string): void;
}
