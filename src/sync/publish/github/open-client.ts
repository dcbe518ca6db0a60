// An octokit client that waits as GitHub asks: one write a second, rate limits, and retries of what is safe to repeat.
import { createAppAuth } from '@octokit/auth-app';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import { Octokit } from '@octokit/rest';
import Bottleneck from 'bottleneck';
import type { Credentials } from './credentials.ts';
import { forgeTimeFetch } from './forge-time.ts';

const Client = Octokit.plugin(throttling, retry);
export type GitHubClient = InstanceType<typeof Client>;

/** What GitHub gives of a list at once, at most. */
export const pageSize = 100;

export interface ClientOptions {
  /** `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server. */
  readonly apiUrl: string;
  readonly credentials: Credentials;
  /** Longest wait for a rate limit to end, in seconds; longer ones end the run, to be resumed. */
  readonly longestWait: number;
  /** Told of every wait. */
  readonly onWait?: (why: string, seconds: number) => void;
  /** Milliseconds that a second lasts: tests do not wait. */
  readonly secondMs?: number;
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Limits of one client: the plugin's own would be shared with every other client in this process. */
function limiter(gapMs: number): Bottleneck.Group {
  return new Bottleneck.Group({ maxConcurrent: 1, minTime: gapMs });
}

export function openClient(options: ClientOptions): GitHubClient {
  const secondMs = options.secondMs ?? 1000;
  const { credentials } = options;
  const limited =
    (why: string) =>
    (seconds: number, _request: unknown, _client: unknown, retries: number): boolean => {
      if (seconds > options.longestWait || retries >= 3) return false;
      options.onWait?.(why, seconds);
      return true;
    };
  return new Client({
    baseUrl: options.apiUrl,
    userAgent: 'fork-sync',
    log: quiet,
    request: { fetch: forgeTimeFetch },
    ...authentication(credentials),
    throttle: {
      retryAfterBaseValue: secondMs,
      onRateLimit: limited('the rate limit'),
      onSecondaryRateLimit: limited('the secondary rate limit'),
      // GitHub's own advice: at least one second between requests that write, more for those that notify people.
      // (docs.github.com, Best practices for using the REST API)
      write: limiter(secondMs),
      notifications: limiter(3 * secondMs),
    },
    retry: { retryAfterBaseValue: secondMs },
  });
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
