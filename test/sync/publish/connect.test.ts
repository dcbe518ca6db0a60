import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeHistory } from '../../../fixtures/histories/write-history.ts';
import { connectGitHub } from '../../../src/sync/publish/github/connect.ts';
import type { Credentials } from '../../../src/sync/publish/github/credentials.ts';
import { openGitHubForge } from '../../../src/sync/publish/github/github-forge.ts';
import { openWriteGate } from '../../../src/sync/publish/write-gate.ts';
import type { StandInOptions } from '../../fakes/github/github-stand-in.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { history, startForTest } from './on-github.ts';

let key = '';
let publicKey: ReturnType<typeof generateKeyPairSync>['publicKey'] | undefined;

beforeAll(() => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  publicKey = pair.publicKey;
});

async function connect(credentials: (token: string) => Credentials, options: Partial<StandInOptions> = {}) {
  const gitDir = join(temporaryFolder(), 'onyx.git');
  writeHistory(gitDir, history);
  const github = await startForTest({
    gitDir,
    ...(publicKey === undefined ? {} : { app: { id: 12, publicKey } }),
    ...options,
  });
  const connected = await connectGitHub({
    apiUrl: `${github.url}/api/v3`,
    credentials: credentials(github.token),
    repository: 'mine/onyx',
    login: undefined,
    mustWrite: true,
    longestWait: 0,
    onWait: () => {},
    secondMs: 1,
  });
  return { github, connected };
}

describe('writing as a GitHub App', () => {
  it.each([0, 5400, -5400])('works by its key alone, with the clock %i s off', async (clockAhead) => {
    const { github, connected } = await connect(
      () => ({ kind: 'app', id: 12, key, installation: undefined }),
      { clockAhead, login: 'sync-app[bot]' },
    );
    const gate = openWriteGate({ publish: true, limit: 9 });
    const forge = openGitHubForge({ client: connected.client, gate, login: connected.login, secondMs: 1 });
    const made = await forge.ensureIssue({
      repository: 'mine/onyx',
      topic: 'status',
      title: 'T',
      body: 'B',
      labels: [],
    });
    expect(made.outcome).toBe('created');
    expect(await forge.login()).toBe('sync-app[bot]');
    expect(await connected.token()).toBe(github.token);
    expect(github.calls.every(({ authorization }) => !authorization.includes('PRIVATE KEY'))).toBe(true);
  });

  it('says what was refused when the key is another one', async () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const wrong = other.export({ type: 'pkcs8', format: 'pem' }).toString();
    await expect(
      connect(() => ({ kind: 'app', id: 12, key: wrong, installation: undefined })),
    ).rejects.toMatchObject({ problem: { code: 'forge-failed', status: 401 } });
  });
});

describe('writing with a token', () => {
  it('asks whose it is, once', async () => {
    const { github, connected } = await connect((token) => ({ kind: 'token', token }));
    const gate = openWriteGate({ publish: true, limit: 9 });
    const forge = openGitHubForge({ client: connected.client, gate, login: connected.login, secondMs: 1 });
    expect([await forge.login(), await forge.login()]).toEqual(['sync-bot', 'sync-bot']);
    expect(connected.calls()).toBe(1);
    expect(github.calls).toHaveLength(1);
  });
});
