// Opens GitHub for a run: the client, who it writes as, the token that git pushes with, and how often it was asked.
import { syncFailure } from '../../problem.ts';
import { forgeCall, statusOf } from './calls.ts';
import type { Credentials } from './credentials.ts';
import { type GitHubClient, openClient } from './open-client.ts';

export interface ConnectOptions {
  readonly apiUrl: string;
  readonly credentials: Credentials;
  readonly repository: string;
  /** The account that writes, where GitHub would not say. */
  readonly login: string | undefined;
  readonly mustWrite: boolean;
  readonly longestWait: number;
  readonly onWait: (why: string, seconds: number) => void;
  readonly secondMs?: number;
}

export interface ConnectedGitHub {
  readonly client: GitHubClient;
  login(): Promise<string>;
  token(): Promise<string | undefined>;
  /** Requests so far. */
  calls(): number;
}

/** What GitHub answers to a workflow's own token, which has no account to ask about. */
const workflowLogin = 'github-actions[bot]';

export async function connectGitHub(options: ConnectOptions): Promise<ConnectedGitHub> {
  const { credentials } = options;
  if (credentials.kind === 'none' && options.mustWrite)
    throw syncFailure({
      code: 'credentials-missing',
      why: 'there is no token',
      next: 'Put it into the variable FORK_SYNC_TOKEN, or name a file in forge.tokenFile.',
    });
  let calls = 0;
  const open = (which: Credentials): GitHubClient => {
    const client = openClient({ ...options, credentials: which });
    client.hook.before('request', () => {
      calls += 1;
    });
    return client;
  };
  const client = open(await withInstallation(options, open));
  return {
    client,
    calls: () => calls,
    async login() {
      if (options.login !== undefined) return options.login;
      if (credentials.kind === 'none') return '';
      return forgeCall('ask whose token this is', async () => {
        if (credentials.kind === 'app') {
          const { data } = await client.rest.apps.getAuthenticated();
          return `${data?.slug}[bot]`;
        }
        try {
          return (await client.rest.users.getAuthenticated()).data.login;
        } catch (error) {
          if (statusOf(error) === 403) return workflowLogin;
          throw error;
        }
      });
    },
    async token() {
      if (credentials.kind === 'none') return undefined;
      if (credentials.kind === 'token') return credentials.token;
      return forgeCall('ask for a token of the installation', async () => {
        const made: unknown = await client.auth({ type: 'installation' });
        return typeof made === 'object' && made !== null && 'token' in made ? String(made.token) : undefined;
      });
    },
  };
}

/** A GitHub App acts by its installation in a repository, which GitHub names to the app itself. */
async function withInstallation(
  { credentials, repository }: ConnectOptions,
  open: (which: Credentials) => GitHubClient,
): Promise<Credentials> {
  if (credentials.kind !== 'app' || credentials.installation !== undefined) return credentials;
  const [owner = '', repo = ''] = repository.split('/');
  const { data } = await forgeCall(`look for the app's installation in ${repository}`, () =>
    open(credentials).rest.apps.getRepoInstallation({ owner, repo }),
  );
  return { ...credentials, installation: data.id };
}
