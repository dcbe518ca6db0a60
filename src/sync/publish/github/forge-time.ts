// Reads times of rate limits by the forge's clock: the clock of this machine may be wrong.

const limitMs = 60_000;

/** `fetch` with a limit, and with the end of the rate limit moved into this machine's time. */
export async function forgeTimeFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, { ...init, signal: AbortSignal.timeout(limitMs) });
  const reset = Number(response.headers.get('x-ratelimit-reset'));
  const date = Date.parse(response.headers.get('date') ?? '');
  if (!(reset > 0) || Number.isNaN(date)) return response;
  const headers = new Headers(response.headers);
  headers.set('x-ratelimit-reset', String(Math.round(reset + (Date.now() - date) / 1000)));
  const copy = new Response(response.body, {
    status: response.status,
    statusText: response.statusText,
    headers,
  });
  // A made-up response has no address; octokit reports it.
  Object.defineProperty(copy, 'url', { value: response.url });
  return copy;
}
