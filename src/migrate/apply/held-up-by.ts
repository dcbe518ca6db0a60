// What a daemon that shuts down was last seen to wait for; asking it keeps nobody waiting.
import { Failure } from '../../core/failure.ts';
import { isStopOrder, operationInWords, type RunningOperation } from '../daemon/operations.ts';

export interface HeldUpBy {
  /** Asks, where no answer is outstanding. */
  ask(): void;
  /** In words. */
  words(): readonly string[];
  /** @throws what no daemon is the cause of, where that came instead of an answer */
  throwBug(): void;
}

/** @param list a Failure of it is that of a daemon that is ending: what that said before counts */
export function heldUpBy(list: () => Promise<readonly RunningOperation[]>): HeldUpBy {
  let words: readonly string[] = [];
  let asking = false;
  let bug: { readonly error: unknown } | undefined;
  const look = async (): Promise<void> => {
    try {
      const operations = await list();
      words = operations.filter((one) => !isStopOrder(one)).map(operationInWords);
    } catch (error) {
      if (!(error instanceof Failure)) bug = { error };
    } finally {
      asking = false;
    }
  };
  return {
    ask() {
      if (asking) return;
      asking = true;
      void look();
    },
    words: () => words,
    throwBug() {
      if (bug !== undefined) throw bug.error;
    },
  };
}
