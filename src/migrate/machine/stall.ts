// Whether something that runs beside this process has stopped working. A copy that still makes progress is never ended.
import type { Host } from '../../core/host.ts';
import { untilDone } from './until-done.ts';

/** @returns to be asked again and again: what is wrong, once none of them has done anything for the limit */
export function stallOf(host: Host, pids: readonly number[]): () => string | undefined {
  const { timeoutMs } = untilDone;
  let last = host.work(pids);
  let since = host.clock();
  return () => {
    const [now, clock] = [host.work(pids), host.clock()];
    if (now !== last) {
      last = now;
      since = clock;
    }
    return clock - since < timeoutMs ? undefined : `did nothing for ${timeoutMs / 60_000} min and was ended`;
  };
}
