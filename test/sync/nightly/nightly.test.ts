import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { takeLock } from '../../../src/sync/nightly/lock.ts';
import { branch, root, openScene as scene, secretOfBlocked } from './night-scene.ts';

/** Every file below a folder, as text. */
function textsBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

function commandLines(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    })
    .join('\n');
}

describe('fork-sync nightly', { timeout: 90_000 }, () => {
  it('publishes a night; the second run writes nothing; the token and what is barred are nowhere', async () => {
    const here = await scene();
    let lines = '';
    let seen = 0;
    const watch = (): void => {
      const now = commandLines();
      if (now.includes('remote-http')) seen += 1;
      lines += now.includes(here.github.token) ? now : '';
    };

    const dry = await here.run(['nightly']);
    const writesOfDry = here.github.writes().length;
    const first = await here.run(
      ['nightly', '--publish', '--json', '--html', join(here.folder, 'page.html')],
      { watch },
    );
    const writes = here.github.writes().length;
    const second = await here.run();

    expect(dry.stderr).toContain('would push sync/quartz');
    expect(dry.stdout).toContain('This was a dry run');
    expect([writesOfDry, dry.status]).toEqual([0, 3]);
    expect(first.status).toBe(3);
    const night = JSON.parse(first.stdout);
    expect(night).toMatchObject({
      outcome: 'published',
      exit: 3,
      pullRequest: expect.stringContaining('/pull/1'),
    });
    expect(night.plan.entries.map(({ state }: { readonly state: string }) => state)).toEqual([
      'clean',
      'conflict',
    ]);
    expect([second.status, here.github.writes().length]).toEqual([4, writes]);
    expect(second.stdout).toMatch(/^\d+ calls of the forge, 0 writes, /m);
    const [pull, status] = here.github.threads;
    expect(pull).toMatchObject({ labels: ['sync', 'needs a person'], pull: { draft: true } });
    expect(status?.body).toContain('1 clean, 1 conflict');
    expect(status?.body).toContain('1 blocked');

    // The token: in no output, file, comment or command line.
    const page = readFileSync(join(here.folder, 'page.html'), 'utf8');
    const said = here.github.threads.flatMap(({ title, body, comments }) => [
      title,
      body,
      ...comments.map((one) => one.body),
    ]);
    const outputs = [dry, first, second].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    const basic = Buffer.from(`x-access-token:${here.github.token}`).toString('base64');
    for (const text of [...outputs, ...said, page, textsBelow(join(here.folder, 'cache')), lines])
      for (const secret of [here.github.token, basic]) expect(text).not.toContain(secret);
    expect(seen).toBeGreaterThan(0);

    // What the licence bars: nothing but sha, subject and reason.
    execFileSync('git', [`--git-dir=${here.onyx}`, 'repack', '-q', '-a', '-d']);
    const objects = execFileSync(
      'git',
      [`--git-dir=${here.onyx}`, 'cat-file', '--batch', '--batch-all-objects'],
      { encoding: 'latin1' },
    );
    for (const text of [...outputs, ...said, page, objects]) expect(text).not.toContain(secretOfBlocked);
  });

  it('goes on where a signal stopped it', async () => {
    const here = await scene();
    let stopped = false;
    const first = await here.run(undefined, {
      onErrorText(text, pid) {
        if (stopped || !text.includes('open a pull request')) return;
        stopped = true;
        process.kill(pid, 'SIGTERM');
      },
    });
    const second = await here.night();
    expect(first.status).toBe(5);
    expect(first.stderr).toContain('Stops after this step.');
    expect([3, 4]).toContain(second.exit);
    expect(here.github.threads.map(({ comments }) => comments.length)).toEqual([1, 0]);
  });

  it('lets one run at a time work on a cache', async () => {
    const here = await scene();
    const unlock = takeLock(join(here.folder, 'cache'));
    await expect(here.night()).rejects.toMatchObject({
      problem: { code: 'already-running', holder: { pid: process.pid } },
      exitCode: 1,
    });
    unlock();
    expect((await here.night()).exit).toBe(3);
  });

  it('is not stopped by the lock of a run that was killed', async () => {
    const here = await scene();
    const program = `import { takeLock } from '${join(root, 'src', 'sync', 'nightly', 'lock.ts')}';
      takeLock('${join(here.folder, 'cache')}'); process.kill(process.pid, 'SIGKILL');`;
    spawnSync(process.execPath, ['--input-type=module', '-e', program]);
    expect(existsSync(join(here.folder, 'cache', 'nightly.json'))).toBe(true);
    expect((await here.night()).exit).toBe(3);
  });

  it('makes the same again when its cache is gone', async () => {
    const here = await scene();
    await here.night();
    const writes = here.github.writes().length;
    rmSync(join(here.folder, 'cache'), { recursive: true });
    expect((await here.night()).exit).toBe(4);
    expect(here.github.writes().length).toBe(writes);
  });

  it('obeys commands on the status issue and on the pull request', async () => {
    const here = await scene();
    await here.night();
    here.github.permissions.set('mia', 'write');
    here.github.say(2, 'mia', `/sync skip ${here.tiny.sha('hostile')} upstream-only`);
    here.github.say(
      1,
      'mia',
      `/sync explain ${here.tiny.sha('blocked').slice(0, 10)}\n/sync park ${here.tiny.sha('restart')}`,
    );
    const { result } = await here.night();
    expect(result.plan.entries.map(({ state }) => state)).toEqual(['parked']);
    expect(here.github.threads.map(({ comments }) => comments.at(-1)?.body)).toEqual([
      expect.stringContaining('`Relicense`: **blocked**'),
      expect.stringContaining('is skipped (upstream-only)'),
    ]);
    expect((await here.night()).exit).toBe(4);
  });

  it('keeps rules and commits that people take, as files in the pull request', async () => {
    const here = await scene();
    const statesAfter = async (said: string): Promise<readonly string[]> => {
      here.github.say(1, 'mia', said);
      return (await here.night()).result.plan.entries.map(({ state }) => state);
    };
    await here.night();
    here.github.permissions.set('mia', 'write');

    const parked = await statesAfter(`/sync park ${here.tiny.sha('restart')}\n/sync rule gem => stone`);
    const taken = await statesAfter(`/sync take ${here.tiny.sha('restart')}`);

    expect(parked).toContain('parked');
    expect(taken).not.toContain('parked');
    const files = execFileSync(
      'git',
      [`--git-dir=${here.onyx}`, 'ls-tree', '-r', '--name-only', branch, '.fork-sync'],
      { encoding: 'utf8' },
    );
    expect(files).toMatch(/decisions\/rule-[0-9a-f]{12}\.yaml/);
    expect(here.github.violations).toEqual([]);
    expect((await here.night()).exit).toBe(4);
  });

  it('builds without anything secret around, and does not push what does not build', async () => {
    const here = await scene();
    here.configure((config) => {
      config['preflight'] = { build: ['sh', '-c', 'cat scripts/run.sh >&2; env >&2; exit 7'] };
    });
    process.env['FORK_SYNC_TEST_SECRET'] = here.github.token;
    const { exit, result } = await here.night();
    delete process.env['FORK_SYNC_TEST_SECRET'];
    expect([exit, result.outcome]).toEqual([3, 'build-failed']);
    expect(result.notices.join()).toContain('ended with status 7');
    expect(result.notices.join()).not.toContain(here.github.token);
    expect(here.github.threads.map(({ title }) => title)).toEqual(['Upstream commits: where they stand']);
  });

  it('needs a token to publish and none to plan, and offline not even a network', async () => {
    const here = await scene();
    await expect(here.night({ publish: true, token: '' })).rejects.toMatchObject({
      message: expect.stringContaining('Put it into the variable FORK_SYNC_TOKEN'),
    });
    expect((await here.night({ publish: false, token: '' })).told).toContainEqual(
      expect.stringContaining('open a pull request'),
    );
    await here.github.close();
    const offline = await here.run(['nightly', '--offline'], { environment: { FORK_SYNC_TOKEN: '' } });
    expect(offline.status).toBe(3);
    expect(offline.stderr).toContain('would open a pull request');
  });

  it('takes its token from a file as well', async () => {
    const here = await scene();
    writeFileSync(join(here.folder, 'token'), `${here.github.token}\n`, { mode: 0o600 });
    here.configure((config) => {
      config['forge'] = { ...config['forge'], tokenFile: 'token' };
    });
    expect((await here.night({ publish: true, token: '' })).exit).toBe(3);
  });
});
