// Time that a process has itself lived through: while it is stopped, or the machine sleeps, nothing hangs.

/** Of a clock that is looked at at least this often, what is longer was no time of this process. */
const longestTickMs = 1_000;

export interface LivedTime {
  /** Milliseconds since the start, to be called about ten times a second. */
  tick(): number;
  start(): void;
}

export function livedTime(clock: () => number): LivedTime {
  let lived = 0;
  let last = clock();
  return {
    tick() {
      const now = clock();
      lived += Math.min(now - last, longestTickMs);
      last = now;
      return lived;
    },
    start() {
      lived = 0;
      last = clock();
    },
  };
}
