// Every write of a run passes here, one at a time: counted against the cap, or only told in a dry run.
import { inert } from '../../core/text.ts';

export interface WriteGate {
  /** Whether this write may be made now; what it is goes into the account either way. */
  ask(what: string): 'go' | 'dry-run' | 'over-limit';
  readonly written: readonly string[];
  /** What a dry run would have written. */
  readonly told: readonly string[];
  readonly refused: readonly string[];
}

export interface WriteGateOptions {
  readonly publish: boolean;
  readonly limit: number;
  /** Asked before each write: a run that is to stop, or has used up its time, begins no other. */
  readonly stop?: () => boolean;
  readonly tell?: (line: string) => void;
}

export function openWriteGate(options: WriteGateOptions): WriteGate {
  const written: string[] = [];
  const told: string[] = [];
  const refused: string[] = [];
  const tell = options.tell ?? (() => {});
  return {
    written,
    told,
    refused,
    ask(what) {
      const safe = inert(what);
      if (!options.publish) {
        told.push(safe);
        tell(`would ${safe}`);
        return 'dry-run';
      }
      if (written.length >= options.limit || options.stop?.() === true) {
        refused.push(safe);
        tell(`left for the next run: ${safe}`);
        return 'over-limit';
      }
      written.push(safe);
      tell(safe);
      return 'go';
    },
  };
}
