// An octokit client that waits as GitHub asks, and for no answer longer than it may.
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { syncFailure } from '../../problem.ts';
import type { Credentials } from './credentials.ts';
import { createPace, type PaceOptions } from './pace.ts';

export type GitHubClient = Octokit;

/** What GitHub gives of a list at once, at most. */
export const pageSize = 100;

export interface ClientOptions extends PaceOptions {
  /** `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server. */
  readonly apiUrl: string;
  readonly credentials: Credentials;
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
/** For one answer. */
const limitMs = 60_000;

export function openClient(options: ClientOptions): GitHubClient {
  const client = new Octokit({
    baseUrl: options.apiUrl,
    userAgent: 'fork-sync',
    log: quiet,
    request: {
      fetch: (input: string | URL | Request, init?: RequestInit) =>
        fetch(input, { ...init, signal: AbortSignal.timeout(limitMs) }),
    },
    ...authentication(options.credentials),
  });
  const paced = createPace(options);
  client.hook.after('request', ({ status, data, url }) => {
    // A page for people in its place: the address is that of the forge, and not of its interface.
    if (status !== 204 && (typeof data !== 'object' || data === null))
      throw syncFailure({ code: 'forge-odd', what: url, why: `${typeof data} in place of JSON` });
  });
  client.hook.wrap('request', (request, given) => paced(() => request(given), given));
  return client;
}

function authentication(credentials: Credentials): Record<string, unknown> {
  switch (credentials.kind) {
    case 'token':
      return { auth: credentials.token };
    case 'app':
      return {
        authStrategy: createAppAuth,
        auth: {
          appId: credentials.id,
          privateKey: credentials.key,
          ...(credentials.installation === undefined ? {} : { installationId: credentials.installation }),
          log: quiet,
        },
      };
    case 'none':
      return {};
  }
}
