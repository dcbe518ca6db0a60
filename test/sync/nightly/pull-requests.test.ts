import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readPullRequestUrl } from '../../../src/sync/cli/pull-request-url.ts';
import { branch, openScene, secretOfBlocked } from './night-scene.ts';

const mia = ['-c', 'user.name=Mia', '-c', 'user.email=mia@example.org'];

describe('fork-sync checkout of a pull request', { timeout: 90_000 }, () => {
  it('brings the conflict back; what a person makes of it is theirs from then on', async () => {
    const here = await openScene();
    await here.night();
    const url = `${here.github.url}/mine/onyx/pull/1`;
    const folder = join(here.folder, 'work');
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', folder, ...mia, ...args], { encoding: 'utf8', stdio: 'pipe' });

    const done = await here.run(['checkout', url, folder]);

    expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('to solve: README.md') });
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toMatch(
      /<{7}[\s\S]*Onyx is black[\s\S]*Onyx, a gem/,
    );
    execFileSync('sh', ['-c', 'echo "Onyx, a black gem" > README.md'], { cwd: folder });
    git('commit', '-a', '-s', '--no-edit');
    expect(git('log', '-1', '--format=%an%n%B')).toMatch(
      /^Ann Author\n[\s\S]*cherry picked from commit[\s\S]*Signed-off-by: Mia/,
    );
    const auth = Buffer.from(`x-access-token:${here.github.token}`).toString('base64');
    // Not synchronously: the stand-in that is pushed to lives in this process.
    await promisify(execFile)('git', [
      '-C',
      folder,
      '-c',
      `http.extraHeader=Authorization: Basic ${auth}`,
      'push',
      '-q',
      'origin',
      branch,
    ]);

    const next = await here.night();
    expect(next).toMatchObject({ exit: 3, result: { outcome: 'person-on-branch' } });
    expect(here.github.threads[1]?.body).toContain('has commits of a person');
    expect((await here.run(['checkout', url, folder])).stderr).toContain('the folder is not empty');
    const none = await here.run(['checkout', url, join(here.folder, 'other'), '--commit', 'ffff']);
    expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining('has no such conflict') });
  });
});

describe('fork-sync comment', { timeout: 90_000 }, () => {
  it('says in the fork what is left between a person’s commits and upstream', async () => {
    const here = await openScene();
    const pick = async (text: string) => {
      const git = (...args: string[]) =>
        execFileSync('git', [`--git-dir=${here.onyx}`, ...mia, ...args], { encoding: 'utf8', stdio: 'pipe' });
      const work = join(here.folder, `work-${text.length}`);
      execFileSync('git', ['clone', '-q', '-b', 'main', here.onyx, work]);
      const inWork = (...args: string[]) =>
        execFileSync('git', ['-C', work, ...mia, ...args], { encoding: 'utf8' });
      execFileSync('sh', ['-c', 'cat > scripts/run.sh'], { cwd: work, input: text });
      inWork('commit', '-qam', `Restart\n\n(cherry picked from commit ${here.tiny.sha('restart')})`);
      inWork('push', '-q', 'origin', `HEAD:refs/heads/by-hand-${text.length}`);
      return git('rev-parse', `by-hand-${text.length}`).trim();
    };
    const script = '#!/bin/sh\nONYX_DIR=/var/lib/onyx\nox list\nox restart\n';
    await pick(script);
    await pick(`${script}ox extra\n`);
    for (const name of [`by-hand-${script.length}`, `by-hand-${script.length + 9}`])
      here.github.open('mia', name);
    const url = (number: number) => `${here.github.url}/mine/onyx/pull/${number}`;

    const same = await here.comment({ pr: url(1) });
    const writes = here.github.writes().length;
    const other = await here.run(['comment', '--pr', url(2), '--publish']);
    const again = await here.comment({ pr: url(2), publish: true });

    expect(same.stdout).toContain('clean, equal after renaming');
    expect(writes).toBe(0);
    expect(other.stdout).toContain('+ +ox extra');
    expect([same.status, other.status, again.status]).toEqual([0, 0, 0]);
    expect(here.github.threads.map(({ comments }) => comments.length)).toEqual([0, 1]);
  });

  it('shows an upstream pull request as a preview, and writes it nowhere but on the status issue of the fork', async () => {
    const here = await openScene({ alsoNamed: 'theirs/quartz' });
    await here.night();
    const number = here.github.open('ann', 'pr', {
      base: 'base',
      gitDir: here.tiny.upstream,
      head: 'main',
    });
    const before = here.github.writes().length;
    const url = `${here.github.url}/theirs/quartz/pull/${number}`;

    const preview = await here.comment({ pr: url });
    const refused = await here.comment({ pr: url, publish: true });
    const writesOfBoth = here.github.writes().length - before;
    const onStatus = await here.run(['comment', '--pr', url, '--publish', '--to-status']);
    const again = await here.comment({ pr: url, publish: true, toStatus: true });

    expect(preview.status).toBe(3);
    expect(preview.stdout).toContain('equal after renaming');
    expect(preview.stdout).toContain('really-diverged');
    expect(preview.stdout).toMatch(/\*\*blocked\*\* `Closed-1\.0/);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('nothing is written there') });
    const own = `${here.github.url}/mine/onyx/pull/1`;
    await here.comment({ pr: own, publish: true, toStatus: true });

    expect([writesOfBoth, onStatus.status, again.status]).toEqual([0, 3, 3]);
    const comment = { method: 'POST', path: '/repos/mine/onyx/issues/2/comments' };
    expect(here.github.writes().slice(before)).toMatchObject([comment, comment]);
    const said = here.github.threads[1]?.comments[0]?.body ?? '';
    expect(said).toContain('theirs/quartz pull request');
    for (const text of [preview.stdout, said])
      for (const barred of [secretOfBlocked, 'closed.txt']) expect(text).not.toContain(barred);
  });

  it.each([
    'https://example.org/a/b/pull/1',
    'a/b#1',
    'https://github.com/a/b/issues/1',
    'https://github.com/a/b/pull/x',
  ])('refuses %s', (url) =>
    expect(() => readPullRequestUrl(url, 'https://github.com')).toThrow('not the address of a pull request'),
  );
});
