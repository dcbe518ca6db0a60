import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type FixtureCommit, writeHistory } from '../../../fixtures/histories/write-history.ts';
import type { Forge } from '../../../src/sync/publish/forge.ts';
import type { Credentials } from '../../../src/sync/publish/github/credentials.ts';
import { openGitHubForge } from '../../../src/sync/publish/github/github-forge.ts';
import { openClient } from '../../../src/sync/publish/github/open-client.ts';
import { openWriteGate, type WriteGate } from '../../../src/sync/publish/write-gate.ts';
import { type StandIn, type StandInOptions, startGitHub } from '../../fakes/github/github-stand-in.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

export const history: readonly FixtureCommit[] = [
  { name: 'main', time: 1000, files: { 'a.txt': 'a\n' } },
  { name: 'night', from: 'main', time: 2000, files: { 'a.txt': 'b\n' } },
];

export interface Scene {
  readonly github: StandIn;
  readonly gitDir: string;
  readonly sha: (name: string) => string;
  open(options?: Partial<RunOptions>): { readonly forge: Forge; readonly gate: WriteGate };
}

export interface RunOptions {
  readonly publish: boolean;
  readonly limit: number;
  readonly credentials: Credentials;
  readonly longestWait: number;
  readonly waits: string[];
}

/** A stand-in that ends with the test, and has to have seen nothing wrong by then. */
export async function startForTest(options: StandInOptions): Promise<StandIn> {
  const github = await startGitHub(options);
  onTestFinished(async () => {
    await github.close();
    // Whatever a test is about: nothing that it sent or got may be against GitHub's own description.
    expect(github.violations).toEqual([]);
  });
  return github;
}

/** A run: each has a gate of its own, and remembers nothing of the one before. */
export function connect(
  github: StandIn,
  run: Partial<RunOptions> = {},
): { readonly forge: Forge; readonly gate: WriteGate } {
  const gate = openWriteGate({ publish: run.publish ?? true, limit: run.limit ?? 100 });
  const client = openClient({
    apiUrl: github.url,
    credentials: run.credentials ?? { kind: 'token', token: github.token },
    longestWait: run.longestWait ?? 120,
    onWait: (why, seconds) => run.waits?.push(`${why}: ${seconds}`),
    secondMs: 1,
  });
  const login = async (): Promise<string> => (await client.rest.users.getAuthenticated()).data.login;
  return { gate, forge: openGitHubForge({ client, gate, login, secondMs: 1 }) };
}

export async function onGitHub(options: Partial<StandInOptions> = {}): Promise<Scene> {
  const gitDir = join(temporaryFolder(), 'onyx.git');
  const shas = writeHistory(gitDir, history);
  const github = await startForTest({ gitDir, ...options });
  return { github, gitDir, sha: (name) => shas.get(name) ?? '', open: (run) => connect(github, run) };
}
