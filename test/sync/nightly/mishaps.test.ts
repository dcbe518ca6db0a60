// When to add a test here: something goes wrong between a whole night and the forge or its repository.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { branch, openScene, type Scene } from './night-scene.ts';

const refsOf = ({ onyx }: Scene): string =>
  execFileSync('git', [`--git-dir=${onyx}`, 'for-each-ref', '--format=%(refname) %(objectname)'], {
    encoding: 'utf8',
  });

function addHook({ onyx }: Scene, name: string, script: string): () => void {
  mkdirSync(join(onyx, 'hooks'), { recursive: true });
  const path = join(onyx, 'hooks', name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return () => chmodSync(path, 0o644);
}

/** Somebody puts a commit on the branch, or makes the branch, in the repository itself. */
function commitByHand({ onyx }: Scene): string {
  const git = (...args: string[]): string =>
    execFileSync(
      'git',
      [`--git-dir=${onyx}`, '-c', 'user.name=Mia', '-c', 'user.email=mia@example.org', ...args],
      {
        encoding: 'utf8',
      },
    ).trim();
  const sha = git('commit-tree', '-p', 'main', '-m', 'By hand', 'main^{tree}');
  git('update-ref', `refs/heads/${branch}`, sha);
  return sha;
}

const titlesOf = ({ github }: Scene): readonly string[] => github.threads.map(({ title }) => title);

describe('a push', { timeout: 90_000 }, () => {
  it('whose answer got lost is known by what is there, and not made again', async () => {
    const here = await openScene();
    here.github.gitFaults.push({ kind: 'lost-reply', route: 'push', times: 1 });
    let pushes = 0;
    here.github.beforePush = () => {
      pushes += 1;
    };

    const night = await here.night();

    expect(night.result.outcome).toBe('published');
    expect(refsOf(here)).toContain(`refs/heads/${branch} `);
    // Git may have asked again by itself, on a new connection.
    const before = pushes;
    expect((await here.night()).exit).toBe(4);
    expect(pushes).toBe(before);
  });

  it('that never arrived leaves nothing, and is made by the next run', async () => {
    const here = await openScene();
    const refs = refsOf(here);
    here.github.gitFaults.push({ kind: 'bad-gateway', route: 'push', times: 1 });
    await expect(here.night()).rejects.toMatchObject({ problem: { code: 'remote-failed' } });
    expect([refsOf(here), titlesOf(here)]).toEqual([refs, []]);
    expect((await here.night()).result.outcome).toBe('published');
  });

  it('meets a person’s push that came a moment before it: theirs stays, nothing of ours is taken', async () => {
    const here = await openScene();
    let theirs = '';
    here.github.beforePush = () => {
      theirs = commitByHand(here);
    };

    const night = await here.night();

    expect(night).toMatchObject({ exit: 3, result: { outcome: 'person-on-branch' } });
    expect(refsOf(here)).toContain(`refs/heads/${branch} ${theirs}`);
    expect(refsOf(here)).not.toContain('refs/fork-sync');
    expect(titlesOf(here)).toEqual(['Upstream commits: where they stand']);
  });

  it.each([
    ['one ref of it', 'update', `case $1 in refs/fork-sync/*/plan) echo "not that one" >&2; exit 1;; esac`],
    ['all of it', 'pre-receive', 'echo "not that one" >&2; exit 1'],
  ])('of which a hook refuses %s leaves nothing, and says what the hook said', async (_, name, script) => {
    const here = await openScene();
    const refs = refsOf(here);
    const allow = addHook(here, name, script);
    await expect(here.night()).rejects.toMatchObject({
      problem: { code: 'push-refused' },
      message: expect.stringContaining('not that one'),
    });
    expect([refsOf(here), titlesOf(here)]).toEqual([refs, []]);
    allow();
    expect((await here.night()).result.outcome).toBe('published');
  });
});

describe('what the bot may do', { timeout: 90_000 }, () => {
  it('can be taken from it in the middle: it says so, and goes on when it may again, with nothing twice', async () => {
    const here = await openScene();
    here.github.beforePush = () => here.github.permissions.set('sync-bot', 'read');
    await expect(here.night()).rejects.toMatchObject({
      problem: { code: 'forge-failed', status: 404 },
      message: expect.stringContaining('open a pull request'),
      exitCode: 1,
    });
    here.github.beforePush = () => {};
    here.github.permissions.set('sync-bot', 'write');
    expect((await here.night()).result.outcome).toBe('published');
    expect((await here.night()).exit).toBe(4);
    expect(here.github.threads).toHaveLength(2);
  });
});

describe('a run that is killed', { timeout: 90_000 }, () => {
  /** Without the forge's address, and the digests of what holds it. */
  const plain = (text: string, { github }: Scene): string =>
    text.replaceAll(github.url, '').replace(/^(<!-- fork-sync \S+ \d+) \w+/, '$1');
  const stateOf = (here: Scene): unknown => [
    refsOf(here),
    here.github.threads.map(({ title, labels, body, comments }) => ({
      title,
      labels,
      texts: [body, ...comments.map((one) => one.body)].map((text) => plain(text, here)),
      reactions: comments.map(({ reactions }) => reactions.length),
    })),
  ];
  /** What a night leaves that nothing happens to: the same in each scene. */
  let undisturbed: unknown;
  async function stateOfUndisturbed(): Promise<unknown> {
    const scene = await openScene();
    await scene.night();
    return stateOf(scene);
  }

  it.each([0, 1, 2, 3, 4])(
    'right after %i writes were answered is made good by the next: nothing is there twice',
    async (writes) => {
      const here = await openScene();
      undisturbed ??= await stateOfUndisturbed();
      let pid = 0;
      const kill = (): void => void process.kill(pid, 'SIGKILL');
      here.github.afterWrite = () => {
        if (here.github.writes().length === writes) kill();
      };

      const killed = await here.run(undefined, {
        onErrorText: (text, child) => {
          pid = child;
          if (writes === 0 && text.includes('push sync/quartz')) kill();
        },
      });
      here.github.afterWrite = () => {};
      const next = await here.night();

      expect(killed.status).toBe(null);
      expect([3, 4]).toContain(next.exit);
      expect(stateOf(here)).toEqual(undisturbed);
      expect((await here.night()).exit).toBe(4);
    },
  );
});

describe('people in the bot’s comments', { timeout: 90_000 }, () => {
  it('may edit or delete them: the next run puts back what it has to say, once', async () => {
    const here = await openScene();
    await here.night();
    const [pull] = here.github.threads;
    if (pull === undefined) throw new Error('no pull request');
    const text = pull.comments[0]?.body;
    for (const change of ['edited', 'deleted', 'without its marker'] as const) {
      const [comment] = pull.comments;
      if (change === 'deleted' || comment === undefined) pull.comments = [];
      else if (change === 'edited') comment.body = `${comment.body}\n/sync retry`;
      else comment.body = 'Gone.';
      const night = await here.night();
      expect(night.result.outcome).toBe('published');
      expect(night.result.remarks.join()).toContain(change === 'edited' ? 'Somebody had edited' : '');
      expect(pull.comments.at(-1)?.body).toBe(text);
      expect((await here.night()).exit).toBe(4);
    }
    expect(pull.comments.map(({ body }) => body)).toEqual(['Gone.', text]);
  });
});
