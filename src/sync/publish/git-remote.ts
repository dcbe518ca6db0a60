// The repository that is pushed to, by git's own protocol. The token travels in git's environment, never in an argument.
import { Failure } from '../../core/failure.ts';
import { type Argv, run } from '../../core/run.ts';
import { gitEnvironment, noTidying } from '../git/git-environment.ts';
import { networkLimitMs, noStalling } from '../git/time-limit.ts';
import { syncFailure } from '../problem.ts';

export interface RemoteOptions {
  readonly url: string;
  /** The local repository that objects come from and go to. */
  readonly gitDir: string;
  /** Asked for each time: the token of a GitHub App lives an hour. */
  readonly token: () => Promise<string | undefined>;
}

export interface RefChange {
  readonly ref: string;
  /** Undefined deletes it. */
  readonly to: string | undefined;
  /** What must be there now; undefined: nothing. */
  readonly from: string | undefined;
}

export interface GitRemote {
  readonly url: string;
  /** Refs whose names begin with one of the prefixes, with what they point to. */
  list(prefixes: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** All or nothing. `moved`: something else is there than was expected, since somebody was faster. */
  push(changes: readonly RefChange[]): Promise<'pushed' | 'moved'>;
  fetch(refs: readonly string[]): Promise<void>;
}

const protocols = /^(?:https?|file|ssh):\/\//;

export function openRemote(options: RemoteOptions): GitRemote {
  const { url, gitDir } = options;
  const git = async (args: readonly string[], accept: 'any' | readonly number[] = []) => {
    const argv: Argv = ['git', `--git-dir=${gitDir}`, ...args];
    try {
      return await run(argv, {
        timeoutMs: networkLimitMs,
        env: await remoteEnvironment(url, await options.token()),
        accept,
      });
    } catch (error) {
      throw asRemoteProblem(url, error);
    }
  };
  const list: GitRemote['list'] = async (prefixes) => {
    const result = await git([
      'ls-remote',
      '--quiet',
      '--refs',
      '--',
      url,
      ...prefixes.map((one) => `${one}*`),
    ]);
    const refs = new Map<string, string>();
    for (const line of result.stdout.toString('utf8').split('\n')) {
      const [sha, ref] = line.split('\t');
      // The patterns match any end of a name: `main` is also `refs/heads/old/main`.
      if (sha !== undefined && ref !== undefined && prefixes.some((prefix) => ref.startsWith(prefix)))
        refs.set(ref, sha);
    }
    return refs;
  };
  return {
    url,
    list,
    async push(changes) {
      const real = changes.filter(({ from, to }) => from !== to);
      if (real.length === 0) return 'pushed';
      const result = await git(
        [
          'push',
          '--porcelain',
          '--atomic',
          '--no-verify',
          '--no-signed',
          ...real.map(({ ref, from }) => `--force-with-lease=${ref}:${from ?? ''}`),
          '--',
          url,
          ...real.map(({ ref, to }) => `${to ?? ''}:${ref}`),
        ],
        [1],
      );
      if (result.status === 0) return 'pushed';
      const refused = result.stdout
        .toString('utf8')
        .split('\n')
        .filter((line) => line.startsWith('!'));
      const detail = [result.stderr.toString('utf8').trim(), ...refused].join('\n').slice(-2000);
      // Words of git do not tell a race from a hook, nor a push that failed from one whose answer got lost: the refs do.
      const now = await list(real.map(({ ref }) => ref)).catch(() => {
        throw syncFailure({ code: 'remote-failed', remote: url, detail });
      });
      if (real.every(({ ref, to }) => now.get(ref) === to)) return 'pushed';
      if (real.some(({ ref, from }) => now.get(ref) !== from)) return 'moved';
      // Git says this of each ref when the answer broke off.
      const unanswered = refused.every((line) => line.includes('[remote failure]'));
      throw syncFailure({ code: unanswered ? 'remote-failed' : 'push-refused', remote: url, detail });
    },
    async fetch(refs) {
      await git(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', url, ...refs]);
    },
  };
}

/** A header that goes to this server only, and to none that it points to. */
export async function remoteEnvironment(
  url: string,
  token: string | undefined,
): Promise<Readonly<Record<string, string | undefined>>> {
  if (!protocols.test(url))
    throw syncFailure({
      code: 'remote-failed',
      remote: url,
      detail: 'Only https://, http://, ssh:// and file:// addresses are used.',
    });
  const settings: (readonly [string, string])[] = [
    ['http.followRedirects', 'false'],
    ['credential.helper', ''],
    ['core.hooksPath', '/dev/null'],
    ['push.followTags', 'false'],
    ...noTidying,
    ...noStalling,
  ];
  if (token !== undefined && url.startsWith('http')) {
    const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
    settings.push([`http.${new URL(url).origin}/.extraHeader`, `Authorization: Basic ${basic}`]);
  }
  return {
    ...gitEnvironment,
    GIT_ASKPASS: undefined,
    SSH_ASKPASS: undefined,
    // Traces would print headers.
    GIT_TRACE: undefined,
    GIT_TRACE_CURL: undefined,
    GIT_CURL_VERBOSE: undefined,
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

function asRemoteProblem(url: string, error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  const stderr = 'stderr' in error.problem ? String(error.problem.stderr) : error.message;
  return syncFailure({ code: 'remote-failed', remote: url, detail: stderr.trim().slice(-2000) });
}
