// Calls to GitHub: failures become problems of ours, and a write whose answer got lost is looked for before it is repeated.
import { Failure } from '../../../core/failure.ts';
import { syncFailure } from '../../problem.ts';

const attempts = 3;

/** The HTTP status of an octokit error; 500 also for an answer that never came. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}

/**
 * Nothing of the request is kept (its headers hold the token), only what GitHub said.
 * @throws {Failure<SyncProblem>} forge-failed, forge-limit
 */
export async function forgeCall<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asProblem(what, error);
  }
}

function asProblem(what: string, error: unknown): unknown {
  const status = statusOf(error);
  if (error instanceof Failure || status === undefined || !(error instanceof Error)) return error;
  const headers = headersOf(error);
  const limited =
    (status === 403 || status === 429) &&
    (headers['x-ratelimit-remaining'] === '0' ||
      headers['retry-after'] !== undefined ||
      /secondary rate/i.test(error.message));
  if (limited) return syncFailure({ code: 'forge-limit', what });
  return syncFailure({ code: 'forge-failed', what, status, answer: error.message });
}

export function headersOf(error: Error): Readonly<Record<string, unknown>> {
  const response = 'response' in error ? error.response : undefined;
  const headers =
    typeof response === 'object' && response !== null && 'headers' in response ? response.headers : undefined;
  return typeof headers === 'object' && headers !== null ? (headers as Record<string, unknown>) : {};
}

/**
 * Makes something once: after a failure that may have come after the write (no answer, 5xx, or 422 "already exists")
 * it is looked for, and only made again when it is not there.
 */
export async function createOnce<T>(options: {
  readonly what: string;
  readonly pauseMs: number;
  readonly find: () => Promise<T | undefined>;
  readonly create: () => Promise<T>;
}): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await options.create();
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined || (status < 500 && status !== 422)) throw asProblem(options.what, error);
      if (status >= 500)
        await new Promise((resolve) => setTimeout(resolve, attempt * attempt * options.pauseMs));
      const found = await options.find();
      if (found !== undefined) return found;
      if (status === 422 || attempt >= attempts) throw asProblem(options.what, error);
    }
  }
}
