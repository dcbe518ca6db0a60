// Waits as GitHub asks, by GitHub's own clock and by a counter that nobody sets: between writes, for limits, after a failure.
import { setTimeout as sleep } from 'node:timers/promises';
import { headersOf, statusOf } from './calls.ts';

export interface PaceOptions {
  /** Longest wait for a rate limit to end, in seconds; longer ones end the run, to be resumed. */
  readonly longestWait: number;
  /** Told of every wait for a limit. */
  readonly onWait?: (why: string, seconds: number) => void;
  /** Milliseconds that a second lasts: tests do not wait. */
  readonly secondMs?: number;
}

/** What is looked at of a request; `retries: 0` says that making it twice would do harm. */
export interface PacedRequest {
  readonly method: string;
  readonly url: string;
  readonly request?: object;
}

const attempts = 3;
/** Answers that another try would not change. */
const final = new Set([400, 401, 403, 404, 410, 422, 429, 451]);
/** What GitHub asks to wait for where it does not say how long (docs.github.com, Rate limits for the REST API). */
const usualWait = 60;

/** Wraps requests of one client. */
export function createPace(options: PaceOptions) {
  const secondMs = options.secondMs ?? 1000;
  let free = 0;
  // GitHub's own advice: at least one second between requests that write, more for those that notify people.
  // (docs.github.com, Best practices for using the REST API)
  const turn = async (seconds: number): Promise<void> => {
    const now = performance.now();
    const begin = Math.max(now, free);
    free = begin + seconds * secondMs;
    if (begin > now) await sleep(begin - now);
  };
  return async <T>(request: () => T | Promise<T>, given: PacedRequest): Promise<T> => {
    const gap = gapAround(given);
    for (let limited = 0, failed = 0; ; ) {
      if (gap > 0) await turn(gap);
      try {
        return await request();
      } catch (error) {
        const limit = limitOf(error);
        if (limit !== undefined) {
          if (limit.seconds > options.longestWait || limited >= attempts) throw error;
          limited += 1;
          options.onWait?.(limit.why, limit.seconds);
          await sleep(limit.seconds * secondMs);
          continue;
        }
        const status = statusOf(error);
        const most = isOnce(given) ? 0 : attempts;
        if (status === undefined || status < 400 || final.has(status) || failed >= most) throw error;
        failed += 1;
        await sleep(failed * failed * secondMs);
      }
    }
  };
}

function isOnce({ request }: PacedRequest): boolean {
  return request !== undefined && 'retries' in request && request.retries === 0;
}

/** Seconds that have to be between this request and the next write. */
function gapAround({ method, url }: PacedRequest): number {
  // Asking for a token changes nothing that people see.
  if (method === 'GET' || method === 'HEAD' || url.endsWith('/access_tokens')) return 0;
  return method === 'POST' && /\/(?:issues|pulls|comments)$/.test(url) ? 3 : 1;
}

/** How long a refusal asks to wait: the forge says when by its own clock, and what its clock says now. */
function limitOf(error: unknown): { readonly why: string; readonly seconds: number } | undefined {
  const status = statusOf(error);
  if ((status !== 403 && status !== 429) || !(error instanceof Error)) return undefined;
  const headers = headersOf(error);
  const after = Number(headers['retry-after']);
  if (/\bsecondary rate\b/i.test(error.message) || after > 0)
    return { why: 'the secondary rate limit', seconds: after > 0 ? after : usualWait };
  if (headers['x-ratelimit-remaining'] !== '0') return undefined;
  const [reset, now] = [Number(headers['x-ratelimit-reset']), Date.parse(String(headers['date'])) / 1000];
  const left = reset - now;
  // One second more, so that it is over by then.
  return {
    why: 'the rate limit',
    seconds: Number.isFinite(left) ? Math.max(0, Math.ceil(left)) + 1 : usualWait,
  };
}
