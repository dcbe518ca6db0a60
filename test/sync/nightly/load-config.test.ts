import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { writeRules } from '../../../fixtures/histories/tiny-fork.ts';
import { openConfig } from '../../../src/sync/cli/open-config.ts';
import { isBranchName, loadConfig } from '../../../src/sync/nightly/load-config.ts';
import { readCredentials } from '../../../src/sync/publish/github/credentials.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const least = {
  upstream: 'lxd.git',
  fork: '/srv/incus.git',
  publish: { repositories: ['me/incus'], repository: 'me/incus', base: 'main', branch: 'sync/main' },
};

function load(value: unknown, folder = temporaryFolder()) {
  const path = join(folder, 'fork-sync.yaml');
  writeFileSync(path, typeof value === 'string' ? value : stringify(value));
  return loadConfig(path);
}

function errorOf(value: unknown): string {
  try {
    load(value);
  } catch (error) {
    expect(error).toMatchObject({ problem: { code: 'config-invalid' }, exitCode: 2 });
    return String(error);
  }
  return 'none';
}

describe('fork-sync.yaml', () => {
  it('needs little, and takes paths from where it stands', () => {
    const folder = temporaryFolder();
    expect(load(least, folder)).toMatchObject({
      upstream: join(folder, 'lxd.git'),
      fork: '/srv/incus.git',
      forge: { apiUrl: 'https://api.github.com' },
      publish: { remote: 'https://github.com/me/incus.git', baseRemote: 'https://github.com/me/incus.git' },
      limits: { commits: 30, writes: 50 },
      preflight: { build: undefined },
    });
  });

  it('pushes to a fork of the fork, and to a GitHub Enterprise Server', () => {
    const publish = {
      ...least.publish,
      repositories: ['me/incus', 'bot/incus'],
      headRepository: 'bot/incus',
    };
    const config = load({ ...least, publish, forge: { apiUrl: 'https://git.example.org/api/v3' } });
    expect(config.publish).toMatchObject({
      remote: 'https://git.example.org/bot/incus.git',
      baseRemote: 'https://git.example.org/me/incus.git',
    });
  });

  it.each<[string, unknown, string]>([
    ['an unknown key', { ...least, publsh: {} }, 'publsh: unknown key; did you mean publish?'],
    [
      'an unknown key further in',
      { ...least, limits: { writs: 1 } },
      'limits.writs: unknown key; did you mean writes?',
    ],
    ['a missing key', { ...least, upstream: undefined }, 'the key upstream is missing'],
    ['a wrong type', { ...least, limits: { writes: 'many' } }, 'limits.writes: a whole number is needed'],
    [
      'a shell in place of a list',
      { ...least, preflight: { build: 'make && x' } },
      'preflight.build: a list is needed',
    ],
    [
      'a repository that is not listed',
      { ...least, publish: { ...least.publish, repository: 'you/incus' } },
      'you/incus is not listed in publish.repositories',
    ],
    [
      'a branch that would be an option',
      { ...least, publish: { ...least.publish, branch: '--mirror' } },
      'publish.branch: "--mirror" is not a name of a branch',
    ],
    [
      'a token in an address',
      { ...least, publish: { ...least.publish, remote: 'https://x:secret@github.com/me/incus.git' } },
      'publish.remote:',
    ],
    [
      'a command as an address',
      { ...least, publish: { ...least.publish, remote: 'ext::sh -c x' } },
      'publish.remote:',
    ],
    [
      'a folder outside the repository',
      { ...least, publish: { ...least.publish, decisions: '../x' } },
      'publish.decisions:',
    ],
    [
      'a placeholder that is not known',
      { ...least, publish: { ...least.publish, title: '{commit}' } },
      'did you mean commits?',
    ],
    ['YAML that is none', 'a: [', 'line '],
    ['nothing', '', 'keys and values are needed'],
  ])('is refused for %s', (_, value, why) => {
    expect(errorOf(value)).toContain(why);
  });

  it('says when it is not there', () => {
    expect(() => loadConfig('/nonexistent/fork-sync.yaml')).toThrow('it cannot be read (ENOENT)');
  });

  it('knows a repository by its name whatever its capitals', () => {
    const publish = { ...least.publish, headRepository: least.publish.repository.toUpperCase() };
    const config = load({ ...least, publish });
    expect(config.publish.baseRemote).toBe(config.publish.remote);
  });

  it.each(['main', 'sync/lxd-main', 'stable-6.0', 'a+b'])('takes %s as a branch', (name) => {
    expect(isBranchName(name)).toBe(true);
  });

  it.each([
    '',
    '-x',
    'a..b',
    'a b',
    'a//b',
    '/a',
    'a/',
    'a.lock',
    'a.lock/b',
    '.a',
    'a/.b',
    'a~1',
    'a:b',
    'a\nb',
    '@{u}',
    '$(x)',
  ])('does not take %j as a branch', (name) => expect(isBranchName(name)).toBe(false));
});

describe('fork-sync.yaml and the pack that it names', () => {
  const open = (publish: object, ofPack = '') => {
    const folder = temporaryFolder();
    writeRules(join(folder, 'rules'), '1'.repeat(40));
    appendFileSync(join(folder, 'rules', 'pack.yaml'), ofPack);
    const path = join(folder, 'fork-sync.yaml');
    writeFileSync(path, stringify({ ...least, rules: 'rules', publish: { ...least.publish, ...publish } }));
    return openConfig(path);
  };
  const title = '{commits} (stable-6.0)';
  const stable = 'stableBranches: [stable-]\n';

  it('are refused together where the title names another stable branch than the base', () => {
    expect(() => open({ base: 'main', title }, stable)).toThrow('publish.title: it ends with (stable-6.0)');
  });

  it('are taken where it names the base, or what is no stable branch of the pack', () => {
    const taken = [open({ base: 'stable-6.0', title }, stable), open({ base: 'main', title })];
    expect(taken.map(({ config }) => config.publish.title)).toEqual([title, title]);
  });
});

describe('credentials', () => {
  it('are taken out of the environment, so that nothing that is started inherits them', () => {
    const environment: NodeJS.ProcessEnv = { FORK_SYNC_TOKEN: ' abc \n', OTHER: 'x' };
    expect(readCredentials({}, environment)).toEqual({ kind: 'token', token: 'abc' });
    expect(environment).toEqual({ OTHER: 'x' });
  });

  it('come from files, of an app as well, and are none where there are none', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'key'), 'a key\n');
    expect(readCredentials({ app: { id: 7, keyFile: join(folder, 'key') } }, {})).toMatchObject({
      kind: 'app',
      id: 7,
      key: 'a key',
    });
    expect(readCredentials({}, {})).toEqual({ kind: 'none' });
    expect(() => readCredentials({ tokenFile: '/nonexistent' }, {})).toThrow('cannot be read (ENOENT)');
    expect(() => readCredentials({ app: { id: 7 } }, {})).toThrow('key of the GitHub App was not found');
    expect(() => readCredentials({}, { FORK_SYNC_TOKEN: 'a b' })).toThrow('blanks');
  });
});
